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
from pipeline.stacks.early_validation import refusals
from pipeline.stacks.events import Failure, Operation
from pipeline.stacks.reading import outputs_of, read_stack
from templates_src.core.shared import RELEASE_BUCKET

Report = Callable[[Operation], None]
# Roles have no names of their own, so that named IAM resources need not be acknowledged.
CAPABILITIES = ["CAPABILITY_IAM"]
_NOTHING = ("didn't contain changes", "No updates are to be performed", "no changes")
# A clock that runs ahead of CloudFormation's would hide the first events.
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Launched:
    """How a launch ended. ``changed`` is False where there was nothing to do; ``failures`` is empty on success."""

    stack: str
    changed: bool
    status: str
    outputs: Mapping[str, str]
    failures: tuple[Failure, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether what was asked for is so."""
        ended = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}
        return self.status in ended or not self.changed


def stack_name(values: Mapping[str, str]) -> str:
    """The stack of an environment."""
    return f"{values['Project']}-{values['Environment']}"


@dataclass(frozen=True)
class StackRequest:
    """A stack as CloudFormation takes it. ``template`` is one of the arguments TemplateURL and TemplateBody."""

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
    """The root stack of an environment; its release is in the bucket already."""
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
    note: Callable[[str], None],
) -> Launched:
    """Create or update the environment's stack and follow it to its end, as `deploy` does."""
    return deploy(aws, environment_request(aws.region, release, values), report, note)


def deploy(
    aws: Aws, request: StackRequest, report: Report, note: Callable[[str], None]
) -> Launched:
    """Create or update a stack through a change set and follow it to its end.

    The function first finishes or removes what an interrupted operation left. Raises PipelineError for a stack that
    only a person can repair, and for a request that CloudFormation's validation refuses before anything changes.
    """
    name = request.name
    stack = wait_until_updatable(aws, name, report, note)
    kind = "CREATE" if stack is None or _in_review(stack) else "UPDATE"
    change_set = prepare(aws, request, kind)
    if change_set is None:
        with aws_errors(f"read stack {name}"):
            stack = describe(aws, name)
        assert stack is not None  # noqa: S101 - an update without changes has a stack
        return Launched(name, False, stack["StackStatus"], outputs_of(stack))
    since = datetime.now(UTC) - _CLOCK_SKEW if kind == "CREATE" else newest_event(aws, name)
    with aws_errors(f"deploy stack {name}"):
        aws.client("cloudformation").execute_change_set(
            ChangeSetName=change_set["ChangeSetId"], ClientRequestToken=str(uuid.uuid4())
        )
    operation = Operation(aws, change_set["StackId"], since)
    status = operation.follow(report)
    stack = describe(aws, change_set["StackId"])
    failures = tuple(operation.failures()) if "ROLLBACK" in status or "FAILED" in status else ()
    return Launched(name, True, status, outputs_of(stack or {}), failures)


def wait_until_updatable(
    aws: Aws, name: str, report: Report, note: Callable[[str], None]
) -> Mapping[str, Any] | None:
    """The stack once it can be created or updated; None where there is none."""
    stack = describe(aws, name)
    if stack and stack["StackStatus"].endswith("IN_PROGRESS") and not _in_review(stack):
        note(f"Stack {name} is in {stack['StackStatus']}; waiting for it.")
        Operation(aws, stack["StackId"], datetime.now(UTC)).follow(report)
        stack = describe(aws, name)
    if stack is None:
        return None
    status = stack["StackStatus"]
    if status == "ROLLBACK_COMPLETE":
        note(f"Stack {name} holds nothing but a creation that failed; removing it.")
        delete_stack(aws, name, report)
        return None
    if status.endswith("_FAILED"):
        raise PipelineError(
            f"Stack {name} is in {status}; {_WAY_OUT.get(status, 'delete it')} and launch again."
        )
    return stack


_WAY_OUT = {
    "UPDATE_ROLLBACK_FAILED": "run `aws cloudformation continue-update-rollback` on it",
    "DELETE_FAILED": "delete it, keeping what it names as not deletable,",
}


def _in_review(stack: Mapping[str, Any]) -> bool:
    return bool(stack["StackStatus"] == "REVIEW_IN_PROGRESS")


def root_url(region: str, release: Release, bucket: str) -> str:
    """Address of the release's root template in its bucket.

    The root can exceed the 51,200 bytes that a request takes; from S3 CloudFormation reads up to 1 MB.
    """
    return object_url(region, bucket, f"{release.prefix}{template_path(release.root.name)}")


def prepare(aws: Aws, request: StackRequest, kind: str) -> Mapping[str, Any] | None:
    """A change set that is ready to execute; None where nothing would change. ``kind`` is CREATE or UPDATE."""
    cloudformation, name = aws.client("cloudformation"), request.name
    with aws_errors(f"prepare stack {name}"):
        created = cloudformation.create_change_set(
            ChangeSetName=f"deploy-{uuid.uuid4().hex[:12]}",
            ChangeSetType=kind,
            # The SDK sends the request again when it misses the answer.
            ClientToken=str(uuid.uuid4()),
            **request.arguments(),
        )
        while True:
            change_set: Mapping[str, Any] = cloudformation.describe_change_set(
                ChangeSetName=created["Id"]
            )
            if change_set["Status"] == "CREATE_COMPLETE":
                return change_set
            if change_set["Status"] == "FAILED":
                break
            time.sleep(0.1 if aws.is_embedded else 1)
        reason = change_set.get("StatusReason", "no reason given")
        refused = refusals(cloudformation, ChangeSetName=created["Id"])
        cloudformation.delete_change_set(ChangeSetName=created["Id"])
        if any(phrase in reason for phrase in _NOTHING):
            return None
        if kind == "CREATE":
            cloudformation.delete_stack(StackName=name)
    details = "; ".join(f"{logical_id}: {said.rstrip('.')}" for logical_id, said in refused)
    raise PipelineError(
        f"CloudFormation refused the launch of {name}: {details or reason.rstrip('.')}."
    )


def delete(aws: Aws, name: str, report: Report, note: Callable[[str], None]) -> Launched:
    """Delete the environment's stack and follow it to its end; a stack that is not there is deleted already."""
    stack = describe(aws, name)
    if stack is None:
        return Launched(name, False, "DELETE_COMPLETE", {})
    if stack["StackStatus"].endswith("IN_PROGRESS") and not _in_review(stack):
        note(f"Stack {name} is in {stack['StackStatus']}; waiting for it.")
        Operation(aws, stack["StackId"], datetime.now(UTC)).follow(report)
    return delete_stack(aws, name, report)


def delete_stack(aws: Aws, name: str, report: Report) -> Launched:
    """Delete a stack that nothing is going on in."""
    stack = describe(aws, name)
    if stack is None:
        return Launched(name, True, "DELETE_COMPLETE", {})
    since = newest_event(aws, name)
    with aws_errors(f"delete stack {name}"):
        aws.client("cloudformation").delete_stack(StackName=stack["StackId"])
    operation = Operation(aws, stack["StackId"], since)
    status = operation.follow(report)
    return Launched(name, True, status, {}, tuple(operation.failures()))


def describe(aws: Aws, name: str) -> Mapping[str, Any] | None:
    """The stack, or None where there is none of that name."""
    with aws_errors(f"read stack {name}"):
        found = read_stack(aws, name)
    return None if found is None or found["StackStatus"] == "DELETE_COMPLETE" else found


def newest_event(aws: Aws, name: str) -> datetime:
    """When the newest event before an operation was: what comes later belongs to the operation."""
    with aws_errors(f"read the events of stack {name}"):
        events = aws.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    newest: datetime = events[0]["Timestamp"] if events else datetime.now(UTC) - _CLOCK_SKEW
    return newest + timedelta(microseconds=1)
