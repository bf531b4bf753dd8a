"""Deploy stacks with CloudFormation: create or update through a change set, follow to the end, delete."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release, template_path
from pipeline.release.upload import object_url
from pipeline.stacks.change_sets import change_sets
from pipeline.stacks.early_validation import refusals
from pipeline.stacks.events import Failure, Operation
from pipeline.stacks.reading import outputs_of, read_stack
from templates_src.core.shared import RELEASE_BUCKET

Report = Callable[[Operation], None]
Note = Callable[[str], None]
# Receives the change set of an update before it is executed; returns whether to execute it.
Review = Callable[[Mapping[str, Any]], bool]
# Roles have no explicit names, so that CAPABILITY_IAM is enough.
CAPABILITIES = ["CAPABILITY_IAM"]
# In the reason of a change set that fails CloudFormation's validation.
VALIDATION = "AWS::EarlyValidation"
_NOTHING = ("didn't contain changes", "No updates are to be performed", "no changes")
# If this clock is ahead of CloudFormation's, the first events would be missed.
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Launched:
    """The result of a launch. ``changed`` is False if nothing was to change; ``failures`` is empty on success."""

    stack: str
    changed: bool
    status: str
    outputs: Mapping[str, str]
    failures: tuple[Failure, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the launch has succeeded."""
        ended = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}
        return self.status in ended or not self.changed


def stack_name(values: Mapping[str, str]) -> str:
    """The stack of an environment."""
    return f"{values['Project']}-{values['Environment']}"


@dataclass(frozen=True)
class StackRequest:
    """A stack for a CloudFormation request. ``template`` is one of the arguments TemplateURL and TemplateBody."""

    name: str
    template: Mapping[str, str]
    parameters: Mapping[str, str]
    capabilities: Sequence[str]
    tags: Mapping[str, str]

    def arguments(self) -> dict[str, Any]:
        """The arguments of CreateChangeSet."""
        return {
            "StackName": self.name,
            **self.template,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in self.parameters.items()
            ],
            "Capabilities": list(self.capabilities),
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }


def environment_request(region: str, release: Release, values: Mapping[str, str]) -> StackRequest:
    """The root stack of an environment; its release is in the bucket."""
    return StackRequest(
        stack_name(values),
        {"TemplateURL": root_url(region, release, values[RELEASE_BUCKET.name])},
        values,
        CAPABILITIES,
        {key: values[key] for key in ("Project", "Environment")},
    )


def launch(
    aws: Aws,
    release: Release,
    values: Mapping[str, str],
    report: Report,
    note: Note,
    review: Review | None = None,
) -> Launched:
    """Create or update the environment's stack and follow it to its end, as `deploy` does."""
    return deploy(aws, environment_request(aws.region, release, values), report, note, review)


def deploy(
    aws: Aws, request: StackRequest, report: Report, note: Note, review: Review | None = None
) -> Launched:
    """Create or update a stack through a change set and follow it to its end.

    The function first completes or removes what an interrupted operation left. With ``review``, the change set of an update has
    nested change sets, and is executed only if ``review`` returns True for it. Raises PipelineError for a stack that only an
    administrator can repair, and for a request that CloudFormation's validation rejects before anything changes.
    """
    name = request.name
    stack = wait_until_updatable(aws, name, report, note)
    kind = "CREATE" if stack is None or _in_review(stack) else "UPDATE"
    if kind == "CREATE":
        review = None
    change_set = prepare_change_set(aws, request, kind, note if review else None)
    if change_set is None or (review and not is_approved(aws, change_set, review)):
        stack = describe_stack(aws, name)
        assert stack is not None  # noqa: S101 - an update without changes has a stack
        return Launched(name, False, stack["StackStatus"], outputs_of(stack))
    since = datetime.now(UTC) - _CLOCK_SKEW if kind == "CREATE" else newest_event(aws, name)
    with aws_errors(f"deploy stack {name}"):
        aws.client("cloudformation").execute_change_set(
            ChangeSetName=change_set["ChangeSetId"], ClientRequestToken=str(uuid.uuid4())
        )
    operation = Operation(aws, change_set["StackId"], since)
    status = operation.follow(report)
    stack = describe_stack(aws, change_set["StackId"])
    failures = tuple(operation.failures()) if "ROLLBACK" in status or "FAILED" in status else ()
    return Launched(name, True, status, outputs_of(stack or {}), failures)


def is_approved(aws: Aws, change_set: Mapping[str, Any], review: Review) -> bool:
    """Whether to execute a change set; one that is not executed is deleted, also after an error."""
    goes_on = False
    try:
        goes_on = review(change_set)
    finally:
        if not goes_on:
            with aws_errors("delete the change set"):
                aws.client("cloudformation").delete_change_set(
                    ChangeSetName=change_set["ChangeSetId"]
                )
    return goes_on


def wait_until_settled(aws: Aws, name: str, report: Report, note: Note) -> Mapping[str, Any] | None:
    """The stack when no operation is in progress; None if it does not exist."""
    stack = describe_stack(aws, name)
    if stack and stack["StackStatus"].endswith("IN_PROGRESS") and not _in_review(stack):
        note(f"Stack {name} is in {stack['StackStatus']}; waiting for it.")
        Operation(aws, stack["StackId"], datetime.now(UTC)).follow(report)
        stack = describe_stack(aws, name)
    return stack


def holds_environment(stack: Mapping[str, Any] | None) -> bool:
    """Whether a stack has resources that an update would change."""
    return stack is not None and stack["StackStatus"] in {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }


