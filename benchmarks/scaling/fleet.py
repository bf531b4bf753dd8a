"""The workers: a service on Fargate Spot that takes jobs from the queue, second by second."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.scaling.load import SECONDS, SEED, Job, Scenario
from benchmarks.scaling.policy import Scaler

MINUTE = 60
BACKLOG, CPU = "backlog", "CPU"


@dataclass(frozen=True)
class Assumptions:
    """What no template says; seconds unless it says otherwise.

    ``processes`` of Celery in a worker, each with one job (late acknowledgement, prefetch multiplier 1); ``io_share`` of a
    job is waiting for others rather than computing; ``start`` from the order to a worker that takes jobs, from and to;
    ``visibility`` is Celery's visibility timeout, after which a job comes back that a killed worker held;
    ``notice`` is what Spot gives; ``metric_delay`` (minutes) until a data point moves an alarm.
    """

    processes: int = 2
    io_share: float = 0.8
    start: tuple[float, float] = (45.0, 90.0)
    visibility: float = 3600.0
    notice: float = 120.0
    metric_delay: int = 1


@dataclass
class Worker:
    """A task of the service; ``stops`` is when it is killed, once it has been told to stop."""

    ordered: float
    ready: float
    stops: float = math.inf
    # Each job with the seconds at which it was taken and at which it ends.
    work: list[tuple[float, float, Job]] = field(default_factory=list)

    @property
    def told_to_stop(self) -> bool:
        """It finishes what it has, and takes nothing more: Celery's warm shutdown."""
        return self.stops < math.inf


@dataclass(frozen=True)
class Minute:
    """What a minute looks like at its end."""

    depth: int
    running: int
    desired: int
    metric: float


@dataclass
class Run:
    """A scenario under a policy: minutes, how long each job waited for its start (seconds), and what it took."""

    minutes: list[Minute] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    sent: int = 0
    finished: int = 0
    repeated: int = 0
    worker_seconds: float = 0.0


class Fleet:
    """The service at work."""

    def __init__(
        self,
        scenario: Scenario,
        scaler: Scaler,
        metric: Literal["backlog", "CPU"],
        assumptions: Assumptions,
        *,
        vcpu: float = 1.0,
        stop_seconds: float = 120.0,
    ) -> None:
        self.scenario, self.scaler, self.metric = scenario, scaler, metric
        self.assumptions, self.vcpu, self.stop_seconds = assumptions, vcpu, stop_seconds
        self.chance = random.Random(SEED)  # noqa: S311 (a simulation)
        self.run = Run()
        self.coming = deque(scenario.jobs)
        self.waiting: deque[Job] = deque()
        # Held by killed workers, by the second at which they come back.
        self.lost: list[tuple[float, float, Job]] = []
        self.desired = scaler.policy.least
        self.workers = [Worker(0.0, 0.0) for _ in range(self.desired)]
        self.no_spot_until = -math.inf
        self.points: deque[float] = deque()
        self.busy, self.capacity = 0.0, 0.0

    def play(self, seconds: int = SECONDS) -> Run:
        """Let the time pass."""
        for now in range(seconds):
            self.receive(now)
            self.reclaim(now)
            self.progress(now)
            self.schedule(now)
            self.take(now)
            self.account()
            if now % MINUTE == MINUTE - 1:
                self.measure(now + 1)
        return self.run

    @property
    def running(self) -> list[Worker]:
        """Those that take jobs: ECS counts no task that it is stopping."""
        return [worker for worker in self.workers if not worker.told_to_stop and not worker.starts]

    @property
    def in_work(self) -> int:
        """Jobs that live workers hold."""
        return sum(len(worker.work) for worker in self.workers)

    @property
    def depth(self) -> int:
        """As the function counts: waiting, and held by workers, living or not."""
        return len(self.waiting) + self.in_work + len(self.lost)
