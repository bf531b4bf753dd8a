"""Serve ministack, with the additions of this package, on a socket that already listens."""

import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import ministack.app
from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config

from embedded_aws.additions import install
from embedded_aws.resources.compute import service_outcomes, target_health
from embedded_aws.resources.network import regions
from embedded_aws.services.account import service_quotas
from embedded_aws.services.tasks import runs
from embedded_aws.settings import ACCOUNT_PATH, RESET_PATH, SERVICE_OUTCOMES_PATH

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

# Seconds that open requests have to finish after a stop.
_GRACE = 0.5


async def serve(
    listener: socket.socket, stop: threading.Event, announce: Callable[[], None]
) -> None:
    """Answer requests on `listener` until `stop` is set; call `announce` once when ready."""
    install()
    config = Config()
    # A duplicate, because hypercorn closes its socket and the caller owns the listener.
    config.bind = [f"fd://{os.dup(listener.fileno())}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = _GRACE
    config.shutdown_timeout = _GRACE
    config.loglevel = "CRITICAL"
    try:
        await serve_asgi(
            _announcing(announce),
            config,
            shutdown_trigger=lambda: asyncio.to_thread(stop.wait),
        )
    finally:
        stop.set()
        _end_function_workers()
        runs.end_all()


def _announcing(announce: Callable[[], None]) -> Any:
    async def application(scope: Message, receive: Receive, send: Send) -> None:
        async def observed(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                announce()

        if scope["type"] == "lifespan":
            await ministack.app.app(scope, receive, observed)
            return
        if scope["path"] in _REGISTRATIONS:
            await _register(_REGISTRATIONS[scope["path"]], receive, send)
            return
        if scope["path"] == RESET_PATH:
            service_outcomes.REGISTERED.clear()
            regions.OFF.clear()
            target_health.forget_all()
        await ministack.app.app(scope, receive, send)

    return application


def _register_outcome(values: Any) -> None:
    service_outcomes.REGISTERED.append(service_outcomes.ServiceOutcome.read(values))


def _set_account(values: Any) -> None:
    """Set a quota, or turn a region off."""
    if "region_off" in values:
        regions.OFF.add(values["region_off"])
    else:
        service_quotas.set_quota(**values)


_REGISTRATIONS: dict[str, Callable[[Any], None]] = {
    SERVICE_OUTCOMES_PATH: _register_outcome,
    ACCOUNT_PATH: _set_account,
}


async def _register(take: Callable[[Any], None], receive: Receive, send: Send) -> None:
    """Take the body of a request to the process itself; 400 and the reason if it is not valid."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    status, answer = 204, b""
    try:
        take(json.loads(body))
    except (TypeError, ValueError) as problem:
        status, answer = 400, str(problem).encode()
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": answer})


def _end_function_workers() -> None:
    """End the interpreters that run Lambda functions; ministack does not end them."""
    functions = sys.modules.get("ministack.services.lambda_svc")
    if functions is not None:
        functions.reset()