def wait_until_updatable(
    aws: Aws, name: str, report: Report, note: Note
) -> Mapping[str, Any] | None:
    """The stack when it can be created or updated; None if it does not exist."""
    stack = wait_until_settled(aws, name, report, note)
    if stack is None:
        return None
    status = stack["StackStatus"]
    if status == "ROLLBACK_COMPLETE":
        note(f"The creation of stack {name} failed; removing it.")
        delete_stack(aws, name, report)
        return None
    if status.endswith("_FAILED"):
        raise PipelineError(
            f"Stack {name} is in {status}; {_WAY_OUT.get(status, 'delete it')} and launch again."
        )
    return stack


_WAY_OUT = {
    "UPDATE_ROLLBACK_FAILED": "run `aws cloudformation continue-update-rollback` on it",
    "DELETE_FAILED": "delete it, and retain the resources that cannot be deleted,",
}


def _in_review(stack: Mapping[str, Any]) -> bool:
    return bool(stack["StackStatus"] == "REVIEW_IN_PROGRESS")


def root_url(region: str, release: Release, bucket: str) -> str:
    """URL of the release's root template in its bucket.

    The root can exceed the 51,200 bytes of a request; from S3 CloudFormation reads up to 1 MB.
    """
    return object_url(region, bucket, f"{release.prefix}{template_path(release.root.name)}")


def prepare_change_set(
    aws: Aws, request: StackRequest, kind: str, nested: Note | None = None
) -> Mapping[str, Any] | None:
    """A change set that is ready to execute; None if nothing would change. ``kind`` is CREATE or UPDATE.

    With ``nested`` it has nested change sets. If CloudFormation cannot create those, for another reason than its validation,
    ``nested`` receives the reason and the change set is one of the root alone.
    """
    cloudformation, name = aws.client("cloudformation"), request.name
    change_set = create_change_set(aws, request, kind, nested=nested is not None)
    if change_set["Status"] == "CREATE_COMPLETE":
        return change_set
    reason = change_set.get("StatusReason", "no reason given")
    with aws_errors(f"prepare stack {name}"):
        refused = [
            refusal
            for identity in change_sets(cloudformation, change_set["ChangeSetId"])
            for refusal in refusals(cloudformation, ChangeSetName=identity)
        ]
        cloudformation.delete_change_set(ChangeSetName=change_set["ChangeSetId"])
        if any(phrase in reason for phrase in _NOTHING):
            return None
        if nested is not None and not refused and VALIDATION not in reason:
            nested(f"CloudFormation created no nested change sets: {reason.rstrip('.')}.")
            return prepare_change_set(aws, request, kind)
        if kind == "CREATE":
            cloudformation.delete_stack(StackName=name)
    details = "; ".join(f"{logical_id}: {said.rstrip('.')}" for logical_id, said in refused)
    raise PipelineError(
        f"CloudFormation rejected the change set of stack {name} in {aws.region}: {details or reason.rstrip('.')}."
    )


def create_change_set(
    aws: Aws, request: StackRequest, kind: str, *, nested: bool
) -> Mapping[str, Any]:
    """A change set when its creation has succeeded or failed."""
    cloudformation = aws.client("cloudformation")
    with aws_errors(f"prepare stack {request.name}"):
        created = cloudformation.create_change_set(
            ChangeSetName=f"deploy-{uuid.uuid4().hex[:12]}",
            ChangeSetType=kind,
            IncludeNestedStacks=nested,
            # The SDK repeats the request if it misses the response.
            ClientToken=str(uuid.uuid4()),
            **request.arguments(),
        )
        while True:
            change_set: Mapping[str, Any] = cloudformation.describe_change_set(
                ChangeSetName=created["Id"]
            )
            if change_set["Status"] in {"CREATE_COMPLETE", "FAILED"}:
                return change_set
            time.sleep(0.1 if aws.is_embedded else 1)


def delete(aws: Aws, name: str, report: Report, note: Note) -> Launched:
    """Delete the environment's stack and follow it to its end; does nothing if it does not exist."""
    stack = describe_stack(aws, name)
    if stack is None:
        return Launched(name, False, "DELETE_COMPLETE", {})
    if stack["StackStatus"].endswith("IN_PROGRESS") and not _in_review(stack):
        note(f"Stack {name} is in {stack['StackStatus']}; waiting for it.")
        Operation(aws, stack["StackId"], datetime.now(UTC)).follow(report)
    return delete_stack(aws, name, report)


def delete_stack(aws: Aws, name: str, report: Report) -> Launched:
    """Delete a stack without an operation in progress."""
    stack = describe_stack(aws, name)
    if stack is None:
        return Launched(name, True, "DELETE_COMPLETE", {})
    since = newest_event(aws, name)
    with aws_errors(f"delete stack {name}"):
        aws.client("cloudformation").delete_stack(StackName=stack["StackId"])
    operation = Operation(aws, stack["StackId"], since)
    status = operation.follow(report)
    return Launched(name, True, status, {}, tuple(operation.failures()))


def describe_stack(aws: Aws, name: str) -> Mapping[str, Any] | None:
    """The stack, or None if no stack has that name."""
    with aws_errors(f"read stack {name}"):
        found = read_stack(aws, name)
    return None if found is None or found["StackStatus"] == "DELETE_COMPLETE" else found


def newest_event(aws: Aws, name: str) -> datetime:
    """The time of the newest event before an operation: later events belong to the operation."""
    with aws_errors(f"read the events of stack {name}"):
        events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    newest: datetime = events[0]["Timestamp"] if events else datetime.now(UTC) - _CLOCK_SKEW
    return newest + timedelta(microseconds=1)
