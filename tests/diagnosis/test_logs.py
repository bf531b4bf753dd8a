"""`logs` shows the log of a service, the search server or the migration, and follows it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.environments.provisioning.stacks import find_stack
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from pipeline.stacks.diagnosis.logs import log_group, start_of
from pipeline.stacks.diagnosis.resources import LOG_GROUPS
from tests.launches.environments import Environment

STACK = "carbon-connect-dev"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def write(environment: Environment, group: str, stream: str, *lines: str, ago: float = 0) -> None:
    """Write lines into a stream, as they were ``ago`` seconds before now."""
    logs = environment.client("logs")
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    if stream not in {each["logStreamName"] for each in streams}:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    moment = int((time.time() - ago) * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": moment, "message": line} for line in lines],
    )


def command(running: EmbeddedAws, *words: str) -> dict[str, Any]:
    return {
        "args": [sys.executable, PROJECT_FOLDER / "build.py", "logs", "dev", *words],
        "env": {"PATH": "/usr/bin:/bin", **running.environment()},
        "text": True,
    }


@pytest.mark.parametrize("name", ["api", "worker", "beat", "search", "migration"])
def test_each_log_is_the_group_of_its_output(
    running: EmbeddedAws, environment: Environment, name: str
) -> None:
    group = environment.outputs()[f"{name.title()}LogGroupName"]
    write(environment, group, f"{name}/{name}/0123456789abcdef", f"[{name}] works")

    finished = subprocess.run(
        **command(running, name), capture_output=True, timeout=60, check=False
    )

    assert finished.returncode == 0, finished.stderr
    (line,) = finished.stdout.splitlines()
    assert line.endswith(f" 01234567 [{name}] works")
    datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def test_only_lines_since_the_time_are_shown(
    running: EmbeddedAws, environment: Environment
) -> None:
    group = environment.outputs()["WorkerLogGroupName"]
    write(environment, group, "worker/worker/since", "an hour ago", ago=3600)

    recent = subprocess.run(
        **command(running, "worker"), capture_output=True, timeout=60, check=True
    )
    older = subprocess.run(
        **command(running, "worker", "--since", "2h"), capture_output=True, timeout=60, check=True
    )

    assert "an hour ago" not in recent.stdout
    assert "an hour ago" in older.stdout


def test_follow_shows_each_new_line_once_until_ctrl_c(
    running: EmbeddedAws, environment: Environment
) -> None:
    group = environment.outputs()["BeatLogGroupName"]
    write(environment, group, "beat/beat/follows", "first")
    process = subprocess.Popen(
        **command(running, "beat", "--follow", "--since", "5s"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    shown = [process.stdout.readline()]
    while "first" not in shown[-1]:
        shown.append(process.stdout.readline())

    write(environment, group, "beat/beat/follows", "second")
    shown.append(process.stdout.readline())
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=30)

    assert "second" in shown[-1]
    assert (rest, errors, process.returncode) == ("", "", 0)


def test_log_that_does_not_exist_is_one_sentence(environment: Environment) -> None:
    stack = find_stack(environment.aws, STACK)

    with pytest.raises(PipelineError, match="There is no log 'web'; choose api, worker, beat, "):
        log_group(environment.aws, stack, "web")
    assert list(LOG_GROUPS) == ["api", "worker", "beat", "search", "migration"]


@pytest.mark.parametrize(
    ("since", "start"),
    [
        ("90s", datetime(2026, 11, 28, 11, 58, 30, tzinfo=UTC)),
        ("30m", datetime(2026, 11, 28, 11, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 28, 10, 0, tzinfo=UTC)),
        ("1d", datetime(2026, 11, 27, 12, 0, tzinfo=UTC)),
        ("2026-11-28T09:30", datetime(2026, 11, 28, 9, 30, tzinfo=UTC)),
        ("2026-11-28T09:30+01:00", datetime(2026, 11, 28, 8, 30, tzinfo=UTC)),
    ],
)
def test_since_is_a_duration_or_a_time(since: str, start: datetime) -> None:
    assert start_of(since, NOW) == start


@pytest.mark.parametrize("since", ["", "soon", "10", "5w", "-5m", "99999999999d"])
def test_another_since_is_refused(since: str) -> None:
    with pytest.raises(PipelineError, match="--since is "):
        start_of(since, NOW)
