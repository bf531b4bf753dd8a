"""Deploy stacks with CloudFormation: create or update through a change set, follow to the end, delete."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release, template_path
from pipeline.release.upload import object_url
from pipeline.stacks.change_set_creation import (
    Note,
    Review,
    StackRequest,
    is_approved,
    prepare_change_set,
)
from pipeline.stacks.entry_points import EntryPoint, continue_rollback, way_out
from pipeline.stacks.events import Failure, Operation
from pipeline.stacks.reading import outputs_of, read_stack
from templates_src.core.parameters.shared import PROJECT, RELEASE_BUCKET

Report = Callable[[Operation], None]
# Roles have no explicit names, so that CAPABILITY_IAM is enough.
CAPABILITIES = ["CAPABILITY_IAM"]
# If this clock is ahead of CloudFormation's, the first events would be missed.
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Launched:
    """The result of a launch. ``changed`` is False if there was nothing to change; ``failures`` is empty on success."""

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


def environment_request(region: str, release: Release, values: Mapping[str, str]) -> StackRequest:
    """The root stack of an environment; its release is in the bucket."""
    return StackRequest(
        stack_name(values),
        {"TemplateURL": root_url(region, release, values[RELEASE_BUCKET.name])},
        values,
        CAPABILITIES,
        {key: values[key] for key in ("Project", "Environment")},
        direct_entry(region, values),
    )


def direct_entry(region: str, values: Mapping[str, str]) -> EntryPoint:
    """The commands for an environment that was launched without Service Catalog."""
    is_default = values["Project"] == PROJECT.default
    options = "" if is_default else f"--set Project={values['Project']}"
    return EntryPoint(values["Environment"], region, is_product=False, options=options)


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
    stack = wait_until_updatable(aws, name, report, note, request.entry)
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
    aws: Aws, name: str, report: Report, note: Note, entry: EntryPoint | None = None
) -> Mapping[str, Any] | None:
    """The stack when it can be created or updated; None if it does not exist. A failed creation is removed.

    Raises PipelineError for a failed state that neither takes, and for a failed creation that cannot be removed.
    """
    stack = wait_until_settled(aws, name, report, note)
    if stack is None:
        return None
    if stack["StackStatus"] in _REMOVABLE:
        note(f"The creation of stack {name} failed; removing it.")
        removed = delete_stack(aws, name, report)
        if removed.succeeded:
            return None
        reason = removed.failures[0] if removed.failures else None
        because = f": {reason.logical_id}: {reason.reason.rstrip('.')}" if reason else ""
        ending = way_out(entry, removed.status, name) if entry else "delete it"
        raise PipelineError(
            f"The failed creation of stack {name} could not be removed ({removed.status}{because}); {ending}."
        )
    require_updatable(stack, aws.region, entry)
    return stack


# A first launch failed, so none of its resources was ever in use.
_REMOVABLE = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})


def require_updatable(
    stack: Mapping[str, Any], region: str, entry: EntryPoint | None = None
) -> None:
    """Raise PipelineError, with the next step, for a stack in a failed state that cannot be updated."""
    name, status = stack["StackName"], stack["StackStatus"]
    if not status.endswith("_FAILED") or status in _REMOVABLE:
        return
    entry_ends = way_out(entry, status, name) if entry else ""
    if not entry_ends:
        entry_ends = "delete it and launch again"
        if status == "UPDATE_ROLLBACK_FAILED":
            entry_ends = f"run {continue_rollback(region, name)} and try again"
    raise PipelineError(f"Stack {name} is in {status}; {entry_ends}.")


def _in_review(stack: Mapping[str, Any]) -> bool:
    return bool(stack["StackStatus"] == "REVIEW_IN_PROGRESS")


def root_url(region: str, release: Release, bucket: str) -> str:
    """URL of the release's root template in its bucket.

    The root can exceed the 51,200 bytes of a request; from S3 CloudFormation reads up to 1 MB.
    """
    return object_url(region, bucket, f"{release.prefix}{template_path(release.root.name)}")


def delete(aws: Aws, name: str, report: Report, note: Note) -> Launched:
    """Delete the environment's stack and follow it to its end; does nothing if it does not exist."""
    stack = describe_stack(aws, name)
    if stack is None:
        return Launched(name, False, "DELETE_COMPLETE", {})
    if stack["StackStatus"].endswith("IN_PROGRESS") and not _in_review(stack):
        note(f"Stack {name} is in {stack['StackStatus']}; waiting for it.")
        Operation(aws, stack["StackId"], datetime.now(UTC)).follow(report)
    return delete_stack(aws, name, report)


def delete_stack(aws: Aws, name: str, report: Report, retained: Sequence[str] = ()) -> Launched:
    """Delete a stack without an operation in progress. ``retained`` are logical IDs that a stack in DELETE_FAILED keeps."""
    stack = describe_stack(aws, name)
    if stack is None:
        return Launched(name, True, "DELETE_COMPLETE", {})
    since = newest_event(aws, name)
    with aws_errors(f"delete stack {name}"):
        keeping = {"RetainResources": list(retained)} if retained else {}
        aws.client("cloudformation").delete_stack(StackName=stack["StackId"], **keeping)
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
