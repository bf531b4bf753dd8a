"""The example app, run with the task definitions of dev and prod, on real engines."""

from __future__ import annotations

import shelve
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import celery
import pytest
import redis
from celery.beat import ScheduleEntry
from celery.schedules import schedule
from kombu.exceptions import OperationalError

from tests.contract.application import Stack
from tests.contract.containers import EXAMPLE, ServiceSpec

in_a_cluster = pytest.mark.parametrize("stack", ["serverless"], indirect=True)

ENTRY, TASK = "count-documents", "app.worker.count"
HOUR = timedelta(hours=1)
PLACES = {"offer": (1, 0, 0), "order": (0, 1, 0), "invoice": (0, 0, 1)}


@dataclass(frozen=True)
class Application:
    """api, worker and beat, running."""

    stack: Stack
    api: ServiceSpec
    worker: ServiceSpec
    beat: ServiceSpec


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
    """Write a schedule file of a beat that sent its task two hours ago: it is due once, and then not for an hour."""
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


def test_health_check_path_answers(application: Application) -> None:
    assert application.stack.get("/health") == (200, {"status": "ok"})


def test_document_is_stored_and_found(application: Application) -> None:
    stack = application.stack
    tasks = {name: stack.remember(name, *place) for name, place in PLACES.items()}

    for name, task in tasks.items():
        assert application.worker.wait_for(partial(stack.result, task)) == name
    assert stack.post("/search", {"embedding": [0.9, 0.1, 0]}) == (200, {"name": "offer"})
    assert stack.post("/search", {"embedding": [0, 0.2, 0.8]}) == (200, {"name": "invoice"})


def test_every_key_is_under_the_prefix(application: Application) -> None:
    """Tasks, results and remote control are in one hash slot of a cluster."""
    stack = application.stack
    task = stack.remember("reminder", 1, 1, 0)
    application.worker.wait_for(partial(stack.result, task))

    with stack.valkey.client() as client:
        keys = {key.decode() for key in client.scan_iter(count=1000)}
    assert stack.key(f"celery-task-meta-{task}") in keys
    assert [key for key in keys if not key.startswith(stack.key(""))] == []


def test_beat_sends_a_due_task_exactly_once(application: Application) -> None:
    application.worker.wait_for_words(f"Task {TASK}")
    application.worker.wait_for(lambda: application.stack.unacknowledged() == 0)

    assert application.beat.said().count(f"Sending due task {ENTRY}") == 1
    assert application.worker.said().count(f"Task {TASK}") == 2, "received, and succeeded"
    assert application.stack.waiting() == 0


@pytest.fixture
def url(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """The injected URL, in a process that trusts the server's authority like an image that trusts Amazon's."""
    monkeypatch.setenv("SSL_CERT_FILE", stack.machine.trusted["SSL_CERT_FILE"])
    return stack.secrets("api")["CELERY_BROKER_URL"]


def test_redis_py_accepts_the_url(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        assert client.ping()
        options = client.connection_pool.connection_kwargs
    assert options["db"] == 0
    assert options["ssl_cert_reqs"] == "required"


def test_every_other_command_is_allowed(stack: Stack, url: str) -> None:
    """The user has all commands but those of Valkey's category, of which it has one."""
    with stack.valkey.client() as client:
        rules = client.acl_getuser(urlsplit(url).username)
        dangerous = set(client.acl_cat("dangerous"))

    assert {"keys", "flushall", "config|set", "info"} <= dangerous
    assert rules["categories"] == ["+@all", "-@dangerous"]
    assert rules["commands"] == ["+info"]


def test_dangerous_commands_are_refused(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        for command in ("KEYS *", "FLUSHALL", "CONFIG GET maxmemory"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())


def test_another_authority_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with (
        redis.Redis.from_url(url) as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()
    assert_celery_refuses(url)


def test_another_host_name_is_refused(url: str) -> None:
    elsewhere = url.replace("@localhost:", "@127.0.0.1:")

    with (
        redis.Redis.from_url(elsewhere) as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()
    assert_celery_refuses(elsewhere)


def assert_celery_refuses(url: str) -> None:
    """Celery and kombu do not connect with the URL, because of the certificate."""
    with (
        celery.Celery(broker=url, set_as_current=False).connection() as connection,
        pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        connection.ensure_connection(max_retries=1, interval_start=0)


@in_a_cluster
def test_a_cluster_has_no_other_database(url: str) -> None:
    assert urlsplit(url).path == "/0"

    with (
        redis.Redis.from_url(url.replace("/0?", "/1?")) as client,
        pytest.raises(redis.ResponseError),
    ):
        client.ping()


@in_a_cluster
def test_a_serverless_cache_refuses_celery_without_the_prefix(stack: Stack) -> None:
    """Without it, the keys are in many hash slots, and Celery reads several at once."""
    worker = stack.worker(CELERY_KEY_PREFIX="")

    worker.wait_for_words("ClusterCrossSlotError")
