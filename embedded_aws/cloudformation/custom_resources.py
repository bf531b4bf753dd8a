"""Fail a custom resource immediately when its function fails without an answer.

On AWS, and in ministack, CloudFormation waits for the answer until ServiceTimeout, an hour by default. A rehearsal reports
the failure instead.
"""

import contextvars
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.bridge import functions, operations


@dataclass(eq=False)
class _Run:
    """A function that serves a request. CloudFormation waits until it has ended, or until the update is cancelled."""

    event: dict[str, Any]
    ended: threading.Event = field(default_factory=threading.Event)
    result: Any = None


_running: list[_Run] = []


def install() -> None:
    """Watch the functions that CloudFormation invokes."""
    execute = functions.execute_function.current

    def execute_and_report(function: Any, event: Any, *rest: Any, **named: Any) -> Any:
        if not is_request(event):
            return execute(function, event, *rest, **named)
        run = _Run(event)
        _running.append(run)

        def serve() -> None:
            try:
                run.result = execute(function, event, *rest, **named)
                _answer_for(event, run.result)
            finally:
                _running.remove(run)
                run.ended.set()

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=[serve], daemon=True).start()
        run.ended.wait()
        return run.result

    functions.execute_function.replace(execute_and_report)


def is_request(event: Any) -> bool:
    """Whether an event is the request of a custom resource, whose answer CloudFormation waits for."""
    return isinstance(event, dict) and "ResponseURL" in event and "RequestType" in event


def answer(event: dict[str, Any], result: dict[str, Any]) -> None:
    """Answer CloudFormation for a function, unless the function answered or CloudFormation stopped waiting."""
    token = event["ResponseURL"].rstrip("/").rsplit("/", 1)[-1]
    operations.answer_custom_resource(token, result)


def answer_for_stacks(stack_ids: set[str], result: dict[str, Any]) -> None:
    """Answer CloudFormation for the functions that serve requests of these stacks now."""
    for run in list(_running):
        if run.event["StackId"] in stack_ids:
            answer(run.event, result)
            run.ended.set()


def _answer_for(event: dict[str, Any], result: Any) -> None:
    if not _failed(result):
        return
    reason = (
        f"The function of {event['LogicalResourceId']} failed without answering"
        f" CloudFormation: {_said(result)}"
    )
    answer(event, {"Status": "FAILED", "Reason": reason})


def _failed(result: Any) -> bool:
    return isinstance(result, dict) and bool(result.get("error"))


def _said(result: dict[str, Any]) -> str:
    body = result.get("body")
    if isinstance(body, bytes | str):
        try:
            body = json.loads(body)
        except ValueError:
            return str(body)[:300]
    if isinstance(body, dict):
        return f"{body.get('errorType', 'Error')}: {body.get('errorMessage', body)}"[:300]
    return str(body)[:300]
