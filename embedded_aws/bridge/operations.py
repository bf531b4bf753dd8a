"""Stack operations in ministack: the event loop, the context of an operation, and answers to custom resources."""

from __future__ import annotations

import asyncio
from typing import Any

import ministack.app
from ministack.services.cloudformation import custom_resource, provisioners


def main_loop() -> asyncio.AbstractEventLoop:
    """Return the loop on which the server answers requests and runs stack operations."""
    loop: asyncio.AbstractEventLoop = ministack.app._MAIN_LOOP
    return loop


def start_afresh() -> None:
    """Clear the context of an operation on a parent stack, so that the operation on a nested stack does not inherit it."""
    provisioners._NAME_SEED.set("")
    provisioners._RETAIN_REPLACED.set(False)
    provisioners._DEFERRED_PREDECESSOR_DELETES.set(None)


def answer_custom_resource(token: str, result: dict[str, Any]) -> None:
    """Answer the request of a custom resource, unless it has an answer or CloudFormation stopped waiting."""
    with custom_resource._lock:
        waiting = custom_resource._pending.get(token)
        if waiting is None or waiting["result"] is not None:
            return
        waiting["result"] = result
        waiting["event"].set()
