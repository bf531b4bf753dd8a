"""An embedded AWS in a process, whose state can be saved, restored and compared.

    python -m tests.publishing.state_server REGION SCRATCH

POST /_state/keep saves the state of all services, POST /_state/restore restores it, and GET /_state/digest returns its
name; ``tests.publishing.states`` sends these requests. The embedded AWS answers all others.
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
# Seconds to wait for a changing stack before its state is saved or discarded.
PATIENCE = 10.0
# Parts that differ between equal runs: identifiers, tokens, hashes of them, and times.
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
    """The state of the services in this process: ministack's dictionaries by account."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.modules = 0
        self.known: dict[str, Any] = {}

    def stores(self) -> dict[str, Any]:
        """Every such dictionary, by the names of its module and variable."""
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
        """Save a copy of the state."""
        # In one step, so that objects that two dictionaries share are shared in the copy.
        self.kept = copy.deepcopy(self.stores())

    def restore(self) -> None:
        """Restore the saved state; a module that was loaded since then becomes empty."""
        kept = copy.deepcopy(self.kept)
        for name, store in self.stores().items():
            store.clear()
            store.update(kept.get(name, {}))

    def text(self) -> str:
        """The state with numbers in place of random values; equal values get the same number."""
        known: dict[str, str] = {}

        def named(found: re.Match[str]) -> str:
            kind = str(found.lastgroup)
            return kind if kind == "time" else known.setdefault(found[0], f"{kind}-{len(known)}")

        filled = {name: store for name, store in self.stores().items() if store}
        return RANDOM.sub(named, repr(filled))

    def digest(self) -> str:
        """The name of the state; states that differ only in random identifiers and times have the same name."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def under_way() -> bool:
    """Whether a stack is changing; a stack that waits for its change set is not."""
    from ministack.services import cloudformation

    return any(
        stack["StackStatus"].endswith("_IN_PROGRESS")
        and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
        for stack in list(cloudformation._stacks._data.values())
    )


async def settled() -> None:
    """Wait until no operation is in progress that would write into a restored state."""
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
    """Serve on a free loopback port until standard input ends; the caller removes ``scratch``."""
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
    # Some threads of ministack end only with the operation that they wait for.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
