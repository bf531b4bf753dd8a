"""The cleanup of a rollback: new resources of all nested stacks are deleted after the rollback of the root.

A nested stack that has rolled back stays in UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS until then: another nested stack,
which rolls back later, can still use its new resources. While the rollback of the root has failed, the cleanup waits.
https://repost.aws/knowledge-center/cloudformation-stack-cleanup-stuck
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import stacks

from embedded_aws.bridge import functions, operations, tables
from embedded_aws.cloudformation.nested_stacks import cleanup

Stack = dict[str, Any]
# The arguments of ministack's deletion: type, physical ID, properties, stack name, logical ID.
Deletion = tuple[Any, ...]

_TYPE = "AWS::CloudFormation::Stack"
_CLEANUP = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
_COMPLETE = "UPDATE_ROLLBACK_COMPLETE"
# Seconds for a rollback of a nested stack; nothing here takes minutes.
_PATIENCE = 900
_logger = logging.getLogger(__name__)


@dataclass
class _RolledBack:
    """A nested stack after its rollback, and the new resources that it still has."""

    stack: Stack
    deletions: list[Deletion]


# The deletions that the present rollback of a nested stack leaves to its root.
_deletions: ContextVar[list[Deletion] | None] = ContextVar("deletions", default=None)
# By the ID of the root, in the order in which the nested stacks rolled back.
_waiting: dict[str, list[_RolledBack]] = {}


def install() -> None:
    """Clean up after a root has rolled back."""
    functions.delete_resource.replace(_leaving_to_root(functions.delete_resource.current))
    functions.add_event.replace(_without_postponed_deletions(functions.add_event.current))
    roll_back = functions.roll_back_operation.current
    resume, delete = functions.continue_update_rollback.current, functions.delete_stack.current

    async def roll_back_and_clean_up(
        stack_name: str, stack_id: str, stack: Stack, *rest: Any, **named: Any
    ) -> None:
        await roll_back(stack_name, stack_id, stack, *rest, **named)
        if stack["StackStatus"] == _COMPLETE and "RootId" not in stack:
            # What the update left to delete is in use again.
            cleanup.forget(stack)
            await _end_rollback(stack)

    async def resume_and_clean_up(stack_name: str, stack_id: str, *rest: Any) -> None:
        await resume(stack_name, stack_id, *rest)
        stack = tables.STACKS[stack_name]
        if stack["StackStatus"] == _COMPLETE:
            await _end_rollback(stack)

    async def clean_up_and_delete(stack_name: str, stack_id: str, *rest: Any, **named: Any) -> None:
        """A root whose rollback failed can be deleted, with all resources."""
        if stack_id in _waiting:
            tables.STACKS[stack_name]["StackStatus"] = "DELETE_IN_PROGRESS"
            await _clean_up(stack_id)
        await delete(stack_name, stack_id, *rest, **named)

    functions.roll_back_operation.replace(roll_back_and_clean_up)
    functions.continue_update_rollback.replace(resume_and_clean_up)
    functions.delete_stack.replace(clean_up_and_delete)


def roll_back(parent: Stack, child: Stack) -> bool:
    """Roll back a child that the failed operation of its parent had updated; return whether there was one.

    Call it from a worker thread. Raises ValueError if a resource of the child does not roll back.
    """
    if cleanup.OPERATION not in child or not cleanup.is_rolling_back(parent):
        return False
    operation = child.pop(cleanup.OPERATION)

    async def act() -> None:
        with functions.stack_region(child, child["StackId"]):
            await _roll_back(child, operation)

    asyncio.run_coroutine_threadsafe(act(), operations.main_loop()).result(_PATIENCE)
    if child["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        raise ValueError(
            f"Embedded stack {child['StackId']} was not successfully updated: {child['StackStatusReason']}"
        )
    return True


async def _roll_back(child: Stack, operation: dict[str, Any]) -> None:
    """Roll back a nested stack, up to its cleanup."""
    deletions: list[Deletion] = []
    token = _deletions.set(deletions)
    try:
        await functions.roll_back_operation(child["StackName"], child["StackId"], child, operation)
    finally:
        _deletions.reset(token)
    if child["StackStatus"] == _COMPLETE:
        # ministack has just reported the rollback as complete; no client has read it yet.
        tables.STACK_EVENTS[child["StackId"]].pop()
        child["StackStatus"] = _CLEANUP
    _waiting.setdefault(child["RootId"], []).append(_RolledBack(child, deletions))


def _leaving_to_root(delete: Callable[..., None]) -> Callable[..., None]:
    def delete_or_leave(*arguments: Any) -> None:
        deletions = _deletions.get()
        if deletions is None:
            delete(*arguments)
        else:
            deletions.append(arguments)

    return delete_or_leave


def _without_postponed_deletions(add_event: Callable[..., None]) -> Callable[..., None]:
    """Report a deletion when it happens."""

    def add(
        stack_id: str,
        stack_name: str,
        logical_id: str,
        kind: str,
        status: str,
        *rest: Any,
        **more: Any,
    ) -> None:
        if _deletions.get() is None or status not in {"DELETE_IN_PROGRESS", "DELETE_COMPLETE"}:
            add_event(stack_id, stack_name, logical_id, kind, status, *rest, **more)

    return add


async def _end_rollback(root: Stack) -> None:
    """Clean up the nested stacks of a root whose rollback is complete."""
    if root["StackId"] not in _waiting:
        return
    events = tables.STACK_EVENTS[root["StackId"]]
    # ministack has just reported the rollback as complete; no client has read it yet.
    events.pop()
    root["StackStatus"] = _CLEANUP
    await _clean_up(root["StackId"])
    _say(root, _COMPLETE)


async def _clean_up(root_id: str) -> None:
    """Delete the new resources of nested stacks, those of the last nested stack first."""
    for nested in reversed(_waiting.pop(root_id, [])):
        with functions.stack_region(nested.stack, nested.stack["StackId"]):
            if nested.stack["StackStatus"] != _CLEANUP:
                # The rollback of this nested stack failed, and has been continued.
                _say(nested.stack, _CLEANUP)
            for deletion in nested.deletions:
                await _delete(deletion)
            _say(nested.stack, _COMPLETE)


async def _delete(deletion: Deletion) -> None:
    """Delete one resource; a cleanup that fails does not fail the rollback."""
    kind, physical_id, _, stack_name, logical_id = deletion
    stack_id = tables.STACKS[stack_name]["StackId"]

    def say(status: str, reason: str = "") -> None:
        functions.add_event(stack_id, stack_name, logical_id, kind, status, reason, physical_id)

    say("DELETE_IN_PROGRESS")
    try:
        # On a thread: a function that receives the deletion calls this server.
        await stacks.run_reentrant(functions.delete_resource.current, *deletion)
    except Exception as problem:
        _logger.exception("The cleanup of %s failed", stack_name)
        say("DELETE_FAILED", str(problem))
    else:
        say("DELETE_COMPLETE")


def _say(stack: Stack, status: str) -> None:
    stack["StackStatus"] = status
    name, stack_id = stack["StackName"], stack["StackId"]
    functions.add_event(stack_id, name, name, _TYPE, status, physical_id=stack_id)
