"""A failed creation whose rollback fails keeps what it could not delete, and a later deletion tries that again.

ministack forgets the resource: the next deletion would succeed and leave it in the account.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html#troubleshooting-errors-delete-stack-fails
"""

from typing import Any

from embedded_aws.bridge import functions, tables


def install() -> None:
    """Keep the resources that a rollback of a creation could not delete, in DELETE_FAILED."""
    deploy = functions.deploy_stack.current

    async def deploy_keeping(stack_name: str, *arguments: Any, **options: Any) -> None:
        await deploy(stack_name, *arguments, **options)
        stack = tables.STACKS.get(stack_name) or {}
        if stack.get("StackStatus") != "ROLLBACK_FAILED":
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

    functions.deploy_stack.replace(deploy_keeping)
