"""Shows that worker and beat make progress, and ends a process that hangs, so that ECS starts another task.

The queue-depth function reads both signs from the cache, and alarms say when they are missing. A process without progress for
ten minutes writes the stack of each thread to its log and ends with status 1. This needs no shell in the image, and works
although the process waits for something that never comes.
"""

# Celery has no types.
# mypy: disallow-subclassing-any=False

import faulthandler
import logging
import os
import threading
import time
from typing import Any

import redis
from celery.beat import PersistentScheduler

LOGGER = logging.getLogger(__name__)
HANG_SECONDS = int(os.environ.get("HANG_SECONDS", "600"))
SIGN_SECONDS, ANSWER_SECONDS = 30, 5
# The signs of workers that ended disappear after an hour.
KEPT_SECONDS = 3600
STANDARD_ERROR = 2
# The names of both keys are part of the container contract.
BEAT_KEY, WORKERS_KEY = "alive.beat", "alive.workers"


class Progress:
    """The progress of this process. ``tick`` says that it goes on, and sets the clock back."""

    def __init__(self) -> None:
        self.at = self.armed = float("-inf")

    def tick(self) -> None:
        """Start the ten minutes again. A thread in C counts them, so that it also ends a process that blocks Python."""
        self.at = time.monotonic()
        if self.at - self.armed >= 1:
            self.armed = self.at
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=STANDARD_ERROR)


progress = Progress()


def cache() -> redis.Redis:
    """A client of the broker's server."""
    return redis.Redis.from_url(
        os.environ["CELERY_BROKER_URL"],
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
    )


def key(name: str) -> str:
    """A key with Celery's prefix."""
    return f"{os.environ['CELERY_KEY_PREFIX']}{name}"


def heartbeat(**_: object) -> None:
    """Connected to ``heartbeat_sent``, which the event loop of a worker's main process sends every two seconds.

    Also to ``worker_init``, so that a worker that never reaches the cache ends.
    """
    progress.tick()


def show_worker(sender: Any, **_: object) -> None:
    """Connected to ``worker_ready``: a thread shows the last heartbeat, so that the event loop never waits for the cache."""

    def run() -> None:
        with cache() as client:
            while True:
                if time.monotonic() - progress.at < SIGN_SECONDS:
                    now = time.time()
                    try:
                        client.zadd(key(WORKERS_KEY), {sender.hostname: now})
                        client.zremrangebyscore(key(WORKERS_KEY), 0, now - KEPT_SECONDS)
                    except redis.RedisError as error:
                        LOGGER.warning("The cache does not take the sign of this worker: %s", error)
                time.sleep(SIGN_SECONDS)

    threading.Thread(target=run, name="liveness", daemon=True).start()


class Scheduler(PersistentScheduler):
    """The scheduler of beat: each round is progress, at least once in ``beat_max_loop_interval`` seconds."""

    shown = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """A round."""
        seconds = super().tick(*args, **kwargs)
        progress.tick()
        if progress.at - self.shown >= SIGN_SECONDS:
            self.shown = progress.at
            try:
                with cache() as client:
                    client.set(key(BEAT_KEY), time.time())
            except redis.RedisError as error:
                LOGGER.warning("The cache does not take the sign of beat: %s", error)
        return seconds
