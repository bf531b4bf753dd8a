"""The picture of the runs: jobs above, workers below, one column per load."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scaling.fleet import Run
from benchmarks.scaling.load import Scenario
from benchmarks.scaling.policy import Configuration

# What the templates do, and what it is compared with.
COLOURS = ("#0b6e99", "#d9480f", "#868e96")
STYLES = ("-", "--", ":")
# The key of the text chunk with the digest of the data, which identifies a stale picture.
CHUNK = "Description"
FEWEST = 1


@dataclass(frozen=True)
class Line:
    """A run of a load, with its label."""

    scenario: Scenario
    label: str
    run: Run


@dataclass(frozen=True)
class Picture:
    """Runs of some loads; the loads of a picture with ``one_legend`` have equal labels."""

    worker: Configuration
    lines: Sequence[Line]
    one_legend: bool = True

    @property
    def loads(self) -> list[str]:
        """The names of the loads, one a column."""
        return list(dict.fromkeys(line.scenario.name for line in self.lines))


def digest(picture: Picture) -> str:
    """The digest of all drawn data."""
    drawn = [
        (line.scenario.name, line.label, minute.depth, minute.running)
        for line in picture.lines
        for minute in line.run.minutes
    ]
    return hashlib.sha256(repr((picture.worker, drawn)).encode()).hexdigest()


def draw(picture: Picture, path: Path) -> None:
    """Write the picture as PNG: the same bytes for the same runs under one version of matplotlib."""
    # Imported here, because it takes long and the comparison of digests does not need it.
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(12, 6.4), dpi=110, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, len(picture.loads), sharex="col", sharey="row", squeeze=False)
        for column, load in enumerate(picture.loads):
            mine = [line for line in picture.lines if line.scenario.name == load]
            draw_load(axes[0][column], axes[1][column], mine, picture.worker)
            if not picture.one_legend:
                axes[1][column].legend(
                    loc="lower center", bbox_to_anchor=(0.5, -0.5), frameon=False
                )
        axes[0][0].set_ylabel("jobs, waiting and in work")
        axes[1][0].set_ylabel("workers that run")
        if picture.one_legend:
            figure.legend(
                *axes[1][0].get_legend_handles_labels(),
                loc="outside lower center",
                ncols=len(COLOURS),
                frameon=False,
            )
        figure.savefig(path, metadata={"Software": None, CHUNK: digest(picture)})


def draw_load(jobs: Any, workers: Any, lines: Sequence[Line], worker: Configuration) -> None:
    """One column."""
    scenario = lines[0].scenario
    last = scenario.shown * 60
    for each, colour, style in zip(lines, COLOURS, STYLES, strict=False):
        shown = each.run.minutes[:last]
        hours = [minute / 60 for minute in range(1, len(shown) + 1)]
        depths = [max(FEWEST, minute.depth) for minute in shown]
        jobs.plot(hours, depths, style, color=colour)
        running = [minute.running for minute in shown]
        workers.step(hours, running, style, color=colour, where="post", label=each.label)
    jobs.set_title(scenario.name, fontweight="bold")
    jobs.set_yscale("log")
    jobs.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    jobs.grid(axis="y", alpha=0.3)
    workers.axhline(worker.policy.most, color="black", linewidth=0.6)
    workers.annotate(
        f"at most {worker.policy.most}",
        (scenario.shown, worker.policy.most),
        textcoords="offset points",
        xytext=(0, 3),
        ha="right",
    )
    workers.set_ylim(0, worker.policy.most + 1.5)
    workers.grid(axis="y", alpha=0.3)
    workers.set_xlim(0, scenario.shown)
    workers.set_xlabel("hours")
    for reclaim in scenario.reclaims:
        for axis in (jobs, workers):
            axis.axvspan(
                reclaim.at / 3600,
                (reclaim.at + reclaim.shortage) / 3600,
                color="#f2c94c",
                alpha=0.4,
                linewidth=0,
            )
        jobs.annotate(
            "no Spot",
            ((reclaim.at + reclaim.shortage) / 3600, FEWEST),
            textcoords="offset points",
            xytext=(4, 3),
            backgroundcolor="white",
        )
