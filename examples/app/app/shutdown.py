"""Ends a worker whose shutdown hangs, while there is still time to return its jobs to the queue.

Celery 5.7 shuts down within the handler of the signal. If the signal interrupts the sending of a job to a child process, the
shutdown waits for that job without end. The same holds for a child process that does not react. Then ECS kills the worker, and
its jobs wait for the visibility timeout, an hour. Without child processes, the shutdown goes on and returns the jobs.
"""

import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

import billiard

LOGGER = logging.getLogger(__name__)
# After the soft shutdown; of the 120 seconds of ECS, ten remain for returning jobs.
RESERVE_SECONDS = 10


def kill_children() -> None:
    """End the child processes of the worker at once."""
    for child in billiard.active_children():
        LOGGER.warning("Process %s does not end, so it is killed", child.pid)
        os.kill(child.pid, signal.SIGKILL)


def watch(sender: Any, **_: object) -> None:
    """Connected to ``worker_ready``: SIGTERM starts a timer, and then Celery's own handler."""
    shut_down = signal.getsignal(signal.SIGTERM)
    seconds = sender.app.conf.worker_soft_shutdown_timeout + RESERVE_SECONDS

    def handle(number: int, frame: FrameType | None) -> None:
        timer = threading.Timer(seconds, kill_children)
        timer.daemon = True
        timer.start()
        if callable(shut_down):
            shut_down(number, frame)

    signal.signal(signal.SIGTERM, handle)
