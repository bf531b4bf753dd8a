"""Why a migration failed, in a sentence for the events of the stack: exit code, last log lines, or why the task did not start."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..custom_resource import REASON_LENGTH, Deadline
from .tasks import Tasks

LOGGER = logging.getLogger(__name__)

LINES = 20
LINE_LENGTH = 240
LOG_SECONDS = 8.0
"""How long CloudWatch Logs may take to show the last lines."""

EXIT_CODES = {
    126: "the command cannot be executed",
    127: "the image has no such command",
    137: "it was killed, because it used more memory than WorkerMemory or did not stop in time",
    139: "it crashed with a segmentation fault",
    143: "it was ended by SIGTERM",
}

# Control sequences of a terminal, and other characters that a reason cannot show.
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
# user:password@ in a URL, and the value of a setting whose name says that it is secret.
_IN_URL = re.compile(r"://[^\s/@:]*:[^\s@/]*@")
_NAMED = re.compile(
    r"(?i)([\w.-]*(?:password|passwd|pwd|secret|token|api[_-]?key|credential)[\w.-]*[\"']?\s*(?:=|:)\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;)}\]]+)"
)


def why_failed(
    task: Mapping[str, Any], properties: Mapping[str, Any], lines: Callable[[], list[str]]
) -> str:
    """Why a stopped task failed; empty if it succeeded. `lines` reads the last lines of its log."""
    container: Mapping[str, Any] = next(iter(task.get("containers", ())), {})
    code, stopped_by = container.get("exitCode"), task.get("stopCode")
    if stopped_by == "TaskFailedToStart" or code is None:
        return _not_started(task, container, properties)[:REASON_LENGTH]
    if stopped_by == "UserInitiated":
        start = f"The migration was stopped: {task.get('stoppedReason', '')}"
    elif code == 0:
        return ""
    else:
        meaning = f" ({EXIT_CODES[code]})" if code in EXIT_CODES else ""
        start = f"The migration failed with exit code {code}{meaning}"
    end = f" Log stream: {Tasks.stream(task['taskArn'])}."
    return _with_lines(f"{start}; no service was changed.", lines(), end)


def _not_started(
    task: Mapping[str, Any], container: Mapping[str, Any], properties: Mapping[str, Any]
) -> str:
    reason = str(container.get("reason") or task.get("stoppedReason") or "ECS gives no reason")
    advice = ""
    image, command = properties["RunsFor"]
    if "CannotPull" in reason:
        advice = f" Push {image}, or correct ImageTag, and update again."
    elif "executable file not found" in reason or "no such file" in reason:
        advice = f" Correct MigrationCommand: the image cannot run {command!r}."
    return (
        f"The migration did not start, and no service was changed.{advice} ECS: {visible(reason)}"
    )


def _with_lines(start: str, lines: list[str], end: str) -> str:
    """The start, as many of the last lines as fit, and the end."""
    shown: list[str] = []
    room = REASON_LENGTH - len(start) - len(end) - len(" Last lines: ")
    for line in reversed([visible(line)[:LINE_LENGTH] for line in lines if line.strip()]):
        room -= len(line) + 3
        if room < 0:
            break
        shown.insert(0, line)
    if not shown:
        return f"{start}{end}"
    return f"{start} Last lines: {' | '.join(shown)}.{end}"


def visible(line: str) -> str:
    """A line without control characters, passwords in URLs and values of secret settings."""
    plain = " ".join(_CONTROL.sub("", line).split())
    return _NAMED.sub(r"\1***", _IN_URL.sub("://***@", plain))


def last_lines(logs: Any, group: str, stream: str, deadline: Deadline) -> list[str]:
    """The last lines of a log stream, once two reads give the same; empty if they cannot be read."""
    patience = Deadline.after(min(LOG_SECONDS, deadline.remaining() / 2))
    before: list[str] | None = None
    while True:
        lines = _read(logs, group, stream)
        if (lines and lines == before) or patience.remaining() == 0:
            return lines
        before = lines
        time.sleep(min(1.0, patience.remaining()))


def _read(logs: Any, group: str, stream: str) -> list[str]:
    try:
        events = logs.get_log_events(
            logGroupName=group, logStreamName=stream, limit=LINES, startFromHead=False
        )["events"]
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the log of the migration cannot be read: %s", type(error).__name__)
        return []
    return [str(event["message"]) for event in events]
