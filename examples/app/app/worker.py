"""The Celery application of worker and beat, with the tasks that the api sends."""

# Celery has no types.
# mypy: disallow-untyped-decorators=False

import os

from celery import Celery
from celery.signals import heartbeat_sent, worker_init, worker_ready, worker_shutting_down

from app import database, liveness, protection, shutdown

# Without the prefix, a serverless cache, which is a cluster, answers CROSSSLOT. The queue-depth function uses it too.
KEYS = {"global_keyprefix": os.environ["CELERY_KEY_PREFIX"]}
MINUTE = 60
# A task must not run longer than this, or it is delivered a second time while it still runs.
VISIBILITY_SECONDS = 60 * MINUTE
LONGEST_TASK_SECONDS = 30 * MINUTE
# Of the 120 seconds between Spot's notice and the end; the rest is for returning unfinished tasks.
SOFT_SHUTDOWN_SECONDS = 100

app = Celery(
    "carbon_connect",
    broker=os.environ["CELERY_BROKER_URL"],
    backend=os.environ["CELERY_RESULT_BACKEND"],
)
app.conf.update(
    broker_transport_options={**KEYS, "visibility_timeout": VISIBILITY_SECONDS},
    result_backend_transport_options=KEYS,
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=LONGEST_TASK_SECONDS,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=SOFT_SHUTDOWN_SECONDS,
    result_expires=24 * 60 * MINUTE,
    beat_scheduler="app.liveness:Scheduler",
    # Beat shows progress at least this often.
    beat_max_loop_interval=MINUTE,
    beat_schedule={"count-documents": {"task": "app.worker.count", "schedule": 60 * MINUTE}},
)


worker_ready.connect(shutdown.watch)
worker_ready.connect(protection.watch)
worker_ready.connect(liveness.show_worker)
worker_init.connect(liveness.heartbeat)
heartbeat_sent.connect(liveness.heartbeat)
worker_shutting_down.connect(protection.end)


@worker_init.connect
def prepare(**_: object) -> None:
    """Create the table before the first task."""
    database.prepare()


@app.task
def remember(name: str, embedding: list[float]) -> str:
    """Store a document. A task may run twice, so it overwrites the row."""
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO documents VALUES (%s, %s::vector)"
            " ON CONFLICT (name) DO UPDATE SET embedding = excluded.embedding",
            (name, str(embedding)),
        )
    return name


@app.task
def count() -> int:
    """The number of documents; beat runs it every hour."""
    with database.connect() as connection:
        (documents,) = connection.execute("SELECT count(*) FROM documents").fetchone() or (0,)
    return int(documents)
