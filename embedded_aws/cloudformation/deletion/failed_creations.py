"""A failed creation whose rollback fails keeps what it could not delete, and a later deletion tries that again.

ministack forgets the resource: the next deletion would succeed and leave it in the account.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-delete-stack-fails
"""

from typing import Any

from embedded_aws.bridge import functions, tables

Stack = dict[str, Any]

# With a stack whose creation fails: nested stacks that failed and could not be deleted, by logical ID.
_UNDELETED = "_undeleted_nested_stacks"


def install() -> None:
    """Keep the resources that a rollback of a creation could not delete, in DELETE_FAILED."""
    roll_back = functions.roll_back_operation.current

    async def roll_back_keeping(
        stack_name: str, stack_id: str, stack: Stack, *rest: Any, **named: Any
    ) -> None:
        await roll_back(stack_name, stack_id, stack, *rest, **named)
        nested = stack.pop(_UNDELETED, {})
        if stack["StackStatus"] not in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
            return
        if nested and stack["StackStatus"] == "ROLLBACK_COMPLETE":
            _fail(stack, list(nested))
        failed = stack.get("_rollback_failed") or {}
        # A deletion without a template goes from the last to the first, and the rollback did the same.
        for logical_id, record in [*reversed(failed.items()), *nested.items()]:
            stack["_resources"].setdefault(logical_id, _kept(stack, logical_id, record))

    functions.roll_back_operation.replace(roll_back_keeping)


def keep(parent: Stack, logical_id: str, resource: dict[str, Any]) -> None:
    """Keep a nested stack whose creation failed and that could not be deleted, until its parent has been rolled back."""
    parent.setdefault(_UNDELETED, {})[logical_id] = resource


def _kept(stack: Stack, logical_id: str, record: dict[str, Any]) -> dict[str, Any]:
    """A resource of the stack that could not be deleted."""
    return {
        "LogicalResourceId": logical_id,
        "ResourceStatusReason": stack.get("StackStatusReason", ""),
        "Attributes": {},
        "Timestamp": stack["LastUpdatedTime"],
        **record,
        "ResourceStatus": "DELETE_FAILED",
    }


def _fail(stack: Stack, logical_ids: list[str]) -> None:
    """Report ROLLBACK_FAILED in place of the ROLLBACK_COMPLETE that ministack has just reported and no client has read."""
    name, stack_id = stack["StackName"], stack["StackId"]
    tables.STACK_EVENTS[stack_id].pop()
    reason = f"The following resource(s) failed to delete: [{', '.join(sorted(logical_ids))}]."
    stack.update(StackStatus="ROLLBACK_FAILED", StackStatusReason=reason)
    kind = "AWS::CloudFormation::Stack"
    functions.add_event(stack_id, name, name, kind, "ROLLBACK_FAILED", reason, stack_id)
