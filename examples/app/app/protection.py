"""Protects the ECS task of a worker while it has jobs, so that neither a scale-in nor a deployment ends it meanwhile.

A job that ends within the two minutes between SIGTERM and SIGKILL needs no protection. A longer one would be interrupted and
done again. A thread of the worker's main process looks every two seconds which jobs run in its child processes.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
"""

import json
import logging
import math
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from typing import Any

from celery.worker import state

LOGGER = logging.getLogger(__name__)
MINUTE = 60
POLL_SECONDS, ANSWER_SECONDS = 2, 5
# Protection lasts this much longer than the longest job, so that a worker with many short jobs renews it rarely.
RESERVE_SECONDS = 10 * MINUTE
# A worker without jobs for so long gives up its protection.
IDLE_SECONDS = 10
RETRY_SECONDS = MINUTE
# A worker that stopped taking jobs for a deployment, and still runs without jobs after this time, takes jobs again.
RESUME_SECONDS = 5 * MINUTE
# The reason of ECS when protected tasks keep a deployment from its end.
BLOCKED = "DEPLOYMENT_BLOCKED"


class ProtectionError(Exception):
    """ECS did not change the protection; the message is its reason."""


def set_protection(agent: str, seconds: float) -> None:
    """Protect the task for this time, at least a minute; 0 ends the protection."""
    body: dict[str, Any] = {"ProtectionEnabled": seconds > 0}
    if seconds > 0:
        body["ExpiresInMinutes"] = max(1, math.ceil(seconds / MINUTE))
    request = urllib.request.Request(  # noqa: S310 (the URL is from ECS)
        f"{agent}/task-protection/v1/state",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            answer = json.load(error)
    except (OSError, ValueError) as error:
        raise ProtectionError(str(error)) from error
    if "protection" not in answer:
        failure = answer.get("failure") or answer.get("error") or {}
        raise ProtectionError(failure.get("Reason") or failure.get("Code") or str(answer))


class Guard:
    """Keeps the protection of a task in step with its jobs.

    ``longest`` is the time limit of a job in seconds. ``pause`` stops taking jobs, and ``resume`` takes them again.
    """

    def __init__(
        self, agent: str, longest: float, pause: Callable[[], None], resume: Callable[[], None]
    ) -> None:
        self.agent, self.longest, self.pause, self.resume = agent, longest, pause, resume
        self.started: dict[str, float] = {}
        self.protected_until = -math.inf
        self.busy_at = self.retry_at = -math.inf
        self.paused = False

    def step(self, now: float, jobs: Collection[str]) -> None:
        """Compare with the jobs that run now, at a time of a monotonic clock."""
        self.started = {job: self.started.get(job, now) for job in jobs}
        if jobs:
            self.busy_at = now
            needed = max(self.started.values()) + self.longest
            if needed > self.protected_until:
                self._protect(now, needed + RESERVE_SECONDS)
            return
        idle = now - self.busy_at
        if self.protected_until > now and idle >= IDLE_SECONDS:
            self._protect(now, now)
        if self.paused and idle >= RESUME_SECONDS:
            LOGGER.info("No deployment replaced this worker: it takes jobs again.")
            self.paused = False
            self.resume()

    def _protect(self, now: float, until: float) -> None:
        if now < self.retry_at:
            return
        try:
            set_protection(self.agent, until - now)
        except ProtectionError as error:
            self.retry_at = now + RETRY_SECONDS
            if str(error) == BLOCKED and not self.paused:
                LOGGER.info(
                    "A deployment waits for this worker: it completes its jobs and takes no others."
                )
                self.paused = True
                self.pause()
            elif str(error) != BLOCKED:
                LOGGER.warning("The protection of this task cannot be changed: %s", error)
        else:
            self.protected_until, self.retry_at = until, -math.inf


def active_jobs() -> list[str]:
    """The IDs of the jobs in child processes. The main thread changes the set at any time, so that a copy can fail."""
    while True:
        try:
            return [job.id for job in state.active_requests]
        except RuntimeError:
            time.sleep(0)


_ended = threading.Event()


def watch(sender: Any, **_: object) -> None:
    """Start to watch the jobs; outside ECS, do nothing."""
    agent = os.environ.get("ECS_AGENT_URI")
    if not agent:
        return
    app, here = sender.app, [sender.hostname]
    queues = list(app.amqp.queues.consume_from)

    def pause() -> None:
        for queue in queues:
            app.control.cancel_consumer(queue, destination=here)

    def resume() -> None:
        for queue in queues:
            app.control.add_consumer(queue, destination=here)

    guard = Guard(agent, app.conf.task_time_limit, pause, resume)

    def run() -> None:
        while not _ended.wait(POLL_SECONDS):
            try:
                guard.step(time.monotonic(), active_jobs())
            except Exception:
                # The broker, for example: jobs matter more than their protection.
                LOGGER.exception("The protection of this task failed")

    threading.Thread(target=run, name="task-protection", daemon=True).start()


def end(**_: object) -> None:
    """ECS stops this task, so that protection has no further effect."""
    _ended.set()
