"""An embedded AWS, as a process, whose whole state can be kept, brought back and compared.

    python -m tests.publishing.state_server REGION SCRATCH

POST /_state/keep keeps the state of all services, POST /_state/restore brings it back, and GET /_state/digest answers
with what names it; ``tests.publishing.states`` asks for them. Everything else is the embedded AWS's own.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import os
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from embedded_aws.settings import HOST, client_environment, prepare_environment

PLACE = "/_state/"
# Seconds that a stack gets to come to its end before the state that it is part of is kept or given up.
PATIENCE = 10.0
# What is another in every run, though nothing is different: identifiers, tokens and what is hashed from them, times.
RANDOM = re.compile(
    r"(?P<id>\b[a-z][a-z0-9]*-[a-z0-9]{13}\b)"
    r"|(?P<change>\bdeploy-[0-9a-f]{12}\b)"
    r"|(?P<uuid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|(?P<hash>\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b)"
    r"|(?P<seed>(?<='_name_seed': ')[0-9a-f]{8}\b)"
    r"|(?P<role>\b(?:AROA|AIDA|ANPA)[A-Z0-9]{17}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?|\b1[6-9]\d{8}\.\d+\b)"
)


class States:
    """The state of the services in this process: the dictionaries by account that ministack keeps everything in."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.modules = 0
        self.known: dict[str, Any] = {}

    def stores(self) -> dict[str, Any]:
        """Every such dictionary, by the name of its module and its own."""
        # Services are imported when they are first called.
        if len(sys.modules) != self.modules:
            self.known = self.found()
            self.modules = len(sys.modules)
        return self.known

    def found(self) -> dict[str, Any]:
        """The stores of the modules that are imported now."""
        from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

        return {
            f"{module}.{name}": value._data
            for module, loaded in sorted(sys.modules.items())
            if module.startswith(("ministack.", "embedded_aws."))
            for name, value in vars(loaded).items()
            if isinstance(value, AccountScopedDict | AccountRegionScopedDict)
        }

    def keep(self) -> None:
        """Keep a copy of what there is."""
        # In one go, so that what two dictionaries share is shared in the copy.
        self.kept = copy.deepcopy(self.stores())

    def restore(self) -> None:
        """Bring back what was kept; what was loaded since then had nothing."""
        kept = copy.deepcopy(self.kept)
        for name, store in self.stores().items():
            store.clear()
            store.update(kept.get(name, {}))

    def text(self) -> str:
        """All there is, with a number in place of what is random: the same one wherever the same stands."""
        known: dict[str, str] = {}

        def named(found: re.Match[str]) -> str:
            kind = str(found.lastgroup)
            return kind if kind == "time" else known.setdefault(found[0], f"{kind}-{len(known)}")

        filled = {name: store for name, store in self.stores().items() if store}
        return RANDOM.sub(named, repr(filled))

    def digest(self) -> str:
        """Names the state: two that differ in random identifiers and times only have the same."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def under_way() -> bool:
    """Whether CloudFormation still works on a stack; one that waits for its change set stays as it is."""
    from ministack.services import cloudformation

    return any(
        stack["StackStatus"].endswith("_IN_PROGRESS")
        and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
        for stack in list(cloudformation._stacks._data.values())
    )


async def settled() -> None:
    """Wait until nothing is under way that would write into a state that was brought back."""
    async with asyncio.timeout(PATIENCE):
        while under_way():
            await asyncio.sleep(0.001)


def with_states(application: Any) -> Any:
    """The application, with the three requests added."""
    states = States()

    async def answer(path: str) -> str:
        if path == "digest":
            return "" if under_way() else states.digest()
        if path == "text":
            return states.text()
        await settled()
        {"keep": states.keep, "restore": states.restore}[path]()
        return ""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PLACE):
            await application(scope, receive, send)
            return
        body = (await answer(scope["path"].removeprefix(PLACE))).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return wrapped


def main(region: str, scratch: str) -> None:
    """Serve on a free port of the loopback until standard input ends; ``scratch`` is the caller's to remove."""
    stop = threading.Event()

    def await_end() -> None:
        sys.stdin.buffer.read()
        stop.set()

    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        prepare_environment(port, region, Path(scratch), None)
        # ministack reads its settings while it is imported.
        import ministack.app

        from embedded_aws.serving import serve

        ministack.app.app = with_states(ministack.app.app)
        threading.Thread(target=await_end, daemon=True).start()

        def announce() -> None:
            variables = client_environment(f"http://{HOST}:{port}", region)
            print(variables["AWS_ENDPOINT_URL"], flush=True)

        asyncio.new_event_loop().run_until_complete(serve(listener, stop, announce))
    # Some of ministack's threads end only when what they await does.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
