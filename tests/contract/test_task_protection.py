"""A worker protects its ECS task while it has jobs: with real Celery, and step by step at given times."""

from __future__ import annotations

import importlib.util
import signal
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import celery
import pytest

from tests.contract.agent import Agent, agent
from tests.contract.application import Stack
from tests.contract.containers import EXAMPLE
from tests.contract.test_interruptions import Service
from tests.engines.processes import free_port

LONGEST, RESERVE = 1800.0, 600.0
in_a_cluster = pytest.mark.parametrize("stack", ["serverless"], indirect=True)


@pytest.fixture
def ecs() -> Iterator[Agent]:
    with agent() as running:
        yield running


@pytest.fixture(scope="module")
def protection() -> ModuleType:
    """The module of the example application."""
    spec = importlib.util.spec_from_file_location("protection", EXAMPLE / "app" / "protection.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def service(stack: Stack) -> Iterator[Service]:
    """The api, and no worker; everything ends with the test."""
    stack.api()
    yield Service(stack)
    stack.machine.stop()


class Steps:
    """A guard at given times, in seconds, and whether it takes jobs."""

    def __init__(self, protection: ModuleType, uri: str) -> None:
        self.taking = True
        self.guard = protection.Guard(uri, LONGEST, self.pause, self.resume)

    def pause(self) -> None:
        self.taking = False

    def resume(self) -> None:
        self.taking = True

    def at(self, now: float, *jobs: str) -> None:
        self.guard.step(now, jobs)


@in_a_cluster
def test_a_worker_is_protected_while_it_has_jobs(service: Service, ecs: Agent) -> None:
    """With two processes: from the first job to the end of the last one, in one request each."""
    stack = service.stack
    worker = stack.worker("--concurrency=2", ECS_AGENT_URI=ecs.uri)
    worker.wait_for_words("ready.")
    assert ecs.received == []

    with service.held(worker, "first") as first:
        worker.wait_for(lambda: ecs.received)
        with service.held(worker, "second"):
            pass
        assert ecs.protections() == [40]
        assert stack.result(first) is None
    worker.wait_for(lambda: service.is_done(first, "first"))
    worker.wait_for(lambda: len(ecs.received) == 2)

    assert ecs.received == [
        {"ProtectionEnabled": True, "ExpiresInMinutes": 40},
        {"ProtectionEnabled": False},
    ]
    assert worker.stop(signal.SIGTERM) == 0


@in_a_cluster
def test_a_delayed_job_is_not_protected_and_returns(
    service: Service, ecs: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = service.stack
    worker = stack.worker("--concurrency=1", ECS_AGENT_URI=ecs.uri)
    worker.wait_for_words("ready.")
    monkeypatch.setenv("SSL_CERT_FILE", stack.machine.trusted["SSL_CERT_FILE"])
    sender = celery.Celery(
        broker=stack.secrets("worker")["CELERY_BROKER_URL"], set_as_current=False
    )
    sender.conf.broker_transport_options = {"global_keyprefix": stack.key("")}
    sender.send_task("app.worker.remember", ("delayed", [1, 1, 1]), countdown=600)
    worker.wait_for(lambda: stack.unacknowledged() == 1)
    # Longer than the pause between two looks at the jobs.
    time.sleep(3)

    assert ecs.received == []
    assert worker.stop(signal.SIGTERM) == 0
    assert (stack.waiting(), stack.unacknowledged()) == (1, 0)
    with stack.valkey.client() as client:
        client.delete(stack.key("celery"))


@in_a_cluster
def test_a_worker_that_blocks_a_deployment_completes_its_jobs_and_takes_no_others(
    service: Service, ecs: Agent
) -> None:
    ecs.refusal = (200, "DEPLOYMENT_BLOCKED")
    stack = service.stack
    worker = stack.worker("--concurrency=1", ECS_AGENT_URI=ecs.uri)
    worker.wait_for_words("ready.")

    with service.held(worker, "running") as running:
        worker.wait_for_words("takes no others")
        worker.wait_for_words("Canceling queue celery")
    worker.wait_for(lambda: stack.result(running) == "running")
    later = stack.remember("later", 1, 1, 1)
    successor = stack.worker("--concurrency=1")
    successor.wait_for(lambda: service.is_done(later, "later"))
    assert later not in worker.said()
    assert later in successor.said()


@in_a_cluster
@pytest.mark.parametrize("uri", [None, "http://127.0.0.1:{port}/api/task"])
def test_jobs_run_without_an_agent(service: Service, uri: str | None) -> None:
    """Outside ECS there is no variable; an agent that does not answer is a warning."""
    stack = service.stack
    variables = {"ECS_AGENT_URI": uri.format(port=free_port())} if uri else {}
    worker = stack.worker("--concurrency=1", **variables)
    worker.wait_for_words("ready.")
    name = f"unprotected {uri}"
    with service.held(worker, name) as job:
        if uri:
            worker.wait_for_words("protection of this task cannot be changed")
    worker.wait_for(lambda: service.is_done(job, name))
    assert ("protection" in worker.said()) is bool(uri)


def test_protection_outlives_the_longest_job(protection: ModuleType, ecs: Agent) -> None:
    """A job that begins late is covered to its end, and a stream of short jobs renews every ten minutes."""
    steps = Steps(protection, ecs.uri)
    for second in range(0, 3600, 6):
        steps.at(second, f"job {second}")
        assert steps.guard.protected_until >= second + LONGEST
    assert ecs.protections() == [40] * 6

    for second in range(3600, 3630, 2):
        steps.at(second)
    assert ecs.protections() == [40] * 6 + [0]


def test_a_pause_between_jobs_is_no_end(protection: ModuleType, ecs: Agent) -> None:
    steps = Steps(protection, ecs.uri)
    steps.at(0, "one")
    steps.at(8)
    steps.at(9, "two")

    assert ecs.protections() == [40]


@pytest.mark.parametrize(
    "refusal", [(400, "AccessDeniedException"), (500, "ServerException"), (200, "TASK_NOT_VALID")]
)
def test_a_refusal_is_logged_and_tried_again_after_a_minute(
    protection: ModuleType,
    ecs: Agent,
    caplog: pytest.LogCaptureFixture,
    refusal: tuple[int, str],
) -> None:
    steps = Steps(protection, ecs.uri)
    ecs.refusal = refusal
    for second in range(0, 60, 2):
        steps.at(second, "job")
    assert len(ecs.received) == 1
    assert f"cannot be changed: {refusal[1]}" in caplog.text
    assert steps.taking

    ecs.refusal = None
    steps.at(60, "job")
    assert steps.guard.protected_until == 0 + LONGEST + RESERVE


def test_a_worker_takes_jobs_again_if_no_deployment_ends_it(
    protection: ModuleType, ecs: Agent
) -> None:
    steps = Steps(protection, ecs.uri)
    steps.at(0, "job")
    ecs.refusal = (200, "DEPLOYMENT_BLOCKED")
    steps.at(700, "job", "next")
    assert not steps.taking
    assert steps.guard.protected_until == LONGEST + RESERVE, "the running job stays protected"

    steps.at(800)
    steps.at(990)
    assert not steps.taking
    steps.at(1000)
    assert steps.taking


def test_the_settings_match(protection: ModuleType) -> None:
    settings: dict[str, Any] = vars(protection)
    assert settings["RESERVE_SECONDS"] == RESERVE
    # Until then, ECS could stop a worker with a new job; SIGTERM leaves it 100 seconds.
    assert settings["POLL_SECONDS"] + settings["ANSWER_SECONDS"] < 100
