"""The log of a part of an environment: api, worker, beat, the search server, the migration."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.aws import Aws, aws_errors
from pipeline.errors import PipelineError, listed
from pipeline.stacks.diagnosis.resources import LOG_GROUPS, compute_resources

# Seconds between two reads of a log that is followed.
INTERVAL, EMBEDDED_INTERVAL = 2.0, 0.1
_DURATION = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def polling_interval(aws: Aws) -> float:
    """Seconds between two reads of a log."""
    return EMBEDDED_INTERVAL if aws.is_embedded else INTERVAL


@dataclass(frozen=True)
class LogLine:
    """An event of a log; ``source`` is the task or the instance that wrote it."""

    time: datetime
    source: str
    text: str


def log_group(aws: Aws, stack: Mapping[str, Any], name: str) -> str:
    """The log group of a part of an environment. Raises PipelineError if the environment has no such log."""
    if name not in LOG_GROUPS:
        raise PipelineError(f"There is no log {name!r}; choose {listed(list(LOG_GROUPS))}.")
    group = compute_resources(aws, stack["StackId"]).get(LOG_GROUPS[name])
    if group is None or not group.exists:
        raise PipelineError(
            f"{stack['StackName']} has no log of {name}: its release or its parameters do not create it, or the launch failed; "
            "run `why` for the reason."
        )
    return group.physical_id


def start_of(since: str, now: datetime) -> datetime:
    """The time that --since names: a duration before now, such as 30m, or a time in ISO 8601, in UTC without an offset.

    Raises PipelineError for another text.
    """
    if duration := _DURATION.fullmatch(since):
        try:
            return now - timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        except OverflowError:
            pass
    try:
        named = datetime.fromisoformat(since)
    except ValueError:
        raise PipelineError(
            f"--since is {since!r}; give a duration such as 30m, 2h or 1d, or a time such as 2026-11-28T09:30."
        ) from None
    return named if named.tzinfo else named.replace(tzinfo=UTC)


def read_log(aws: Aws, group: str, since: datetime) -> Iterator[LogLine]:
    """The lines of a log group since a time, as they are now. Raises PipelineError for an error of AWS."""
    yield from _read(aws, group, int(since.timestamp() * 1000), set())


def follow_log(
    aws: Aws, group: str, since: datetime, wait: Callable[[float], None] = time.sleep
) -> Iterator[LogLine]:
    """The lines of a log group since a time, and new ones as they appear, without an end."""
    start, seen = int(since.timestamp() * 1000), set[str]()
    while True:
        for line in _read(aws, group, start, seen):
            start = max(start, int(line.time.timestamp() * 1000))
            yield line
        wait(polling_interval(aws))


def _read(aws: Aws, group: str, start: int, seen: set[str]) -> Iterator[LogLine]:
    with aws_errors(f"read the log group {group}"):
        pages = aws.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group, startTime=start):
            for event in page["events"]:
                if event["eventId"] in seen:
                    continue
                seen.add(event["eventId"])
                yield LogLine(
                    datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                    event["logStreamName"].rpartition("/")[2],
                    event["message"].rstrip("\n"),
                )
