"""What a publication stands on in an account and region: the stacks of launch roles, the release bucket, and its content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.catalog.desired.bootstrap_stacks import BootstrapStack
from pipeline.catalog.desired.catalog import MANAGED_BY, PUBLISHER
from pipeline.catalog.observed.storage import TEMPLATE_TAG, observed_in
from pipeline.errors import PipelineError
from pipeline.release.assemble import MAX_REQUEST_BYTES
from pipeline.stacks.deploy import describe, newest_event, wait_until_updatable
from pipeline.stacks.events import Operation

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


def ensure_stack(aws: Aws, bootstrap_stack: BootstrapStack, tell: Callable[[str], None]) -> None:
    """Create or update the stack, wait for it and protect it; what an interruption left is brought to an end first.

    Raises PipelineError for a stack that fails.
    """
    from botocore.exceptions import ClientError

    name = bootstrap_stack.stack
    before = wait_until_updatable(aws, name, lambda _operation: None, tell)
    if before and before["StackStatus"].endswith("_COMPLETE") and is_made(before, bootstrap_stack):
        protect(aws, name)
        return
    cloudformation = aws.client("cloudformation")
    # A clock that runs ahead of CloudFormation's would hide the first events.
    since = newest_event(aws, name) if before else datetime.now(UTC) - timedelta(minutes=5)
    with aws_errors(f"make stack {name}"):
        try:
            if before is None:
                cloudformation.create_stack(**stack_request(bootstrap_stack))
            else:
                cloudformation.update_stack(**stack_request(bootstrap_stack))
        except ClientError as error:
            if code_of(error) == "AlreadyExistsException":
                # Somebody publishes at the same time.
                ensure_stack(aws, bootstrap_stack, tell)
                return
            if "No updates are to be performed" not in str(error):
                raise
        stack = describe(aws, name)
    if stack is None:
        raise PipelineError(f"Stack {name} was deleted while it was made; publish again.")
    operation = Operation(aws, stack["StackId"], since)
    status = operation.follow(lambda _operation: None)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        causes = [f"{failure.logical_id}: {failure.reason}" for failure in operation.failures()]
        raise PipelineError(
            f"Stack {name} ended in {status}: {'; '.join(causes) or 'no reason given'}. Mend the cause and publish again."
        )
    protect(aws, name)


def protect(aws: Aws, stack: str) -> None:
    """Have CloudFormation refuse to delete a stack, unless it does already.

    Not before it is complete: a stack whose creation failed can only be deleted.
    """
    found = describe(aws, stack)
    if found and found.get("EnableTerminationProtection"):
        return
    with aws_errors(f"protect stack {stack}"):
        aws.client("cloudformation").update_termination_protection(
            StackName=stack, EnableTerminationProtection=True
        )


def is_made(stack: Mapping[str, Any], bootstrap_stack: BootstrapStack) -> bool:
    """Whether a stack is made from this template with these parameters."""
    seen = observed_in(stack)
    ended = seen.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return (
        ended
        and seen.digest == bootstrap_stack.digest
        and not bootstrap_stack.differing(seen.parameters)
    )


def stack_request(bootstrap_stack: BootstrapStack) -> dict[str, Any]:
    """The stack as CloudFormation takes it in a request."""
    if len(bootstrap_stack.body) > MAX_REQUEST_BYTES:
        raise PipelineError(
            f"The template of stack {bootstrap_stack.stack} has {len(bootstrap_stack.body):,} bytes, but a request takes {MAX_REQUEST_BYTES:,}."
        )
    return {
        "StackName": bootstrap_stack.stack,
        "TemplateBody": bootstrap_stack.body.decode(),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in bootstrap_stack.parameters.items()
        ],
        "Capabilities": CAPABILITIES,
        "Tags": [
            {"Key": MANAGED_BY, "Value": PUBLISHER},
            {"Key": TEMPLATE_TAG, "Value": bootstrap_stack.digest},
        ],
    }
