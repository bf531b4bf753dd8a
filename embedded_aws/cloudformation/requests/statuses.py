"""Refuse an operation that CloudFormation does not start in the present status of a stack.

A stack in ROLLBACK_COMPLETE can only be deleted; ministack replaces it, and creates change sets in every status. AWS's messages:
https://github.com/aws/aws-cli/issues/6216 (an update in ROLLBACK_COMPLETE),
https://github.com/aws/aws-cli/issues/6368 (an update in CREATE_FAILED),
https://github.com/compose-x/ecs_composex/issues/785 (a creation of an existing stack).
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (the statuses)
"""

from collections.abc import Callable
from typing import Any

from embedded_aws.bridge import functions, tables

Stack = dict[str, Any]
Action = Callable[[Any], Any]
Guard = Callable[[Any], str | None]

# An update starts from these, and with DisableRollback from a failed creation or update.
_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
PAUSED = ("CREATE_FAILED", "UPDATE_FAILED")
_UNDELETABLE = (
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)


def install() -> None:
    """Check the status before each operation."""
    for action, guard in (
        ("CreateStack", _creation),
        ("UpdateStack", _update),
        ("CreateChangeSet", _change_set),
        ("ExecuteChangeSet", _execution),
        ("DeleteStack", _deletion),
    ):
        tables.ACTIONS[action] = _guarded(guard, tables.ACTIONS[action])


def _guarded(guard: Guard, act: Action) -> Action:
    def guarded(parameters: Any) -> Any:
        problem = guard(parameters)
        if problem:
            code = "AlreadyExistsException" if guard is _creation else "ValidationError"
            return functions.stack_error(code, problem)
        return act(parameters)

    return guarded


def is_set(parameters: Any, name: str) -> bool:
    """Whether a request has a boolean parameter with the value true."""
    return str(functions.request_field(parameters, name)).lower() == "true"


def _named(parameters: Any) -> Stack | None:
    """The stack of a request that exists."""
    stack: Stack | None = functions.resolve_stack(functions.request_field(parameters, "StackName"))
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _creation(parameters: Any) -> str | None:
    stack = _named(parameters)
    return f"Stack [{stack['StackName']}] already exists" if stack else None


def _update(parameters: Any) -> str | None:
    stack = _named(parameters)
    if stack is None or stack["StackStatus"] in _UPDATABLE:
        return None
    if stack["StackStatus"] not in PAUSED:
        return _not_updatable(stack)
    return None if is_set(parameters, "DisableRollback") else _paused(stack)


def _change_set(parameters: Any) -> str | None:
    stack = _named(parameters)
    kind = functions.request_field(parameters, "ChangeSetType") or "UPDATE"
    if stack is None:
        return None
    status = stack["StackStatus"]
    if kind == "CREATE":
        if status == "REVIEW_IN_PROGRESS":
            return None
        name = functions.request_field(parameters, "ChangeSetName")
        return f"Stack [{stack['StackName']}] already exists and cannot be created again with the changeSet [{name}]."
    return None if status in (*_UPDATABLE, *PAUSED) else _not_updatable(stack)


def _execution(parameters: Any) -> str | None:
    _, record = functions.find_change_set(
        functions.request_field(parameters, "ChangeSetName"),
        functions.request_field(parameters, "StackName"),
    )
    if not record or record["ExecutionStatus"] != "AVAILABLE":
        return None
    stack = functions.resolve_stack(record["StackId"])
    status = stack["StackStatus"] if stack else ""
    if status in PAUSED:
        keeps = record.get("OnStackFailure") == "DO_NOTHING"
        return None if keeps or is_set(parameters, "DisableRollback") else _paused(stack)
    return (
        None
        if not stack or status in (*_UPDATABLE, "REVIEW_IN_PROGRESS")
        else _not_updatable(stack)
    )


def _deletion(parameters: Any) -> str | None:
    stack = _named(parameters)
    if stack is None or stack["StackStatus"] not in _UNDELETABLE:
        return None
    return f"Stack [{stack['StackId']}] cannot be deleted while in status {stack['StackStatus']}"


def _not_updatable(stack: Stack) -> str:
    return f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated."


def _paused(stack: Stack) -> str:
    return (
        f"This stack is currently in a non-terminal [{stack['StackStatus']}] state. To update the stack from this state,"
        " please use the disable-rollback parameter with update-stack API. To rollback to the last known good state, use"
        " the rollback-stack API"
    )
