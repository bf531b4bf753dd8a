"""Signs of life of worker and beat, and the end of a process that hangs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import celery
import pytest

from templates_src.functions.queue_depth.broker import (
    BEAT_ALIVE,
    WORKERS_ALIVE,
    Cache,
    Jobs,
    read_jobs,
)
from tests.contract.application import Stack
from tests.contract.containers import PATIENCE, PROJECT_FOLDER
from tests.engines.processes import free_port

pytestmark = pytest.mark.parametrize("stack", ["serverless"], indirect=True)
# The ten minutes of the contract, for tests.
HANG = {"HANG_SECONDS": "8", "PYTHONPATH": str(PROJECT_FOLDER)}


@pytest.fixture(autouse=True)
def end(stack: Stack) -> Iterator[None]:
    yield
    stack.machine.stop()
    with stack.valkey.client() as client:
        client.delete(stack.key(BEAT_ALIVE), stack.key(WORKERS_ALIVE))


def measured(stack: Stack) -> Jobs:
    """What the queue-depth function reads."""
    server = stack.valkey
    root = str(server.identity.root)
    cache = Cache(server.host, server.port, server.user, server.password, server.cluster, root)
    return read_jobs(cache, stack.key(""), ["celery"])


def test_worker_and_beat_show_signs_of_life(stack: Stack) -> None:
    assert (measured(stack).beat_silent, measured(stack).workers) == (None, None)
    worker, beat = stack.worker(), stack.beat()
    worker.wait_for(lambda: measured(stack).workers == 1)
    beat.wait_for(lambda: measured(stack).beat_silent is not None)
    assert 0 <= (measured(stack).beat_silent or 0) < 60

    stack.machine.stop()
    with stack.valkey.client() as client:
        ((name, shown),) = client.zrange(stack.key(WORKERS_ALIVE), 0, -1, withscores=True)
        client.zadd(stack.key(WORKERS_ALIVE), {name: shown - 200})
        client.incrbyfloat(stack.key(BEAT_ALIVE), -1000)
    assert measured(stack).workers == 0
    assert (measured(stack).beat_silent or 0) > 1000


def test_a_worker_that_hangs_ends_with_its_stack_in_the_log(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = stack.worker("--include=tests.contract.hanging", **HANG)
    worker.wait_for_words("ready.")
    monkeypatch.setenv("SSL_CERT_FILE", stack.machine.trusted["SSL_CERT_FILE"])
    app = celery.Celery(broker=stack.secrets("worker")["CELERY_BROKER_URL"], set_as_current=False)
    app.conf.broker_transport_options = {"global_keyprefix": stack.key("")}
    app.control.broadcast("hang")

    assert worker.process.wait(PATIENCE) == 1
    assert "Timeout (0:00:08)!" in worker.said()
    assert "in hang" in worker.said()


def test_a_beat_that_hangs_ends_with_its_stack_in_the_log(stack: Stack) -> None:
    beat = stack.beat("--scheduler=tests.contract.hanging:HangingScheduler", **HANG)

    assert beat.process.wait(PATIENCE) == 1
    assert "Timeout (0:00:08)!" in beat.said()
    assert "hanging.py" in beat.said()


def test_an_idle_worker_goes_on(stack: Stack) -> None:
    """Longer than the limit, without a job."""
    worker = stack.worker(**HANG)
    worker.wait_for_words("ready.")

    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(10)


def test_a_worker_without_its_cache_ends(stack: Stack) -> None:
    """No server listens on the port."""
    worker = stack.worker(CELERY_BROKER_URL=f"rediss://127.0.0.1:{free_port()}/0", **HANG)

    assert worker.process.wait(PATIENCE) == 1
    assert "Timeout (0:00:08)!" in worker.said()
