"""A deletion that begins during a creation stops the creation, then deletes what it created.

ministack runs both at once: the creation continues and creates resources that no stack has.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (CREATE_IN_PROGRESS may be followed by
DELETE_IN_PROGRESS); CloudFormation reports "Resource creation cancelled" for the resources that it stops.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.cloudformation.properties import hook

Stack = dict[str, Any]
Work = Coroutine[Any, Any, None]

# Stored with a stack whose creation a deletion has stopped.
_STOPPED = "_creation_stopped"
_DELETING = "DELETE_IN_PROGRESS"
# The statuses in which a stack is still in its creation.
STATUSES = ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")


def install() -> None:
    """Stop a creation before its next resource, and leave its rollback to the deletion."""
    hook.add(_refuse_next_resource)
    deploy = functions.deploy_stack.current
    roll_back = functions.roll_back_operation.current

    async def deploy_unless_stopped(stack_name: str, *arguments: Any, **options: Any) -> None:
        await deploy(stack_name, *arguments, **options)
        stack = tables.STACKS[stack_name]
        if stack.get(_STOPPED):
            stack["StackStatus"] = _DELETING

    async def roll_back_unless_stopped(
        stack_name: str, stack_id: str, stack: Stack, *rest: Any, **named: Any
    ) -> None:
        if not stack.get(_STOPPED):
            await roll_back(stack_name, stack_id, stack, *rest, **named)

    functions.deploy_stack.replace(deploy_unless_stopped)
    functions.roll_back_operation.replace(roll_back_unless_stopped)


async def after_creation(creation: asyncio.Task[None], stack: Stack, deletion: Work) -> None:
    """Stop the creation of a stack, wait until its resource in progress has ended, and run the deletion."""
    stack.update({_STOPPED: True, "StackStatus": _DELETING})
    await asyncio.wait({creation})
    await deletion


def _refuse_next_resource(operation: hook.Operation) -> None:
    stack = tables.STACKS.get(operation.stack_name)
    while stack is not None:
        if stack.get(_STOPPED):
            raise ValueError("Resource creation cancelled")
        stack = tables.STACKS.get(stack.get("_parent_stack_name", ""))
