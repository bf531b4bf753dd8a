"""Why the last operation on an environment failed, and what is wrong with its services now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.stacks.diagnosis.progress import LOG_INDENT, missing_permissions
from pipeline.stacks.diagnosis.resources import compute_resources, service_locations
from pipeline.stacks.events import Operation
from templates_src.functions.service_diagnosis import Finding, Reader, diagnose

# ECS keeps a stopped task for at least an hour.
TASKS_KEPT = timedelta(hours=1)
_BEGINNINGS = frozenset(
    {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"}
)


@dataclass(frozen=True)
class LastOperation:
    """The last operation on a stack: its first event's status and time, and its events."""

    kind: str
    began: datetime
    events: Operation


def explain(aws: Aws, stack: Mapping[str, Any]) -> list[str]:
    """What is known about the last operation on an environment's stack and about its services, line by line."""
    last = last_operation(aws, stack)
    lines = [
        f"{stack['StackName']} is in {stack['StackStatus']}; its last {last.kind} began on {last.began:%Y-%m-%d at %H:%M:%S} UTC."
    ]
    failures = last.events.failures()
    lines += [f"{each.stack}: {each.logical_id}: {each.reason}" for each in failures]
    reader = Reader(aws.client)
    found = services_since(aws, stack, last.began, reader)
    for finding in found:
        lines += [finding.text, *(f"{LOG_INDENT}{line}" for line in finding.log)]
    if reader.denied:
        lines.append(missing_permissions(reader))
    lines += nothing_known(failed=bool(failures), found=found, began=last.began, reader=reader)
    return lines


def last_operation(aws: Aws, stack: Mapping[str, Any]) -> LastOperation:
    """The last operation on a stack, with its events and those of its nested stacks."""
    identity = stack["StackId"]
    with aws_errors(f"read the events of stack {stack['StackName']}"):
        first = next(
            event
            for event in _events(aws, identity)
            if event["PhysicalResourceId"] == identity and event["ResourceStatus"] in _BEGINNINGS
        )
        operation = Operation(aws, identity, first["Timestamp"])
        operation.look()
    kind = {"CREATE": "launch", "UPDATE": "update", "DELETE": "deletion", "IMPORT": "import"}
    return LastOperation(
        kind[first["ResourceStatus"].split("_")[0]], first["Timestamp"].astimezone(UTC), operation
    )


def _events(aws: Aws, stack_id: str) -> Iterator[Mapping[str, Any]]:
    pages = aws.client("cloudformation").get_paginator("describe_stack_events")
    for page in pages.paginate(StackName=stack_id):
        yield from page["StackEvents"]


def services_since(
    aws: Aws, stack: Mapping[str, Any], since: datetime, reader: Reader
) -> list[Finding]:
    """What is wrong with the services of an environment since a time. Raises PipelineError for an error of AWS."""
    resources = compute_resources(aws, stack["StackId"])
    locations = service_locations(
        {name: each.physical_id for name, each in resources.items()},
        {name: each.physical_id for name, each in resources.items() if each.exists},
    )
    with aws_errors("read the services of the environment"):
        return diagnose(reader, locations, since, history=True)


def nothing_known(
    *, failed: bool, found: list[Finding], began: datetime, reader: Reader
) -> Iterator[str]:
    """What the absence of findings means."""
    is_old = datetime.now(UTC) - began > TASKS_KEPT
    if found or reader.denied:
        if found and is_old:
            yield "ECS keeps stopped tasks for about one hour, so those of this operation can be missing here."
        return
    if not failed:
        yield "Nothing failed, and every service runs its tasks."
    elif is_old:
        yield "ECS knows nothing more: it keeps stopped tasks for about one hour, and the operation is older."
    else:
        yield "ECS knows nothing more about this operation: no task of a service failed, or the rollback has deleted the cluster."
