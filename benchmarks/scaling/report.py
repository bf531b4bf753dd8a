"""The results of the runs: duration of the backlog, waiting time of jobs, cost of the workers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.scaling.fleet import BACKLOG, CPU, Assumptions, Fleet, Run
from benchmarks.scaling.load import HOURS, LONG_SECONDS, LONG_SHARE, SHORT_SECONDS, Scenario
from benchmarks.scaling.policy import Configuration, Scaler
from pipeline.cost.prices import (
    FARGATE_GB_HOUR,
    FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT,
    FARGATE_VCPU_HOUR,
)

CPU_TARGET = 60.0
COLUMNS = (
    ("load", "", "<13"),
    ("scaled by", "", "<27"),
    ("backlog", "lives", ">10"),
    ("most", "jobs", ">7"),
    ("95 % of the", "jobs wait", ">13"),
    ("longest", "wait", ">10"),
    ("jobs", "repeated", ">10"),
    ("worker", "hours", ">8"),
    ("USD,", "Spot", ">7"),
    ("USD, on", "demand", ">9"),
)


@dataclass(frozen=True)
class Contender:
    """A scaling policy; ``io_share`` of the jobs determines the CPU use."""

    name: str
    metric: str
    io_share: float


CONTENDERS = (
    Contender("backlog", BACKLOG, 0.8),
    Contender("CPU, jobs wait 80 % for I/O", CPU, 0.8),
    Contender("CPU, jobs wait 50 % for I/O", CPU, 0.5),
)


@dataclass(frozen=True)
class Outcome:
    """A scenario under a policy. Minutes of backlog are those with more jobs than the minimum number of workers can have."""

    scenario: Scenario
    contender: Contender
    run: Run
    backlog_minutes: int
    cleared: bool


def outcomes(
    worker: Configuration, loads: Sequence[Scenario], assumptions: Assumptions
) -> list[Outcome]:
    """Every scenario under every policy."""
    return [
        outcome(worker, scenario, contender, assumptions)
        for scenario in loads
        for contender in CONTENDERS
    ]


def outcome(
    worker: Configuration, scenario: Scenario, contender: Contender, assumptions: Assumptions
) -> Outcome:
    """One of them."""
    policy = worker.policy
    if contender.metric == CPU:
        policy = replace(policy, target=CPU_TARGET)
    run = Fleet(
        scenario,
        Scaler(policy),
        contender.metric,
        replace(assumptions, io_share=contender.io_share),
        vcpu=worker.vcpu,
        stop_seconds=worker.stop_seconds,
    ).play()
    allowed = worker.policy.target * worker.policy.least
    over = [minute.depth > allowed for minute in run.minutes]
    return Outcome(scenario, contender, run, sum(over), not over[-1])


def usd_an_hour(worker: Configuration) -> float:
    """The on-demand price of a task."""
    vcpu, gigabyte = (
        prices[worker.architecture].usd for prices in (FARGATE_VCPU_HOUR, FARGATE_GB_HOUR)
    )
    return worker.vcpu * float(vcpu) + worker.gigabytes * float(gigabyte)


def table(worker: Configuration, found: Sequence[Outcome]) -> str:
    """The outcomes as lines of text."""
    rows = [[above for above, _, _ in COLUMNS], [below for _, below, _ in COLUMNS]]
    rows += [row(worker, each) for each in found]
    lines = (
        "".join(
            f"{cell:{width}}" for cell, (_, _, width) in zip(cells, COLUMNS, strict=True)
        ).rstrip()
        for cells in rows
    )
    return "\n".join(lines)


def row(worker: Configuration, found: Outcome) -> list[str]:
    """An outcome as the cells of a line; it uses the lowest Spot price."""
    hours = found.run.worker_seconds / 3600
    on_demand = hours * usd_an_hour(worker)
    spot = on_demand * (1 - FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT / 100)
    waits = sorted(found.run.waits)
    return [
        found.scenario.name,
        found.contender.name,
        f"{found.backlog_minutes} min" if found.cleared else f"> {found.backlog_minutes} min",
        f"{max(minute.depth for minute in found.run.minutes):,}",
        minutes(waits[len(waits) * 95 // 100]),
        minutes(waits[-1]),
        str(found.run.repeated),
        f"{hours:.1f}",
        f"{spot:.2f}",
        f"{on_demand:.2f}",
    ]


def minutes(seconds: float) -> str:
    """A time as minutes with one decimal."""
    return f"{seconds / 60:.1f} min"


def preamble(environment: str, worker: Configuration, assumptions: Assumptions) -> str:
    """A description of the simulation."""
    policy = worker.policy
    mean = LONG_SHARE * LONG_SECONDS + (1 - LONG_SHARE) * SHORT_SECONDS
    rate = assumptions.processes * 60 / mean
    return "\n".join(
        (
            f"As configured in {environment}: {policy.least} to {policy.most} workers of {worker.vcpu:g} vCPU and "
            f"{worker.gigabytes:g} GB ({worker.architecture}), {policy.target:g} jobs for each,",
            f"cooldowns {policy.out_cooldown} s out and {policy.in_cooldown} s in. Against it: {CPU_TARGET:g} % CPU, "
            "everything else alike.",
            f"Assumed: {assumptions.processes} processes a worker, jobs of {mean:.1f} s on average, so that a worker does "
            f"{rate:.1f} a minute and {policy.most} do {math.floor(rate * policy.most)};",
            f"{assumptions.start[0]:g} to {assumptions.start[1]:g} s until a worker is there; visibility timeout "
            f"{assumptions.visibility / 60:g} min. Everything over {HOURS} h.",
        )
    )
