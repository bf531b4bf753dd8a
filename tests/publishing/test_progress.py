"""The progress bar of a publication, from zero to all steps."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from pipeline.catalog.show import Bars

REGION = "eu-north-1"


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_bar_counts_completed_steps(steps: int) -> None:
    progress = Bars(Console(file=StringIO(), force_terminal=True))
    progress.begin(REGION, steps)
    [bar] = progress.live.tasks
    seen = [bar.completed]

    for number in range(steps):
        progress.step(REGION, f"step {number}")
        seen.append(bar.completed)
    progress.end(REGION)

    assert seen == [0, *range(steps)]
    assert (bar.completed, bar.total) == (steps, steps)
