"""The Celery application of the queue tests, with the settings of the container contract.

It runs in a separate process, with the Celery that is first on PYTHONPATH. `python -m tests.functions.queue_depth.celery_app JSON`
publishes messages: a list of objects with `queue`, `count`, `priorities` (a list that the messages take in turn, null for
none) and, for delayed messages, `countdown` in seconds. `TRANSPORT` in the environment is JSON with further transport options.
"""

import itertools
import json
import os
import sys
import time
from pathlib import Path

from celery import Celery

OPTIONS = {"global_keyprefix": os.environ["CELERY_KEY_PREFIX"]}
FURTHER = json.loads(os.environ.get("TRANSPORT", "{}"))

app = Celery("queues", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(
    broker_transport_options={**OPTIONS, "visibility_timeout": 3600, **FURTHER},
    result_backend_transport_options=OPTIONS,
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


def work() -> None:
    """Wait until the gate is open, work for a moment, and write a byte."""
    gate, done = Path(os.environ["GATE"]), Path(os.environ["DONE"])
    while not gate.exists():
        time.sleep(0.02)
    time.sleep(0.002)
    with done.open("ab") as log:
        log.write(b".")


# By name, because the publisher knows this module as __main__.
task = app.task(work, name="work")


def publish(
    queue: str, count: int, priorities: list[int | None], countdown: float | None = None
) -> None:
    """Send that many messages to the queue over one connection."""
    with app.producer_pool.acquire(block=True) as producer:
        for _, priority in zip(range(count), itertools.cycle(priorities), strict=False):
            task.apply_async(queue=queue, priority=priority, countdown=countdown, producer=producer)


if __name__ == "__main__":
    for batch in json.loads(sys.argv[1]):
        publish(**batch)
