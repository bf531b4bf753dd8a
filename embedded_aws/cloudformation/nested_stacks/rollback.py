"""RollbackStack and ContinueUpdateRollback of a root include its nested stacks; ministack ignores these.

A request for the root skips a resource of a nested stack as NestedStackName.ResourceLogicalID.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
"""

from collections.abc import Callable, Iterator
from typing import Any

from embedded_aws.bridge import functions, tables

Stack = dict[str, Any]

_TYPE = "AWS::CloudFormation::Stack"
_OPERATION = "_failed_operation"
_FAILED_ROLLBACK = "UPDATE_ROLLBACK_FAILED"
# Stored with a root while its rollback continues: what nested stacks skip, as (stack name, logical ID).
_SKIPPED = "_skipped_in_nested_stacks"


def install() -> None:
    """Include nested stacks."""
    tables.ACTIONS["ContinueUpdateRollback"] = _continuing(tables.ACTIONS["ContinueUpdateRollback"])
    functions.roll_back_operation.replace(_with_children(functions.roll_back_operation.current))


def _with_children(roll_back: Callable[..., Any]) -> Callable[..., Any]:
    """Roll back nested stacks whose own update failed first, then the stack."""

    async def roll_back_all(
        stack_name: str, stack_id: str, stack: Stack, operation: Any, *rest: Any, **named: Any
    ) -> None:
        stack.pop(_SKIPPED, None)
        for child in _children(stack):
            if child["StackStatus"] == "UPDATE_FAILED" and _OPERATION in child:
                child["StackStatus"] = "UPDATE_ROLLBACK_IN_PROGRESS"
                with functions.stack_region(child, child["StackId"]):
                    await roll_back_all(
                        child["StackName"], child["StackId"], child, child[_OPERATION]
                    )
        await roll_back(stack_name, stack_id, stack, operation, *rest, **named)
        _fail_with_children(stack)

    return roll_back_all


def _children(stack: Stack) -> Iterator[Stack]:
    for resource in list(stack["_resources"].values()):
        child = resource["ResourceType"] == _TYPE and functions.resolve_stack(
            resource["PhysicalResourceId"]
        )
        if child:
            yield child


def _fail_with_children(stack: Stack) -> None:
    """Fail a rollback if that of a nested stack failed, even if no property of the nested stack changed."""
    if not stack["StackStatus"].startswith("UPDATE_ROLLBACK"):
        return
    pending = stack.get("_rollback_failed") or {}
    for name, resource in stack["_resources"].items():
        child = resource["ResourceType"] == _TYPE and functions.resolve_stack(
            resource["PhysicalResourceId"]
        )
        if child and child["StackStatus"] == _FAILED_ROLLBACK and name not in pending:
            pending[name] = {
                "PhysicalResourceId": child["StackId"],
                "ResourceType": _TYPE,
                "RevertFrom": resource["Properties"],
                "RevertTo": resource["Properties"],
                "Attributes": resource["Attributes"],
            }
    if pending and stack["StackStatus"] != _FAILED_ROLLBACK:
        reason = f"The following resource(s) failed to update: [{', '.join(sorted(pending))}]."
        stack.update(
            StackStatus=_FAILED_ROLLBACK, StackStatusReason=reason, _rollback_failed=pending
        )
        functions.add_event(
            stack["StackId"],
            stack["StackName"],
            stack["StackName"],
            _TYPE,
            _FAILED_ROLLBACK,
            reason,
            stack["StackId"],
        )


def _continuing(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def continue_with_children(parameters: Any) -> Any:
        stack = functions.resolve_stack(functions.request_field(parameters, "StackName"))
        if stack is None or stack["StackStatus"] != _FAILED_ROLLBACK:
            return act(parameters)
        asked = [
            functions.request_field(parameters, name)
            for name in parameters
            if name.startswith("ResourcesToSkip.member.")
        ]
        nested = [tuple(entry.split(".", 1)) for entry in asked if "." in entry]
        for name, logical_id in nested:
            child = functions.resolve_stack(name)
            if child is None or logical_id not in (child.get("_rollback_failed") or {}):
                message = (
                    f"Resource(s) [{name}.{logical_id}] cannot be skipped: only resources whose rollback failed can be"
                    " skipped"
                )
                return functions.stack_error("ValidationError", message)
        stack[_SKIPPED] = nested
        own = [entry for entry in asked if "." not in entry]
        kept = {
            name: value
            for name, value in parameters.items()
            if not name.startswith("ResourcesToSkip.member.")
        }
        members = {
            f"ResourcesToSkip.member.{number}": [entry] for number, entry in enumerate(own, 1)
        }
        return act({**kept, **members})

    return continue_with_children


def skipped(parent: Stack, child: Stack) -> dict[str, str] | None:
    """The request that continues the rollback of a child with that of its parent; None if the child needs none."""
    root = functions.resolve_stack(parent.get("RootId") or parent["StackId"]) or parent
    if child["StackStatus"] != _FAILED_ROLLBACK or _SKIPPED not in root:
        return None
    own = [logical_id for name, logical_id in root[_SKIPPED] if name == child["StackName"]]
    return {f"ResourcesToSkip.member.{number}": name for number, name in enumerate(own, 1)}
