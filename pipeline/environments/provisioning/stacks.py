"""The stack of an environment, whether it was launched from its product or without Service Catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.environments.provisioning.environments import find_environment
from pipeline.environments.provisioning.records import DENIED, stack_name
from pipeline.errors import PipelineError
from pipeline.stacks.reading import read_stack


def find_stack(aws: Aws, name: str) -> Mapping[str, Any]:
    """The stack of a provisioned product, or of a launch without Service Catalog, with that name.

    Raises PipelineError if neither exists, or these credentials can read neither.
    """
    from botocore.exceptions import ClientError

    denied = False
    with aws_errors(f"read the stack of {name}"):
        for candidate in _stack_names(aws, name):
            try:
                stack = read_stack(aws, candidate)
            except ClientError as error:
                if code_of(error) not in DENIED:
                    raise
                denied = True
                continue
            if stack is not None:
                return stack
    missing = "; these credentials may lack cloudformation:DescribeStacks" if denied else ""
    raise PipelineError(
        f"{name} has no stack in {aws.region}, as a provisioned product or by its own name; launch it, or give another name with --name{missing}."
    )


def _stack_names(aws: Aws, name: str) -> Iterator[str]:
    """The stack's own name, and then that of the provisioned product's stack. Raises botocore's ClientError."""
    yield name
    try:
        environment = find_environment(aws, name)
    except PipelineError:
        # Without permissions on Service Catalog; the name is then that of a stack.
        return
    if environment:
        yield stack_name(aws, environment.id)
