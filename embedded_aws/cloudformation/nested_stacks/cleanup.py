"""Nested stacks clean up, and roll back, with their root.

CloudFormation deletes what an update of a nested stack replaced or removed after the update of the root. Until then, services
that the update has not reached find the old resources, and a rollback finds everything unchanged. ministack deletes at the end
of each nested stack's update, and rolls back by an opposite update, which creates new resources in place of the deleted ones.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import stacks

from embedded_aws.bridge import functions, tables

Stack = dict[str, Any]
Deletion = Callable[[], None]

_TYPE = "AWS::CloudFormation::Stack"
_CLEANUP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
# Stored with a nested stack from the end of its update to that of its root: what ministack needs to roll it back.
OPERATION = "_operation_of_root"
# The deletions that the present update of a nested stack leaves to its root.
_deletions: ContextVar[list[Deletion] | None] = ContextVar("deletions", default=None)
_logger = logging.getLogger(__name__)


@dataclass
class _Update:
    """A completed update of a nested stack."""

    stack: Stack
    deletions: list[Deletion]


# By the id of the root whose update runs, in the order in which the nested stacks were updated.
_ended: dict[str, list[_Update]] = {}


def install() -> None:
    """Updates of nested stacks leave their deletions to the root."""
    deploy = functions.deploy_stack.current

    async def deploy_with_root(stack_name: str, *arguments: Any, **options: Any) -> None:
        stack = tables.STACKS[stack_name]
        if not options.get("is_update"):
            await deploy(stack_name, *arguments, **options)
        elif "RootId" in stack:
            await _update_nested(stack, deploy(stack_name, *arguments, **options), options)
        else:
            await deploy(stack_name, *arguments, **options)
            await _end_update(stack)

    functions.deploy_stack.replace(deploy_with_root)
    functions.delete_resource.replace(_leaving_to_root(functions.delete_resource.current))
    functions.delete_predecessor.replace(
        _leaving_predecessor_to_root(functions.delete_predecessor.current)
    )


async def _update_nested(stack: Stack, deployment: Any, options: dict[str, Any]) -> None:
    deletions: list[Deletion] = []
    token = _deletions.set(deletions)
    try:
        await deployment
    finally:
        _deletions.reset(token)
    if stack["StackStatus"] == "UPDATE_COMPLETE":
        operation, before = _operation(stack, options), stack.get(OPERATION)
        if before:
            # The root's update before this one failed and was not rolled back: both are undone together.
            operation["previous_stack"] = before["previous_stack"]
            operation["created"] = list(dict.fromkeys([*before["created"], *operation["created"]]))
        stack[OPERATION] = operation
        _ended.setdefault(stack["RootId"], []).append(_Update(stack, deletions))


def _operation(stack: Stack, options: dict[str, Any]) -> dict[str, Any]:
    """Return what ministack needs to roll back an update that succeeded."""
    previous = options["previous_stack"]
    operation: dict[str, Any] = functions.failed_operation(
        True,
        previous,
        list(stack["_resources"]),
        None,
        None,
        [],
        False,
        stack["_template"],
        stack["_resolved_params"],
        False,
        stack.get("Tags") or [],
        previous.get("Tags") or [],
    )
    return operation


def _leaving_to_root(delete: Callable[..., None]) -> Callable[..., None]:
    def delete_or_leave(kind: str, physical_id: str, properties: Any, *rest: Any) -> None:
        deletions = _deletions.get()
        name = rest[0] if rest else ""
        # A nested stack that fails rolls itself back, immediately.
        if deletions is None or is_rolling_back(tables.STACKS.get(name, {})):
            delete(kind, physical_id, properties, *rest)
        else:
            deletions.append(lambda: delete(kind, physical_id, properties, *rest))

    return delete_or_leave


def _leaving_predecessor_to_root(delete: Callable[..., None]) -> Callable[..., None]:
    """The same for types whose handler deletes the resource that it replaced."""

    def delete_or_leave(delete_one: Callable[..., None], *arguments: Any, **named: Any) -> None:
        deletions = _deletions.get()
        if deletions is None:
            delete(delete_one, *arguments, **named)
            return

        def leave(*arguments: Any, **named: Any) -> None:
            deletions.append(lambda: delete_one(*arguments, **named))

        delete(leave, *arguments, **named)

    return delete_or_leave


async def _end_update(root: Stack) -> None:
    """Clean up after an update that succeeded, and forget one that was rolled back."""
    if root["StackStatus"] == "UPDATE_FAILED":
        # With DisableRollback, an update continues or RollbackStack returns to the stable state.
        return
    ended = forget(root)
    if root["StackStatus"] != "UPDATE_COMPLETE" or not any(each.deletions for each in ended):
        return
    # ministack has just reported the update as complete; no client has read it yet.
    tables.STACK_EVENTS[root["StackId"]].pop()
    _say(root, _CLEANUP)
    for update in reversed(ended):
        for deletion in update.deletions:
            await _delete(update.stack, deletion)
    _say(root, "UPDATE_COMPLETE")


def forget(root: Stack) -> list[_Update]:
    """Forget the updates of nested stacks when the update of their root is complete or rolled back."""
    ended = _ended.pop(root["StackId"], [])
    for update in ended:
        update.stack.pop(OPERATION, None)
    return ended


async def _delete(stack: Stack, deletion: Deletion) -> None:
    """Delete one resource; a cleanup that fails does not fail the update."""
    try:
        with functions.stack_region(stack, stack["StackId"]):
            # On a thread: a function that receives the deletion calls this server.
            await stacks.run_reentrant(deletion)
    except Exception:
        _logger.exception("The cleanup of %s failed", stack["StackName"])


def _say(stack: Stack, status: str) -> None:
    stack["StackStatus"] = status
    name, stack_id = stack["StackName"], stack["StackId"]
    functions.add_event(stack_id, name, name, _TYPE, status, physical_id=stack_id)


def is_rolling_back(stack: Stack) -> bool:
    """Whether a stack returns, or has returned, to its state before an update."""
    return str(stack.get("StackStatus", "")).startswith("UPDATE_ROLLBACK")
