"""The lines of a launch's progress."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console

from commands.common.show import Progress
from pipeline.aws import Aws
from pipeline.stacks.events import Operation, StackProgress


def lines(*reports: StackProgress) -> str:
    """What an operation without a terminal prints."""
    since = datetime(2026, 11, 28, tzinfo=UTC)
    operation = Operation(Aws("eu-north-1"), "arn:stack/dev/id", since)
    output = StringIO()
    with Progress(Console(file=output)) as progress:
        for report in reports:
            operation.stacks[report.stack_id] = report
            progress(operation)
    return output.getvalue()


def test_stack_without_resources_has_no_line() -> None:
    """CloudFormation refused it, and the sentence that says why follows."""
    for status in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"):
        assert lines(StackProgress("dev", "id", status)) == ""


def test_each_status_has_one_line() -> None:
    created = StackProgress("dev", "id", "CREATE_IN_PROGRESS", {"Vpc": "CREATE_IN_PROGRESS"})
    complete = StackProgress("dev", "id", "CREATE_COMPLETE", {"Vpc": "CREATE_COMPLETE"})

    printed = lines(created, created, complete).splitlines()

    assert [line.split("s  ", 1)[1].split() for line in printed] == [
        ["dev", "CREATE_IN_PROGRESS,", "0", "of", "1", "resources"],
        ["dev", "CREATE_COMPLETE,", "1", "of", "1", "resources"],
    ]
