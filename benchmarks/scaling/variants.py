"""One load, and what the templates or the application do about it: delayed jobs, an hour without Spot, and a scale-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.scaling.fleet import BACKLOG, Assumptions, Fleet, Options, Run
from benchmarks.scaling.load import SEED, Job, Reclaim, Scenario, arrivals
from benchmarks.scaling.policy import Configuration, Scaler
from benchmarks.scaling.report import minutes, usd_an_hour
from pipeline.cost.prices import FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT
from templates_src.compute.capacity import BASE_ON_DEMAND, ON_DEMAND, SPOT

HOUR = 3600.0
DELAYED, COUNTDOWN = 2000, 1800.0
LONG_JOB = 600.0
# A worker ends its jobs or returns them after this time: worker_soft_shutdown_timeout of the container contract.
SOFT_SHUTDOWN = 100.0
COLUMNS = (
    ("load", "", "<19"),
    ("variant", "", "<33"),
    ("most", "jobs", ">7"),
    ("95 % of the", "jobs wait", ">13"),
    ("longest", "wait", ">11"),
    ("jobs", "repeated", ">10"),
    ("worker", "hours", ">8"),
    ("USD", "", ">7"),
)


@dataclass(frozen=True)
class Variant:
    """A load with options."""

    scenario: Scenario
    name: str
    options: Options
    run: Run


def choices() -> tuple[tuple[Scenario, dict[str, Options]], ...]:
    """The loads, which docs/scaling.md describes, each with its variants."""
    delayed = [Job(1800.0 + index / 100, 6.0, COUNTDOWN) for index in range(DELAYED)]
    some = sorted([*arrivals(lambda _: 6.0, SEED + 3), *delayed], key=lambda job: job.sent)
    steady = arrivals(lambda minute: 30.0 if minute < 180 else 3.0, SEED + 4)
    long = [replace(job, seconds=LONG_JOB) for job in arrivals(long_jobs, SEED + 5)]
    return (
        (
            Scenario("delayed jobs", some),
            {
                "delayed jobs are no backlog": Options(),
                "every job is backlog": Options(counts_delayed=True),
            },
        ),
        (
            Scenario("hour without Spot", steady, (Reclaim(HOUR, 1.0, HOUR),), shown=4),
            {
                f"WorkerCapacity {capacity}": Options(capacity)
                for capacity in (SPOT, BASE_ON_DEMAND, ON_DEMAND)
            },
        ),
        (
            Scenario("scale-in", long, shown=4),
            {"tasks protected": Options(protects=True), "tasks not protected": Options()},
        ),
    )


def long_jobs(minute: float) -> float:
    """Jobs of ten minutes: waves of an hour, and fewer between them, so that workers are added and removed."""
    return 1.2 if minute % 100 < 60 else 0.25


def variants(worker: Configuration, assumptions: Assumptions) -> list[Variant]:
    """Every load in every variant; a worker that stops returns its jobs at once."""
    assumed = replace(assumptions, visibility=0.0, notice=SOFT_SHUTDOWN)
    return [
        Variant(scenario, name, options, play(worker, scenario, options, assumed))
        for scenario, named in choices()
        for name, options in named.items()
    ]


def play(
    worker: Configuration, scenario: Scenario, options: Options, assumptions: Assumptions
) -> Run:
    """The run of a load with options."""
    return Fleet(
        scenario,
        Scaler(worker.policy),
        BACKLOG,
        assumptions,
        vcpu=worker.vcpu,
        stop_seconds=SOFT_SHUTDOWN,
        options=options,
    ).play()


def table(worker: Configuration, found: Sequence[Variant]) -> str:
    """The variants as lines of text."""
    rows = [[above for above, _, _ in COLUMNS], [below for _, below, _ in COLUMNS]]
    rows += [row(worker, each) for each in found]
    return "\n".join(
        "".join(
            f"{cell:{width}}" for cell, (_, _, width) in zip(cells, COLUMNS, strict=True)
        ).rstrip()
        for cells in rows
    )


def row(worker: Configuration, found: Variant) -> list[str]:
    """A variant as the cells of a line; Spot at its lowest price."""
    run, waits = found.run, sorted(found.run.waits)
    cost = usd_an_hour(worker) / 3600
    discount = FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT / 100
    return [
        found.scenario.name,
        found.name,
        f"{max(minute.depth for minute in run.minutes):,}",
        minutes(waits[len(waits) * 95 // 100]),
        minutes(waits[-1]),
        str(run.repeated),
        f"{run.worker_seconds / 3600:.1f}",
        f"{cost * (run.worker_seconds - discount * run.spot_seconds):.2f}",
    ]
