"""The load: jobs with their times, and losses of Spot capacity; the same for every policy."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HOURS = 6
SECONDS = HOURS * 3600
SEED = 20260101
# Nine of ten jobs are short, one is a report that takes a minute.
SHORT_SECONDS, LONG_SECONDS, LONG_SHARE = 6.0, 60.0, 0.1


@dataclass(frozen=True)
class Job:
    """A job: the time at which it is sent, its duration, and its ``countdown``, in seconds."""

    sent: float
    seconds: float
    delay: float = 0.0


@dataclass(frozen=True)
class Reclaim:
    """Spot reclaims ``share`` of the running workers, and has no capacity for ``shortage`` seconds."""

    at: float
    share: float
    shortage: float


@dataclass(frozen=True)
class Scenario:
    """A load over HOURS; the picture shows ``shown`` hours."""

    name: str
    jobs: Sequence[Job]
    reclaims: Sequence[Reclaim] = ()
    shown: int = 3


def arrivals(rate: Callable[[float], float], seed: int, extra: Sequence[float] = ()) -> list[Job]:
    """Random jobs, on average ``rate(minute)`` per minute, and those of ``extra`` (seconds)."""
    chance = random.Random(seed)  # noqa: S311 (a simulation)
    times = list(extra)
    for second in range(SECONDS):
        expected = rate(second / 60) / 60
        while expected > 0:
            if chance.random() < min(expected, 1.0):
                times.append(second + chance.random())
            expected -= 1
    return [Job(time, duration(chance)) for time in sorted(times)]


def duration(chance: random.Random) -> float:
    """The duration of a job: exponentially distributed around the mean of its kind, at least half a second."""
    mean = LONG_SECONDS if chance.random() < LONG_SHARE else SHORT_SECONDS
    return max(0.5, chance.expovariate(1 / mean))


def ramp(minute: float) -> float:
    """Up from 4 jobs a minute to 50 in an hour, half an hour there, and down in half an hour."""
    quiet, peak = 4.0, 50.0
    if minute < 60:
        return quiet + (peak - quiet) * minute / 60
    if minute < 90:
        return peak
    if minute < 120:
        return peak - (peak - quiet) * (minute - 90) / 30
    return quiet


def scenarios() -> tuple[Scenario, ...]:
    """The three scenarios, which docs/scaling.md describes."""
    burst = [600.0 + index / 50 for index in range(1000)]
    return (
        Scenario(
            "burst",
            arrivals(lambda _: 3.0, SEED, burst),
        ),
        Scenario(
            "ramp",
            arrivals(ramp, SEED + 1),
            shown=4,
        ),
        Scenario(
            "Spot reclaim",
            arrivals(lambda minute: 30.0 if minute < 120 else 3.0, SEED + 2),
            (Reclaim(3600.0, 0.5, 600.0),),
            shown=4,
        ),
    )
