"""Output of stack operations: progress while stacks change, then results as tables."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from pipeline.checks.lint import Report
    from pipeline.environments.provisioning.operations import OperationResult
    from pipeline.stacks.deploy import Launched
    from pipeline.stacks.events import Failure, Operation

_COLOURS = (("FAILED", "red"), ("ROLLBACK", "red"), ("COMPLETE", "green"), ("PROGRESS", "yellow"))


def coloured(status: str) -> str:
    """A stack status in the colour of its kind."""
    colour = next((colour for word, colour in _COLOURS if word in status), "default")
    return f"[{colour}]{status}[/]"


class Progress:
    """Shows an operation: a live table on a terminal, elsewhere one line per change of status."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = time.monotonic()
        self.printed: dict[str, str] = {}
        self.live = Live(console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live:
            self.live.stop()

    def __call__(self, operation: Operation) -> None:
        """Show how far the operation is. The table appears with the first report, because a question may come before it."""
        if self.live:
            self.live.start()
            self.live.update(self._table(operation))
            return
        for progress in operation.stacks.values():
            # A stack that CloudFormation refuses has no resources.
            if (
                progress.status
                and progress.resources
                and self.printed.get(progress.stack_id) != progress.status
            ):
                self.printed[progress.stack_id] = progress.status
                counted = f"{progress.done} of {len(progress.resources)} resources"
                self.console.print(
                    f"{time.monotonic() - self.started:6.1f} s  {progress.name:<24} {progress.status}, {counted}",
                    highlight=False,
                    soft_wrap=True,
                )

    def _table(self, operation: Operation) -> Table:
        table = Table(box=None, pad_edge=False)
        for title in ("Stack", "Status", "Resources", "Latest"):
            table.add_column(title, no_wrap=True)
        for progress in operation.stacks.values():
            table.add_row(
                progress.name,
                coloured(progress.status),
                f"{progress.done}/{len(progress.resources)}",
                "" if progress.status.endswith("COMPLETE") else progress.latest,
            )
        return table


def pairs(console: Console, title: str, values: Mapping[str, str]) -> None:
    """Names and values, one per line; a value is never wrapped, so that it can be copied and piped."""
    console.print(title, style="bold", soft_wrap=True)
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        console.print(f"  {name:<{width}}  {value or '-'}", soft_wrap=True, markup=False)


def failures(console: Console, launched: Launched) -> None:
    """The first failed resource of each stack, with its reason."""
    console.print(
        f"Stack {launched.stack} ended in {launched.status}.", style="red", soft_wrap=True
    )
    _failed_resources(console, launched.failures)


def operation_failure(console: Console, operation_failure: OperationResult) -> None:
    """The error of a failed Service Catalog operation, and the first failed resource of each stack."""
    console.print(
        f"{operation_failure.name} failed: {' '.join(operation_failure.errors) or 'Service Catalog gives no reason.'}",
        style="red",
        soft_wrap=True,
        markup=False,
    )
    _failed_resources(console, operation_failure.failures)


def _failed_resources(console: Console, failures: Iterable[Failure]) -> None:
    for failure in failures:
        console.print(
            f"  {failure.stack}: {failure.logical_id}: {failure.reason}",
            highlight=False,
            soft_wrap=True,
            # A reason can contain square brackets, which are not styles.
            markup=False,
        )


def findings(console: Console, report: Report) -> None:
    """Findings of cfn-lint, one per line."""
    for finding in report.findings:
        console.print(
            f"{finding.target}: {finding.template}: {finding.place}: {finding.message} ({finding.rule})",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )
