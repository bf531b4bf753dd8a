"""Delayed jobs are no backlog, a queue without progress is visible, and other settings of kombu are read or refused."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from templates_src.functions.queue_depth import messages, progress
from templates_src.functions.queue_depth.broker import BrokerError
from templates_src.functions.queue_depth.handler import handler
from tests.engines.valkey import Valkey
from tests.functions.queue_depth.queues import PREFIX, Celery, depth, in_one_mode, wait_for

pytestmark = pytest.mark.usefixtures("settings")
HALF_AN_HOUR = 1800
UNACKED = f"{PREFIX}unacked"


def delayed_jobs() -> int:
    return int(handler({}, None)["DelayedJobs"])


def stalled_seconds() -> float:
    return handler({}, None)["QueueStalledSeconds"]


@pytest.mark.parametrize(
    ("server", "version", "count"),
    [("cluster", "newest", 2000), ("node", "5.4", 200)],
    indirect=["server"],
)
def test_countdown_jobs_in_idle_workers_are_no_backlog(
    server: Valkey, tmp_path: Path, celery_54: Path, version: str, count: int
) -> None:
    """The figures of the report: 2,000 jobs with a countdown of half an hour, and workers without work."""
    celery = Celery(server, tmp_path, celery_54 if version == "5.4" else None)
    jobs = {"queue": "celery", "priorities": [None, 9]}
    celery.publish({**jobs, "count": count, "countdown": HALF_AN_HOUR})
    # Before a worker takes them, they wait in lists, of which the function reads at most 500 each.
    assert (depth(), delayed_jobs()) == (0, count)

    with celery.worker("celery,reports", 2):
        wait_for(lambda: celery.unacknowledged() == count)
        assert (depth(), delayed_jobs()) == (0, count)
        assert handler({}, None)["BacklogPerTask"] == 0

        celery.publish({**jobs, "count": 5})
        wait_for(lambda: celery.unacknowledged() == count + 2)
        assert (depth(), delayed_jobs()) == (5, count)


def test_a_delayed_job_is_backlog_when_its_time_comes(newest: Celery) -> None:
    with newest.worker("celery,reports", 1):
        newest.publish({"queue": "reports", "count": 3, "priorities": [None], "countdown": 10})
        wait_for(lambda: newest.unacknowledged() == 3)
        answer = handler({}, None)
        assert (answer["QueueDepth"], answer["DelayedJobs"]) == (0, 3)
        wait_for(lambda: depth() == 3)
        assert delayed_jobs() == 0


def message_of(eta: datetime | None, body: str = "W1tdLCB7fV0=") -> dict[str, Any]:
    """A message like kombu's."""
    headers = {"lang": "py", "task": "work", "id": str(uuid4()), "eta": eta and eta.isoformat()}
    return {"body": body, "headers": headers, "properties": {"delivery_tag": str(uuid4())}}


def hold(server: Valkey, count: int, eta: datetime | None, body: str = "W1tdLCB7fV0=") -> None:
    """Messages that workers hold."""
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(count):
            text = json.dumps([message_of(eta, body), "", "celery"])
            pipe.hset(UNACKED, str(uuid4()), text)
            if number % 1000 == 999:
                pipe.execute()
        pipe.execute()


@in_one_mode
def test_of_many_messages_a_sample_is_read(server: Valkey) -> None:
    """100,000 delayed jobs: the function's cost stays the same, and the estimate is close."""
    future = datetime.now(UTC) + timedelta(hours=1)
    hold(server, 80_000, future, "W1tdLCB7fV0=" * 50)
    hold(server, 20_000, None, "W1tdLCB7fV0=" * 50)

    with server.client() as client:
        client.config_resetstat()
        start = time.monotonic()
        answer = handler({}, None)
        assert time.monotonic() - start < 5
        sent = client.info("stats")["total_net_output_bytes"]

    assert sent < messages.HELD_BYTES * 1.5
    assert answer["QueueDepth"] + answer["DelayedJobs"] == 100_000
    # Six standard deviations of a sample of 2,500.
    assert answer["DelayedJobs"] == pytest.approx(80_000, abs=5_000)


@in_one_mode
def test_large_messages_are_read_up_to_a_limit(server: Valkey) -> None:
    """100 messages of one MiB in workers, and 100 in a list: a page of each is read."""
    future = datetime.now(UTC) + timedelta(hours=1)
    hold(server, 100, future, "x" * 2**20)
    with server.client() as client:
        for _ in range(100):
            client.lpush(f"{PREFIX}celery", json.dumps(message_of(future, "x" * 2**20)))
        client.config_resetstat()
        answer = handler({}, None)
        sent = client.info("stats")["total_net_output_bytes"]

    assert (answer["QueueDepth"], answer["DelayedJobs"]) == (0, 200)
    # A page of a hash has some messages more than asked for.
    assert sent < 50 * 2**20


@in_one_mode
@pytest.mark.parametrize(
    ("eta", "delayed"),
    [
        (datetime.now(UTC) + timedelta(hours=1), True),
        (datetime.now(UTC) - timedelta(seconds=1), False),
        (datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1), True),
        (None, False),
    ],
)
def test_a_message_is_delayed_until_its_time(
    server: Valkey, eta: datetime | None, delayed: bool
) -> None:
    hold(server, 1, eta)

    assert (depth(), delayed_jobs()) == ((0, 1) if delayed else (1, 0))


@in_one_mode
@pytest.mark.parametrize("text", ["{", "[]", "1", "null", '[{"headers": {"eta": "soon"}}]'])
def test_what_is_no_message_of_celery_counts_as_work(server: Valkey, text: str) -> None:
    with server.client() as client:
        client.hset(UNACKED, "tag", text)
        client.lpush(f"{PREFIX}celery", text)

    assert (depth(), delayed_jobs()) == (2, 0)


@pytest.mark.parametrize(
    "transport",
    [
        {"priority_steps": list(range(10))},
        {"priority_steps": [0, 5]},
        {"queue_order_strategy": "priority"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_other_priority_steps_and_orders_are_counted(
    server: Valkey, tmp_path: Path, transport: dict[str, Any]
) -> None:
    celery = Celery(server, tmp_path, None, transport)
    celery.publish({"queue": "celery", "count": 20, "priorities": list(range(10))})

    assert depth() == 20
    with celery.worker("celery,reports", 2):
        celery.open_gate()
        wait_for(lambda: celery.done() == 20 and celery.unacknowledged() == 0)
        assert depth() == 0


def test_another_separator_is_refused_in_words(server: Valkey, tmp_path: Path) -> None:
    celery = Celery(server, tmp_path, None, {"sep": ":"})
    celery.publish({"queue": "celery", "count": 3, "priorities": [None, 9]})

    with pytest.raises(BrokerError, match=r"remove `sep` from broker_transport_options"):
        handler({}, None)


def test_a_queue_in_which_nothing_is_taken_is_visible(
    newest: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that runs but does not take from one of the measured queues."""
    newest.publish(
        {"queue": "celery", "count": 4, "priorities": [None]},
        {"queue": "reports", "count": 2, "priorities": [None, 9]},
    )
    assert stalled_seconds() == 0
    an_hour_passes(newest.server)
    assert stalled_seconds() == pytest.approx(3600, abs=30)

    with newest.worker("celery", 1):
        wait_for(lambda: newest.unacknowledged() == 1)
        seen = {"celery": 0.0, "reports": 3600.0}
        assert {queue: round(each, -2) for queue, each in waits(newest.server).items()} == seen
        newest.publish({"queue": "reports", "count": 1, "priorities": [3]})
        caplog.clear()
        assert stalled_seconds() == pytest.approx(3600, abs=30), "another job is no progress"
        (stalled,) = (json.loads(each.getMessage())["Stalled"] for each in caplog.records)
        assert round(stalled["reports"], -2) == 3600, "the log names the queue"

    with newest.worker("reports", 1):
        wait_for(lambda: newest.waiting("reports") == 0)
        assert "reports" not in waits(newest.server)


def an_hour_passes(server: Valkey) -> None:
    """For what the function stored."""
    key = f"{PREFIX}{progress.KEY}"
    with server.client() as client:
        stored = json.loads(client.get(key))
        for entry in stored.values():
            entry["since"] -= 3600
        client.set(key, json.dumps(stored))


def waits(server: Valkey) -> dict[str, float]:
    """By queue, the seconds without progress after a run of the function."""
    handler({}, None)
    with server.client() as client:
        stored = json.loads(client.get(f"{PREFIX}{progress.KEY}"))
    return {queue: time.time() - entry["since"] for queue, entry in stored.items()}


@in_one_mode
@pytest.mark.parametrize("text", ["", "{", "[]", '{"celery": 1}', '{"celery": {"since": 0}}'])
def test_a_foreign_note_starts_again(server: Valkey, text: str) -> None:
    with server.client() as client:
        client.lpush(f"{PREFIX}celery", 1)
        client.set(f"{PREFIX}{progress.KEY}", text)

    assert stalled_seconds() == 0
    an_hour_passes(server)
    assert stalled_seconds() > 3000
