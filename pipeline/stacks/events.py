"""Follow a stack operation: the events of a stack and of its nested stacks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.stacks.early_validation import VALIDATION_FAILED, refusals

STACK_TYPE = "AWS::CloudFormation::Stack"
# Delay before the first poll, and between polls without events, in seconds.
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 3.0
# Reasons that only report the failure of something else.
_ECHOES = re.compile(r"cancel|was not successfully|following resource\(s\) failed", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """The first resource that failed in a stack, and why."""

    stack: str
    logical_id: str
    reason: str


@dataclass
class StackProgress:
    """The state of one stack since the operation began; ``resources`` and ``physical_ids`` are by logical ID."""

    name: str
    stack_id: str
    status: str = ""
    resources: dict[str, str] = field(default_factory=dict)
    physical_ids: dict[str, str] = field(default_factory=dict)
    latest: str = ""
    failures: list[Failure] = field(default_factory=list)
    echoes: list[tuple[Failure, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Resources whose operation has ended."""
        return sum(not status.endswith("IN_PROGRESS") for status in self.resources.values())


@dataclass
class Operation:
    """A create, update or delete of a stack; ``stacks`` holds it and its nested stacks by ID, in order of appearance.

    ``name`` is the name of the stack in the output: its own name unless another is given.
    """

    aws: Aws
    stack_id: str
    since: datetime
    name: str = ""
    stacks: dict[str, StackProgress] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.name = self.name or self.stack_id.split("/")[1]

    def follow(self, report: Callable[[Operation], None]) -> str:
        """Wait for the operation to end, and report every change; returns the stack's last status."""
        wait = SHORTEST_WAIT
        while True:
            with aws_errors(f"follow stack {self.name}"):
                changed = self.look()
            report(self)
            if not self.status.endswith("IN_PROGRESS"):
                return self.status
            wait = SHORTEST_WAIT if changed else min(wait * 1.5, LONGEST_WAIT)
            time.sleep(wait)

    def look(self) -> bool:
        """Read the events since the last call; returns whether there were any. Raises the errors of botocore."""
        cloudformation = self.aws.client("cloudformation")
        root = self.stacks.setdefault(self.stack_id, StackProgress(self.name, self.stack_id))
        # The status is read first: the events that led to it are in the events read after it.
        stack = cloudformation.describe_stacks(StackName=self.stack_id)["Stacks"][0]
        changed = self._read_events(cloudformation)
        root.status = stack["StackStatus"]
        return changed

    @property
    def status(self) -> str:
        """The stack's status at the last read."""
        return self.stacks[self.stack_id].status

    def failures(self) -> list[Failure]:
        """The first failure of each stack that is a cause, oldest stack first.

        An event that only repeats the failure of a nested stack counts if the nested stack's own events were never read.
        """
        heard = list(self.stacks.values())
        known = {progress.stack_id for progress in heard if progress.failures}
        unexplained = [
            failure
            for progress in heard
            for failure, nested in progress.echoes
            if nested and nested not in known
        ]
        causes = unexplained + [progress.failures[0] for progress in heard if progress.failures]
        return causes or [progress.echoes[0][0] for progress in heard if progress.echoes]

    def _read_events(self, cloudformation: Any) -> bool:
        changed = False
        pending = list(self.stacks)
        while pending:
            progress = self.stacks[pending.pop(0)]
            if (
                progress.status.endswith(("_COMPLETE", "_FAILED"))
                and progress.stack_id != self.stack_id
            ):
                continue
            for event in self._news(cloudformation, progress.stack_id):
                changed = True
                if event.get("DetailedStatus") == VALIDATION_FAILED:
                    progress.failures += [
                        Failure(progress.name, logical_id, reason)
                        for logical_id, reason in refusals(
                            cloudformation, self.since, StackName=progress.stack_id
                        )
                    ]
                nested = self._take(progress, event)
                if nested and self._is_to_be_read(nested, event):
                    pending.append(nested)
        return changed

    def _is_to_be_read(self, stack_id: str, event: dict[str, Any]) -> bool:
        """Whether an event of its parent shows that an operation of a nested stack has begun."""
        known = self.stacks.get(stack_id)
        if known is None:
            self.stacks[stack_id] = StackProgress(event["LogicalResourceId"], stack_id)
            return True
        if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
            return False
        # A complete resource is now rolled back or deleted.
        known.status = event["ResourceStatus"]
        return True

    def _news(self, cloudformation: Any, stack_id: str) -> list[dict[str, Any]]:
        """New events, oldest first; AWS lists the newest first, so reading stops at the first known one."""
        from botocore.exceptions import ClientError

        news: list[dict[str, Any]] = []
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        try:
            for page in pages:
                for event in page["StackEvents"]:
                    if event["EventId"] in self._seen or event["Timestamp"] < self.since:
                        return news[::-1]
                    self._seen.add(event["EventId"])
                    news.append(event)
        except ClientError as error:
            # The event of a nested stack can appear before the stack itself is visible.
            if code_of(error) != "ValidationError":
                raise
        return news[::-1]

    def _take(self, progress: StackProgress, event: dict[str, Any]) -> str | None:
        """Record an event; returns the ID of the nested stack that it is about, if any."""
        status, physical_id = event["ResourceStatus"], event.get("PhysicalResourceId", "")
        if physical_id == progress.stack_id:
            progress.status = status
            return None
        logical_id = event["LogicalResourceId"]
        progress.resources[logical_id] = status
        if physical_id:
            progress.physical_ids[logical_id] = physical_id
        progress.latest = logical_id
        reason = event.get("ResourceStatusReason", "")
        named = self._stack_named_in(reason) if event["ResourceType"] == STACK_TYPE else ""
        if status.endswith("_FAILED"):
            failure = Failure(progress.name, logical_id, reason)
            if _ECHOES.search(reason):
                progress.echoes.append((failure, named))
            else:
                progress.failures.append(failure)
        return (physical_id or named) if event["ResourceType"] == STACK_TYPE else None

    @staticmethod
    def _stack_named_in(reason: str) -> str:
        """The ID of the nested stack whose failure a reason reports; empty if it names none."""
        found = re.search(r"arn:\S+:stack/\S+", reason)
        return found.group().rstrip(".:,") if found else ""
