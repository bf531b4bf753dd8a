"""Reasons of ECS while a launch or an update is followed: what a service waits for, and why its tasks fail.

CloudFormation reports nothing between the beginning of a service's deployment and its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline.aws import Aws
from pipeline.stacks.diagnosis.resources import is_service, list_resources, service_locations
from pipeline.stacks.events import Operation, StackProgress
from templates_src.functions.service_diagnosis import Finding, Reader, diagnose

Report = Callable[[Operation], None]
Note = Callable[[str], None]
# Seconds between two reads; a healthy deployment of a service takes minutes.
INTERVAL, EMBEDDED_INTERVAL = 20.0, 0.5
LOG_INDENT = "    | "


@dataclass
class ServiceWatch:
    """A report that also notes what ECS knows about the services which CloudFormation waits for.

    One call every 20 seconds while a service is in progress; more only when something is wrong. A failed read is not an
    error of the operation: the next one may succeed.
    """

    aws: Aws
    report: Report
    note: Note
    _reader: Reader = field(init=False)
    _next: float = 0.0
    _failed: set[str] = field(default_factory=set)
    _noted: set[object] = field(default_factory=set)
    _log_groups: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = Reader(self.aws.client)

    def __call__(self, operation: Operation) -> None:
        """Report the operation, and read the services if it is time."""
        self.report(operation)
        if operation.status.endswith(("ROLLBACK_COMPLETE", "_FAILED")):
            self._look_back(operation)
            return
        for progress in operation.stacks.values():
            waiting, failed = services_of(progress)
            # The tasks of a failed service stay for about an hour, but a rollback deletes their logs.
            new = failed - self._failed
            if not waiting and not new:
                continue
            now = time.monotonic()
            if not self._next:
                self._next = now + self._interval
            if new or now >= self._next:
                self._failed |= new
                self._next = now + self._interval
                self._look(progress, waiting | new, operation)

    @property
    def _interval(self) -> float:
        return EMBEDDED_INTERVAL if self.aws.is_embedded else INTERVAL

    def _look_back(self, operation: Operation) -> None:
        """Read the services of a failed operation once more: a short one can end between two reads."""
        for progress in operation.stacks.values():
            touched = {each for each in progress.physical_ids if is_service(each)}
            if touched:
                self._look(progress, touched, operation, history=True)

    def _look(
        self,
        progress: StackProgress,
        services: set[str],
        operation: Operation,
        *,
        history: bool = False,
    ) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            locations = service_locations(
                {each: progress.physical_ids[each] for each in services},
                self._groups_of(progress.stack_id),
            )
            found = diagnose(self._reader, locations, operation.since, history=history)
        except (BotoCoreError, ClientError):
            return
        for finding in found:
            self._show(finding)
        if self._reader.denied:
            self._note_once(missing_permissions(self._reader))

    def _groups_of(self, stack_id: str) -> dict[str, str]:
        """The log groups of a stack by logical ID; CloudFormation creates them before the services."""
        if stack_id not in self._log_groups:
            self._log_groups[stack_id] = {
                logical_id: each.physical_id
                for logical_id, each in list_resources(self.aws, stack_id).items()
            }
        return self._log_groups[stack_id]

    def _show(self, finding: Finding) -> None:
        self._note_once(finding.text)
        if finding.log and finding.log not in self._noted:
            self._noted.add(finding.log)
            for line in finding.log:
                self.note(f"{LOG_INDENT}{line}")

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self.note(text)


def services_of(progress: StackProgress) -> tuple[set[str], set[str]]:
    """The logical IDs of the services that are created or updated, and of those that failed."""
    known = {each for each in progress.resources if is_service(each)} & set(progress.physical_ids)
    statuses = {each: progress.resources[each] for each in known}
    waiting = {
        each
        for each, status in statuses.items()
        if status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
    }
    failed = {each for each, status in statuses.items() if status.endswith("_FAILED")}
    return waiting, failed


def missing_permissions(reader: Reader) -> str:
    """One sentence about the permissions that the caller lacks."""
    return f"Some reasons are not shown, because these credentials lack {', '.join(reader.denied)}."
