"""The stack of an environment, whether it was launched from its product or without Service Catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.environments.provisioning.environments import Environment, find_environment
from pipeline.environments.provisioning.records import DENIED, stack_name
from pipeline.errors import PipelineError, listed
from pipeline.stacks.reading import read_stack

_STACK, _PRODUCT = "cloudformation:DescribeStacks", "servicecatalog:DescribeProvisionedProduct"


def find_stack(aws: Aws, name: str) -> Mapping[str, Any]:
    """The stack of a provisioned product, or of a launch without Service Catalog, with that name.

    Raises PipelineError if neither exists, and if these credentials cannot read them: it then names the missing permissions.
    """
    lacking: list[str] = []
    environment: Environment | None = None
    with aws_errors(f"read the stack of {name}"):
        stack = _stack(aws, name, lacking)
        if stack is None:
            environment = _environment(aws, name, lacking)
            if environment:
                stack = _stack(aws, stack_name(aws, environment.id), lacking)
    if stack is not None:
        return stack
    raise PipelineError(_reason(aws.region, name, lacking, is_product=environment is not None))


def _stack(aws: Aws, name: str, lacking: list[str]) -> Mapping[str, Any] | None:
    from botocore.exceptions import ClientError

    try:
        return read_stack(aws, name)
    except ClientError as error:
        if code_of(error) not in DENIED:
            raise
        lacking.append(_STACK)
        return None


def _environment(aws: Aws, name: str, lacking: list[str]) -> Environment | None:
    try:
        return find_environment(aws, name)
    except PipelineError as error:
        if not isinstance(error.__cause__, Exception) or code_of(error.__cause__) not in DENIED:
            raise
        lacking.append(_PRODUCT)
        return None


def _reason(region: str, name: str, lacking: list[str], *, is_product: bool) -> str:
    """Why no stack was found, and what to do."""
    if not lacking:
        return f"{name} has no stack in {region}, as a provisioned product or by its own name; launch it, or give another name with --name."
    if is_product or _PRODUCT in lacking:
        missing = listed(sorted(set(lacking)))
        return f"Could not read the stack of {name} in {region}: these credentials lack {missing}; use a role that has the permission, or give another name with --name."
    # A launcher role reads the stacks of products only.
    return f"These credentials see no provisioned product {name} in {region}, and lack {_STACK} for a stack of that name; launch it, give another name with --name, or use a role that has the permission."
