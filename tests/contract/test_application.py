"""The example app, run as the task definitions of dev and prod say, with their variables and secrets, on real engines."""

from __future__ import annotations

import shelve
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import celery
import pytest
from celery.beat import ScheduleEntry
from celery.schedules import schedule

from tests.contract.application import Stack
from tests.contract.containers import EXAMPLE, Running

pytestmark = pytest.mark.xdist_group("contract")

ENTRY, TASK = "count-documents", "app.worker.count"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Application:
    """api, worker and beat, running."""

    stack: Stack
    api: Running
    worker: Running
    beat: Running


@pytest.fixture(scope="module")
def application(stack: Stack) -> Iterator[Application]:
    files = set(EXAMPLE.rglob("*"))
    make_due(stack)
    worker, beat = stack.worker(), stack.beat()
    api = stack.api()
    worker.wait_for_words("ready.")
    yield Application(stack, api, worker, beat)
    stack.machine.stop()
    assert set(EXAMPLE.rglob("*")) == files, "something was written outside /tmp"


def make_due(stack: Stack) -> None:
    """Leave a schedule file as of a beat that last sent its task two hours ago: it is due once, and then not for an hour."""
    entry = ScheduleEntry(
        name=ENTRY,
        task=TASK,
        last_run_at=datetime.now(UTC) - 2 * HOUR,
        schedule=schedule(HOUR),
        app=celery.Celery(set_as_current=False),
    )
    with closing(shelve.open(str(stack.machine.folder / "celerybeat-schedule"))) as store:  # noqa: S301
        store.update(
            {"__version__": celery.__version__, "entries": {ENTRY: entry}, "utc_enabled": True}
        )
        store["tz"] = None


def test_health_answers_where_the_load_balancer_asks(application: Application) -> None:
    assert application.stack.get("/health") == (200, {"status": "ok"})


def test_a_document_goes_through_worker_and_database_and_back(application: Application) -> None:
    stack = application.stack
    tasks = {name: stack.remember(name, *place) for name, place in PLACES.items()}

    for name, task in tasks.items():
        assert application.worker.wait_for(partial(stack.result, task)) == name
    assert stack.post("/search", {"embedding": [0.9, 0.1, 0]}) == (200, {"name": "offer"})
    assert stack.post("/search", {"embedding": [0, 0.2, 0.8]}) == (200, {"name": "invoice"})


PLACES = {"offer": (1, 0, 0), "order": (0, 1, 0), "invoice": (0, 0, 1)}


def test_beat_sends_what_is_due_exactly_once(application: Application) -> None:
    application.worker.wait_for_words(f"Task {TASK}")
    application.worker.wait_for(lambda: application.stack.unacknowledged() == 0)

    assert application.beat.said().count(f"Sending due task {ENTRY}") == 1
    assert application.worker.said().count(f"Task {TASK}") == 2, "received, and succeeded"
    assert application.stack.waiting() == 0
