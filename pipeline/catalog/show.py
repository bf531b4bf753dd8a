"""Output of a publication: the plan as tables or as JSON, and progress while it is applied."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from pipeline.catalog.plan.steps import Action
from pipeline.catalog.publish import RegionPlan, summary

_COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.DEPRECATE: "yellow",
    Action.RETIRE: "red",
    Action.UNCHANGED: "dim",
    Action.REPORT: "magenta",
    Action.REFUSE: "bold red",
}


def plans_as_json(plans: Sequence[RegionPlan]) -> str:
    """Every step of every region, and the number of steps per action."""
    counts = {action.value: count for action, count in summary(plans).items()}
    return json.dumps(
        {"Summary": counts, "Regions": [plan.document() for plan in plans]},
        indent=1,
        ensure_ascii=False,
    )


def plans_as_tables(console: Console, plans: Sequence[RegionPlan]) -> None:
    """One table per region; unchanged items are counted, one line per kind."""
    if not console.is_terminal:
        # Lines are never wrapped, so that the output can be piped.
        console.width = 400
    for plan in plans:
        console.print(f"{plan.region}, account {plan.desired.account}", style="bold")
        table = Table(box=None, pad_edge=False)
        for title in ("Action", "Kind", "What", "Why"):
            table.add_column(title, overflow="fold")
        for step in plan.steps:
            if step.action is not Action.UNCHANGED:
                add_row(table, step.action, step.kind, step.subject, step.reason)
        unchanged = Counter(step.kind for step in plan.steps if step.action is Action.UNCHANGED)
        for kind, count in unchanged.items():
            add_row(table, Action.UNCHANGED, kind, str(count), "up to date")
        console.print(table)
    counted = [f"{count} {action}" for action, count in summary(plans).items() if count]
    console.print(f"Plan: {', '.join(counted)}.", style="bold")


def add_row(table: Table, action: Action, *cells: str) -> None:
    """Add one line of a plan; its texts can contain square brackets, which are not styles."""
    table.add_row(Text(action.value, style=_COLOURS[action]), *(Text(cell) for cell in cells))


class Bars:
    """One progress bar per region on a terminal; elsewhere one line at the start and one at the end of each region."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = bars.Progress(
            bars.TextColumn("{task.fields[region]}", table_column=Column(no_wrap=True)),
            bars.BarColumn(bar_width=20),
            bars.MofNCompleteColumn(),
            bars.TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            expand=True,
            console=console,
            disable=not console.is_terminal,
        )
        self.tasks: dict[str, bars.TaskID] = {}
        self.begun: Counter[str] = Counter()
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.stop()

    def begin(self, region: str, steps: int) -> None:
        """A region starts; it has this number of steps."""
        with self.lock:
            self.tasks[region] = self.live.add_task("", total=steps, region=region)
            self._line(f"{region}: {steps} {'step' if steps == 1 else 'steps'}")

    def step(self, region: str, text: str) -> None:
        """The region starts its next step."""
        # A step counts as completed when the next one starts.
        self.live.update(self.tasks[region], completed=self.begun[region], description=text)
        self.begun[region] += 1

    def note(self, region: str, text: str) -> None:
        """A step reports a detail."""
        with self.lock:
            self.live.update(self.tasks[region], description=text)
            self._line(f"{region}: {text}")

    def end(self, region: str) -> None:
        """The region has applied all its steps."""
        with self.lock:
            done = self.begun[region]
            self.live.update(self.tasks[region], completed=done, description="done")
            self._line(f"{region}: done")

    def _line(self, text: str) -> None:
        if not self.console.is_terminal:
            self.console.print(text, soft_wrap=True, markup=False, highlight=False)
