"""The workers: a service on Fargate that takes jobs from the queue, second by second."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field

from benchmarks.scaling.load import SECONDS, SEED, Job, Scenario
from benchmarks.scaling.policy import Scaler
from templates_src.compute.capacity import (
    BASE_ON_DEMAND,
    ON_DEMAND,
    ON_DEMAND_WEIGHT,
    SPOT,
    SPOT_WEIGHT,
)

MINUTE = 60
BACKLOG, CPU = "backlog", "CPU"


@dataclass(frozen=True)
class Options:
    """What the templates or the application can do in another way.

    ``capacity`` is WorkerCapacity. A worker that ``protects`` its task is not stopped by a scale-in while it has jobs.
    ``counts_delayed``: jobs count as backlog before their time comes.
    """

    capacity: str = SPOT
    protects: bool = False
    counts_delayed: bool = False


@dataclass(frozen=True)
class Assumptions:
    """Assumptions that no template contains; in seconds unless stated otherwise.

    ``processes`` of Celery in a worker, each with one job (late acknowledgement, prefetch multiplier 1); ``io_share`` of a
    job is the share of waiting time; ``start`` is the shortest and longest start of a worker;
    ``visibility`` is Celery's visibility timeout, after which the job of a killed worker returns to the queue;
    ``notice`` is the notice time of Spot; ``metric_delay`` (minutes) until a data point moves an alarm.
    """

    processes: int = 2
    io_share: float = 0.8
    start: tuple[float, float] = (45.0, 90.0)
    visibility: float = 3600.0
    notice: float = 120.0
    metric_delay: int = 1


DEFAULT = Options()


@dataclass
class Worker:
    """A task of the service; ``stops`` is the time at which ECS kills it, after the stop signal."""

    ordered: float
    ready: float
    stops: float = math.inf
    on_spot: bool = True
    # Each job with its start and its end in seconds.
    work: list[tuple[float, float, Job]] = field(default_factory=list)
    # Jobs with a countdown that it took: no other worker can do them.
    held: list[Job] = field(default_factory=list)

    @property
    def told_to_stop(self) -> bool:
        """It finishes its jobs and takes no new ones: Celery's warm shutdown."""
        return self.stops < math.inf


@dataclass(frozen=True)
class Minute:
    """The state at the end of a minute."""

    depth: int
    running: int
    desired: int
    metric: float


@dataclass
class Run:
    """A scenario under a policy: the minutes, the time until each job first started (seconds), and the resources."""

    minutes: list[Minute] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    sent: int = 0
    finished: int = 0
    repeated: int = 0
    worker_seconds: float = 0.0
    spot_seconds: float = 0.0


def due(job: Job) -> float:
    """The second at which a job can be done."""
    return job.sent + job.delay


