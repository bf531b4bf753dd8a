"""Read a stack: its description, its outputs and the values of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.aws import Aws, code_of


def read_stack(aws: Aws, stack: str) -> Mapping[str, Any] | None:
    """Return a stack by name or ARN; None if it does not exist.

    By ARN, CloudFormation also describes a deleted stack. Raises the error of botocore if the call fails.
    """
    from botocore.exceptions import ClientError

    try:
        stacks = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    found: Mapping[str, Any] = stacks[0]
    return found


def resource_summaries(cloudformation: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of a stack as ListStackResources has them, deleted ones too. Raises the errors of botocore."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        yield from page["StackResourceSummaries"]


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return a stack's outputs by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def values_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a stack's parameters by name."""
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
