"""A failed creation whose rollback fails keeps what it could not delete, and a later deletion tries that again.

ministack forgets the resource: the next deletion would succeed and leave it in the account.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-delete-stack-fails
"""

from typing import Any

from embedded_aws.bridge import functions


def install() -> None:
    """Keep the resources that a rollback of a creation could not delete, in DELETE_FAILED."""
    roll_back = functions.roll_back_operation.current

    async def roll_back_keeping(
        stack_name: str, stack_id: str, stack: dict[str, Any], *rest: Any, **named: Any
    ) -> None:
        await roll_back(stack_name, stack_id, stack, *rest, **named)
        if stack["StackStatus"] != "ROLLBACK_FAILED":
            return
        for logical_id, record in stack.get("_rollback_failed", {}).items():
            kept = {
                "LogicalResourceId": logical_id,
                "ResourceStatus": "DELETE_FAILED",
                "ResourceStatusReason": stack.get("StackStatusReason", ""),
                "Attributes": {},
                "Timestamp": stack["LastUpdatedTime"],
            }
            stack["_resources"].setdefault(logical_id, {**kept, **record})

    functions.roll_back_operation.replace(roll_back_keeping)
