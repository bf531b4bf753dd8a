"""Deploy the bootstrap stacks of a publication: the stacks of the launch roles and of the release bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.catalog.desired.bootstrap_stacks import BootstrapStack
from pipeline.catalog.desired.catalog import MANAGED_BY, PUBLISHER
from pipeline.catalog.observed.storage import TEMPLATE_TAG, stack_from_description
from pipeline.errors import PipelineError
from pipeline.release.assemble import MAX_REQUEST_BYTES
from pipeline.stacks.change_set_creation import StackRequest
from pipeline.stacks.deploy import deploy, describe_stack, wait_until_updatable
from pipeline.stacks.events import Operation

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
# What CloudFormation answers when another deployment of the stack comes first.
_TAKEN = {
    "AlreadyExistsException",
    "ChangeSetNotFound",
    "InvalidChangeSetStatus",
    "ValidationError",
}


def ensure_stack(aws: Aws, bootstrap_stack: BootstrapStack, tell: Callable[[str], None]) -> None:
    """Deploy the stack as environments are deployed, unless it is up to date, and protect it from deletion.

    Raises PipelineError for a stack that fails.
    """
    from botocore.exceptions import ClientError

    name = bootstrap_stack.stack
    stack = wait_until_updatable(aws, name, _no_progress, tell)
    if stack is None or not is_made(stack, bootstrap_stack):
        try:
            deploy_stack(aws, bootstrap_stack, tell)
        except PipelineError as error:
            if (
                not isinstance(error.__cause__, ClientError)
                or code_of(error.__cause__) not in _TAKEN
            ):
                raise
            # Another publication may have deployed the stack in the meantime.
            stack = wait_until_updatable(aws, name, _no_progress, tell)
            if stack is None or not is_made(stack, bootstrap_stack):
                raise
    protect(aws, name)


def deploy_stack(aws: Aws, bootstrap_stack: BootstrapStack, tell: Callable[[str], None]) -> None:
    """Create or update the stack. Raises PipelineError with the reasons of CloudFormation."""
    deployed = deploy(aws, stack_request(bootstrap_stack), _no_progress, tell)
    if not deployed.succeeded:
        causes = [f"{failure.logical_id}: {failure.reason}" for failure in deployed.failures]
        raise PipelineError(
            f"Stack {deployed.stack} ended in {deployed.status}: {'; '.join(causes) or 'no reason given'}. "
            "Correct the cause and publish again."
        )


def _no_progress(_operation: Operation) -> None:
    """Show nothing: a publication shows its steps."""


def protect(aws: Aws, stack: str) -> None:
    """Turn on termination protection, unless it is on.

    Only for a complete stack: the only way on from a failed creation is to delete the stack.
    """
    found = describe_stack(aws, stack)
    if found and found.get("EnableTerminationProtection"):
        return
    with aws_errors(f"protect stack {stack}"):
        aws.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=True
        )


def is_made(stack: Mapping[str, Any], bootstrap_stack: BootstrapStack) -> bool:
    """Whether a stack was created from this template with these parameters."""
    seen = stack_from_description(stack)
    ended = seen.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return (
        ended
        and seen.digest == bootstrap_stack.digest
        and not bootstrap_stack.differing(seen.parameters)
    )


def stack_request(bootstrap_stack: BootstrapStack) -> StackRequest:
    """The stack as CloudFormation takes it. Raises PipelineError for a template too large for a request."""
    size, name = len(bootstrap_stack.body), bootstrap_stack.stack
    if size > MAX_REQUEST_BYTES:
        raise PipelineError(
            f"The template of stack {name} has {size:,} bytes, but CloudFormation accepts {MAX_REQUEST_BYTES:,} in a request; shorten it."
        )
    return StackRequest(
        name,
        {"TemplateBody": bootstrap_stack.body.decode()},
        bootstrap_stack.parameters,
        CAPABILITIES,
        {MANAGED_BY: PUBLISHER, TEMPLATE_TAG: bootstrap_stack.digest},
    )
