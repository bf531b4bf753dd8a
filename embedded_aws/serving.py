"""Serve ministack, with the additions of this package, on a socket that already listens."""

import asyncio
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
from embedded_aws.services.tasks import runs

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

        await ministack.app.app(scope, receive, observed if scope["type"] == "lifespan" else send)

    return application


def _end_function_workers() -> None:
    """End the interpreters that run Lambda functions; ministack does not end them."""
    functions = sys.modules.get("ministack.services.lambda_svc")
    if functions is not None:
        functions.reset()
