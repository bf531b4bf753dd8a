"""A worker and a beat that hang: their event loop waits for something that never comes."""

# Celery has no types.
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import time
from typing import Any

from app.liveness import Scheduler
from celery.worker.control import control_command

FOREVER = 100_000


@control_command()
def hang(state: Any) -> None:
    """A remote control command, which the event loop of a worker runs."""
    del state
    time.sleep(FOREVER)


class HangingScheduler(Scheduler):
    """Beat's first round is its last."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        super().tick(*args, **kwargs)
        time.sleep(FOREVER)
