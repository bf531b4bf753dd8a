"""A task whose worker is interrupted: by Spot with its notice, after the notice, and by a lack of memory."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.contract.application import Stack
from tests.contract.containers import PATIENCE, ServiceSpec

pytestmark = [
    pytest.mark.parametrize("stack", ["serverless"], indirect=True),
]

# The value of the example app, which the contract recommends.
VISIBILITY_SECONDS = 3600
# Seconds; the rest of the 100 that the application asks for would only be waited for.
SHORT_SECONDS = 4
SHORT_SHUTDOWN = (f"worker.soft_shutdown_timeout={SHORT_SECONDS}",)
SHORTEST_SHUTDOWN = "worker.soft_shutdown_timeout=1"
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@dataclass
class Service:
    """The worker service: a running worker, and its replacement."""

    stack: Stack
    worker: ServiceSpec | None = None

    def start(self, *settings: str) -> ServiceSpec:
        self.worker = self.stack.worker(*settings)
        self.worker.wait_for_words("ready.")
        return self.worker

    def running(self) -> ServiceSpec:
        """The worker that runs; after an interruption, its successor."""
        if self.worker is None or self.worker.process.poll() is not None:
            return self.start()
        return self.worker

    @contextmanager
    def held(self, worker: ServiceSpec, name: str) -> Iterator[str]:
        """A running task that cannot finish before the block ends."""
        with self.stack.database() as connection:
            connection.execute("INSERT INTO documents VALUES (%s, '[0,0,0]')", (name,))
            ((others,),) = self.stack.postgres.run(BLOCKED)
            task = self.stack.remember(name, 1, 1, 1)
            worker.wait_for(lambda: self.stack.postgres.run(BLOCKED) == [[others + 1]])
            yield task
            # In the end, the document of the task must exist, not that of the test.
            connection.rollback()

    def is_done(self, task: str, name: str) -> bool:
        """Whether a task returned its result and the broker has no message of it."""
        settled = self.stack.waiting() == self.stack.unacknowledged() == 0
        return settled and self.stack.result(task) == name

    def place(self, name: str) -> str:
        with self.stack.database() as connection:
            rows = connection.execute(
                "SELECT embedding::text FROM documents WHERE name = %s", (name,)
            )
            return str(rows.fetchall())


@pytest.fixture(scope="module")
def service(stack: Stack) -> Service:
    stack.api()
    return Service(stack)


def test_short_tasks_end_within_the_notice_and_long_ones_return_to_the_queue(
    service: Service,
) -> None:
    stack, worker = service.stack, service.start("--concurrency=2", *SHORT_SHUTDOWN)
    with service.held(worker, "long") as long:
        with service.held(worker, "short") as short:
            worker.process.send_signal(signal.SIGTERM)
            worker.wait_for_words("Initiating Soft Shutdown")
            later = stack.remember("later", 1, 1, 1)
        assert worker.process.wait(PATIENCE) == 0
        assert (stack.waiting(), stack.unacknowledged()) == (2, 0)
        assert (stack.result(short), stack.result(long)) == ("short", None)
        assert later not in worker.said(), "a process is free, and takes no further task"

    successor = service.running()
    successor.wait_for(lambda: service.is_done(long, "long"))
    received = [line for line in successor.said().splitlines() if "received" in line]
    assert [task in line for task, line in zip((long, later), received, strict=True)] == [
        True
    ] * 2, "a task that returns is the next one"
    assert service.place("long") == "[('[1,1,1]',)]"


def test_a_worker_with_a_task_waits_to_the_end_and_an_idle_one_does_not(service: Service) -> None:
    began = time.monotonic()
    # The shutdown of a worker with a task takes 100 seconds.
    assert service.running().stop() == 0
    assert time.monotonic() - began < PATIENCE / 2

    worker = service.start("--concurrency=1", *SHORT_SHUTDOWN)
    with service.held(worker, "quick") as task:
        worker.process.send_signal(signal.SIGTERM)
        worker.wait_for_words("Initiating Soft Shutdown")
        began = time.monotonic()
    worker.wait_for(lambda: service.stack.result(task) == "quick")
    assert worker.process.wait(PATIENCE) == 0
    assert time.monotonic() - began > SHORT_SECONDS - 1


def test_a_shutdown_that_hangs_returns_its_task(service: Service) -> None:
    """A child process that does not react; Celery alone waits for it without end."""
    service.running().stop()
    stack, worker = service.stack, service.start("--concurrency=1", SHORTEST_SHUTDOWN)
    with service.held(worker, "stuck") as task:
        for child in children(worker.process.pid):
            os.kill(child, signal.SIGSTOP)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(PATIENCE) == 0
        assert "so it is killed" in worker.said()
        assert (stack.waiting(), stack.unacknowledged()) == (1, 0)

    successor = service.running()
    successor.wait_for(lambda: service.is_done(task, "stuck"))


def test_a_task_of_a_killed_worker_returns_after_the_visibility_timeout(service: Service) -> None:
    stack, worker = service.stack, service.running()
    with service.held(worker, "killed") as task:
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait(PATIENCE)
        assert (stack.waiting(), stack.unacknowledged()) == (0, 1)
        index = stack.key("unacked_index")
        with stack.valkey.client() as client:
            ((tag, _),) = client.zrange(index, 0, -1, withscores=True)
            client.zincrby(index, -VISIBILITY_SECONDS, tag)

    successor = service.running()
    successor.wait_for(lambda: service.is_done(task, "killed"))
    assert service.place("killed") == "[('[1,1,1]',)]"


def test_a_task_of_a_killed_process_is_delivered_again(service: Service) -> None:
    """Like the kernel that kills a worker's process for lack of memory."""
    worker = service.running()
    with service.held(worker, "memory") as task:
        for child in children(worker.process.pid):
            os.kill(child, signal.SIGKILL)
        worker.wait_for_words("WorkerLostError")

    worker.wait_for(lambda: service.is_done(task, "memory"))
    assert worker.said().count(f"[{task}] received") == 2


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="], text=True)
    pairs = (line.split() for line in listed.splitlines())
    return [int(pid) for pid, of in pairs if int(of) == parent]
