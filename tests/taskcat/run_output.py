"""The output of a run of taskcat, and its end if taskcat itself would wait without end."""

from __future__ import annotations

import _thread
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


def say_how_it_goes() -> None:
    """Print only the statuses of each stack, and errors."""
    logger = logging.getLogger("taskcat")
    logger.handlers = [logging.StreamHandler(sys.stdout)]
    logger.setLevel(logging.ERROR)
    for telling in ("taskcat._tui", "taskcat.taskcat_plugin_protection"):
        logging.getLogger(telling).setLevel(logging.INFO)


@contextmanager
def watched(problems: list[str], longest: float) -> Iterator[None]:
    """Interrupt this thread if taskcat no longer reads a stack, and after ``longest`` seconds.

    taskcat reads its stacks in timers. If credentials expire, the timer ends with an error, and taskcat waits for the
    stack without end.
    """

    def lost(arguments: threading.ExceptHookArgs) -> None:
        end(f"taskcat lost sight of its stacks: {arguments.exc_value}")

    def end(why: str) -> None:
        problems.append(why)
        _thread.interrupt_main()

    limit = threading.Timer(longest, end, [f"The run took longer than {longest / 60:.0f} minutes"])
    limit.daemon = True
    limit.start()
    try:
        with patch.object(threading, "excepthook", lost):
            yield
    finally:
        limit.cancel()
