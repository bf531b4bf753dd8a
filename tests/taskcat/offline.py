"""Three small changes with which taskcat runs against the embedded AWS; none changes its checks.

- Its report loads a style sheet from GitHub: it gets a local one.
- It looks at a stack once a minute, and reports every ten seconds: both become as quick as the embedded AWS.
- The hook that takes deletion protection off waits half a minute between two looks: it does so likewise.

taskcat's bucket needs none: with ``s3_regional_buckets`` it is one a region and stays, where a single one is made anew at
the end of each run and left (https://github.com/aws-ia/taskcat/issues/652).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import urlsplit

import taskcat._cfn.stack
import taskcat._generate_reports
import taskcat._tui

import taskcat_plugin_protection

STYLE = Path(__file__).with_name("report.css")
SECONDS = 0.5


@contextmanager
def offline() -> Iterator[None]:
    """Run taskcat against the embedded AWS that AWS_ENDPOINT_URL names.

    Raises ValueError if that is not on this machine, because an account would throttle so many calls.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if urlsplit(endpoint).hostname != "127.0.0.1":
        raise ValueError(
            f"AWS_ENDPOINT_URL is {endpoint!r}, no address of an embedded AWS; run `taskcat test run -i taskcat.yml` for an account."
        )
    style = SimpleNamespace(text=STYLE.read_text(encoding="utf-8"))
    with (
        patch.object(
            taskcat._generate_reports, "requests", SimpleNamespace(get=lambda *_, **__: style)
        ),
        patch.object(taskcat._cfn.stack, "Timer", timer),
        patch.object(taskcat._tui, "time", SimpleNamespace(sleep=sleep)),
        patch.object(taskcat_plugin_protection, "POLL_SECONDS", SECONDS),
    ):
        yield


def timer(seconds: float, function: Callable[[], None]) -> threading.Timer:
    """A timer that does not wait a minute."""
    return threading.Timer(min(seconds, SECONDS), function)


def sleep(seconds: float) -> None:
    """A sleep that does not take ten seconds."""
    time.sleep(min(seconds, SECONDS))
