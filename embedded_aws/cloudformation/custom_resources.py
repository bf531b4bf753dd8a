"""Fail a custom resource immediately when its function fails without an answer.

On AWS, and in ministack, CloudFormation waits for the answer until ServiceTimeout, an hour by default. A rehearsal reports
the failure instead.
"""

import json
from typing import Any

from embedded_aws.bridge import functions, operations


def install() -> None:
    """Watch the functions that CloudFormation invokes."""
    execute = functions.execute_function.current

    def execute_and_report(function: Any, event: Any, *rest: Any, **named: Any) -> Any:
        result = execute(function, event, *rest, **named)
        if is_request(event):
            _answer_for(event, result)
        return result

    functions.execute_function.replace(execute_and_report)


def is_request(event: Any) -> bool:
    """Whether an event is the request of a custom resource, whose answer CloudFormation waits for."""
    return isinstance(event, dict) and "ResponseURL" in event and "RequestType" in event


def answer(event: dict[str, Any], result: dict[str, Any]) -> None:
    """Answer CloudFormation for a function, unless the function answered or CloudFormation stopped waiting."""
    token = event["ResponseURL"].rstrip("/").rsplit("/", 1)[-1]
    operations.answer_custom_resource(token, result)


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