class Fleet:
    """The service at work."""

    def __init__(
        self,
        scenario: Scenario,
        scaler: Scaler,
        metric: str,
        assumptions: Assumptions,
        *,
        vcpu: float = 1.0,
        stop_seconds: float = 120.0,
        options: Options = DEFAULT,
    ) -> None:
        self.scenario, self.scaler, self.metric = scenario, scaler, metric
        self.assumptions, self.vcpu, self.stop_seconds = assumptions, vcpu, stop_seconds
        self.options = options
        self.chance = random.Random(SEED)  # noqa: S311 (a simulation)
        self.run = Run()
        self.coming = deque(scenario.jobs)
        # Each job, and whether it never started before.
        self.waiting: deque[tuple[Job, bool]] = deque()
        # The jobs of killed workers, by the second at which they return.
        self.lost: list[tuple[float, float, Job]] = []
        self.desired = scaler.policy.least
        self.workers: list[Worker] = []
        for _ in range(self.desired):
            self.workers.append(Worker(0.0, 0.0, on_spot=self.next_is_on_spot()))
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

    def running(self, now: float) -> list[Worker]:
        """The workers that take jobs; ECS does not count stopping tasks."""
        return [each for each in self.workers if each.ready <= now and not each.told_to_stop]

    @property
    def in_work(self) -> int:
        """Jobs in running workers."""
        return sum(len(worker.work) for worker in self.workers)

    @property
    def held(self) -> list[Job]:
        """Jobs with a countdown in workers, that have not begun."""
        return [job for worker in self.workers for job in worker.held]

    def depth(self, now: float) -> int:
        """The count of the function: waiting jobs, those of running and killed workers, and delayed ones that are due."""
        counted = [job for job in self.held if self.options.counts_delayed or due(job) <= now]
        return len(self.waiting) + self.in_work + len(self.lost) + len(counted)

    def receive(self, now: float) -> None:
        """Add new jobs and returning jobs to the queue; workers take delayed jobs at once."""
        while self.coming and self.coming[0].sent <= now:
            job = self.coming.popleft()
            running = self.running(now)
            if job.delay and running:
                running[self.run.sent % len(running)].held.append(job)
            else:
                self.waiting.append((job, True))
            self.run.sent += 1
        while self.lost and self.lost[0][0] <= now:
            # At the head of the queue, like kombu.
            self.waiting.appendleft((heapq.heappop(self.lost)[2], False))
            self.run.repeated += 1

    def reclaim(self, now: float) -> None:
        """Spot's notice: a stop signal, and the end after the notice time."""
        for each in self.scenario.reclaims:
            if each.at == now:
                running = [worker for worker in self.running(now) if worker.on_spot]
                for worker in running[: math.ceil(len(running) * each.share)]:
                    self.stop(worker, now + self.assumptions.notice)
                self.no_spot_until = now + each.shortage

    def stop(self, worker: Worker, end: float) -> None:
        """Send the stop signal: the delayed jobs of the worker return to the queue."""
        worker.stops = end
        self.waiting.extend((job, True) for job in worker.held)
        worker.held = []

    def next_is_on_spot(self) -> bool:
        """The capacity provider of the next task: the base first, and then by weight."""
        if self.options.capacity != BASE_ON_DEMAND:
            return self.options.capacity != ON_DEMAND
        kept = [worker.on_spot for worker in self.workers if not worker.told_to_stop]
        spot, on_demand = kept.count(True), kept.count(False) - self.scaler.policy.least
        return on_demand >= 0 and (spot + 1) / SPOT_WEIGHT <= (on_demand + 1) / ON_DEMAND_WEIGHT

    def progress(self, now: float) -> None:
        """End jobs, and stopping workers: with their last job, or when their time is over."""
        staying = []
        for worker in self.workers:
            going_on = [entry for entry in worker.work if entry[1] > now]
            self.run.finished += len(worker.work) - len(going_on)
            worker.work = going_on
            if worker.stops <= now:
                for taken, _, job in worker.work:
                    # Counted from the start of the job.
                    back = max(now, taken + self.assumptions.visibility)
                    heapq.heappush(self.lost, (back, job.sent, job))
            elif worker.work or not worker.told_to_stop:
                staying.append(worker)
        self.workers = staying

    def schedule(self, now: float) -> None:
        """Start missing tasks if there is capacity, and stop surplus ones, the youngest first, like ECS."""
        kept = [worker for worker in self.workers if not worker.told_to_stop]
        for _ in range(self.desired - len(kept)):
            on_spot = self.next_is_on_spot()
            if now >= self.no_spot_until or not on_spot:
                ready = now + self.chance.uniform(*self.assumptions.start)
                self.workers.append(Worker(now, ready, on_spot=on_spot))
        surplus = max(0, len(kept) - self.desired)
        youngest = sorted(kept, key=lambda each: each.ordered)[::-1]
        if self.options.protects:
            youngest = [worker for worker in youngest if not worker.work]
        for worker in youngest[:surplus]:
            self.stop(worker, now + self.stop_seconds)

    def take(self, now: float) -> None:
        """Each free process takes the next job."""
        for worker in self.running(now):
            for job in [job for job in worker.held if due(job) <= now]:
                if len(worker.work) == self.assumptions.processes:
                    break
                worker.held.remove(job)
                self.begin(worker, job, now, is_new=True)
            while self.waiting and len(worker.work) < self.assumptions.processes:
                job, is_new = self.waiting.popleft()
                self.begin(worker, job, now, is_new=is_new)

    def begin(self, worker: Worker, job: Job, now: float, *, is_new: bool) -> None:
        """A process begins a job."""
        if is_new:
            self.run.waits.append(max(0.0, now - due(job)))
        worker.work.append((now, now + job.seconds, job))

    def account(self) -> None:
        """Add a second of all running tasks: cost and used CPU."""
        self.run.worker_seconds += len(self.workers)
        self.run.spot_seconds += sum(worker.on_spot for worker in self.workers)
        computing = 1 - self.assumptions.io_share
        for worker in self.workers:
            self.busy += min(len(worker.work) * computing, self.vcpu)
        self.capacity += len(self.workers) * self.vcpu

    def measure(self, now: float) -> None:
        """Publish the data point of the minute, and apply the policy to the newest visible one."""
        running = len(self.running(now))
        if self.metric == BACKLOG:
            point = self.depth(now) / max(running, 1)
        else:
            point = 100 * self.busy / self.capacity if self.capacity else 0.0
        self.busy = self.capacity = 0.0
        self.points.append(point)
        delayed = len(self.points) > self.assumptions.metric_delay
        arrived = self.points.popleft() if delayed else None
        self.desired = self.scaler.desired(now, self.desired, arrived)
        self.run.minutes.append(Minute(self.depth(now), running, self.desired, point))
