"""The status of a stack, from which the function of a custom resource learns why CloudFormation calls it.

A Delete request looks the same when a stack is deleted, when its creation is rolled back and when an update is rolled back.

Permission: ``cloudformation:DescribeStacks`` on the stack, and for ``is_rolled_back`` on its root.
"""

from collections.abc import Mapping
from typing import Any

import boto3
import botocore.config

from .custom_resource import ProvisioningError

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
)
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
CREATION = frozenset({"CREATE_IN_PROGRESS"})
ENVIRONMENT_ENDS = frozenset({"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
"""Statuses in which a Delete request means that the stack is deleted, or that its creation is rolled back."""


def describe_stack(stack_id: str) -> Mapping[str, Any]:
    """A stack by its ARN, as DescribeStacks has it. Raises ProvisioningError without an ARN, and botocore's ClientError."""
    if not stack_id.startswith("arn:"):
        raise ProvisioningError("The event has no StackId, so the state of the stack is not known.")
    found = boto3.client("cloudformation", config=CLIENT).describe_stacks(StackName=stack_id)
    stack: Mapping[str, Any] = found["Stacks"][0]
    return stack


def stack_status(stack_id: str) -> str:
    """StackStatus of a stack, by its ARN. Raises ProvisioningError without an ARN, and botocore's ClientError."""
    status: str = describe_stack(stack_id)["StackStatus"]
    return status


def is_update_rollback(status: str) -> bool:
    """Whether a failed or cancelled update of the stack is being rolled back."""
    return status.startswith("UPDATE_ROLLBACK")


def is_rolled_back(stack_id: str) -> bool:
    """Whether an update of the stack or of its root is being rolled back. Raises botocore's errors if it cannot be read.

    A rollback of the root sends its Update to a nested stack whose status can still be that of an update.
    """
    stack = describe_stack(stack_id)
    stacks = [stack, describe_stack(stack["RootId"])] if stack.get("RootId") else [stack]
    return any(is_update_rollback(each["StackStatus"]) for each in stacks)
