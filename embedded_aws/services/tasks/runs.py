"""The life of a started task: PROVISIONING, PENDING, RUNNING, and STOPPED with an exit code and log lines.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.services.function_roles import session_of
from embedded_aws.services.tasks import start
from embedded_aws.services.tasks.images import Program
from embedded_aws.settings import client_environment

Record = dict[str, Any]
# A task that ECS stops gets SIGTERM, and SIGKILL after StopTimeout, 30 seconds by default.
_STOP_SECONDS = 30
# How often a running program is looked at, in seconds.
_TICK = 0.02
_running: dict[str, subprocess.Popen[str]] = {}


class _StoppedError(Exception):
    """StopTask or a reset ended the task before its container started."""


def run(task: Record, definition: Record, overrides: list[Record]) -> None:
    """Run a task from PROVISIONING to STOPPED, in the thread of the caller."""
    container = definition["containerDefinitions"][0]
    override = next((each for each in overrides if each.get("name") == container["name"]), {})
    try:
        _enter(task, functions.mark_task_pending)
        image = start.pull(definition, container)
        task["containers"][0]["imageDigest"] = image.digest or None
        variables = start.environment(definition, container)
        variables |= {each["name"]: each["value"] for each in override.get("environment", [])}
        start.require_log_group(container)
        _enter(task, functions.mark_task_running)
        task["containers"][0]["lastStatus"] = "RUNNING"
        command = override.get("command") or container.get("command") or []
        log = _Log(task, container)
        if image.program is None:
            log.write(f"embedded AWS: no program stands for {container['image']}")
            code: int | None = 0
        else:
            code = _run_program(task, container, image.program, command, variables, log)
    except start.StartError as problem:
        _fail(task, str(problem))
    except _StoppedError:
        _end(task, None)
    else:
        _end(task, code)


def request_stop(task: Record, reason: str) -> None:
    """Send SIGTERM to the program of a task; its thread ends the task, after StopTimeout with SIGKILL."""
    task.update(desiredStatus="STOPPED", _stop_reason=reason)
    process = _running.get(task["taskArn"])
    if process is not None:
        _signal(process, signal.SIGTERM)


def end_all() -> None:
    """End every program, because the emulator ends."""
    for process in list(_running.values()):
        _signal(process, signal.SIGKILL)


def _enter(task: Record, mark: Any) -> None:
    if not mark(task["taskArn"], task):
        raise _StoppedError


def _run_program(
    task: Record,
    container: Record,
    program: Program,
    command: list[str],
    variables: dict[str, str],
    log: _Log,
) -> int | None:
    """The exit code of the command, and its lines in the log."""
    try:
        process = subprocess.Popen(
            command,
            cwd=program.directory,
            env={**_environment(task), **program.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as problem:
        return _not_started(container, command, problem, log)
    _running[task["taskArn"]] = process
    reader = threading.Thread(target=log.follow, args=(process,), daemon=True)
    reader.start()
    try:
        return _wait(task, container, process)
    finally:
        _signal(process, signal.SIGKILL)
        reader.join(2)
        del _running[task["taskArn"]]


def _wait(task: Record, container: Record, process: subprocess.Popen[str]) -> int:
    """The exit code: 128 plus the number of a signal, as in a container."""
    killed_at: float | None = None
    while process.poll() is None:
        if tables.TASKS.get(task["taskArn"]) is not task:
            _signal(process, signal.SIGKILL)
        elif task["desiredStatus"] == "STOPPED":
            killed_at = killed_at or time.monotonic() + container.get("stopTimeout", _STOP_SECONDS)
            _signal(process, signal.SIGKILL if time.monotonic() > killed_at else signal.SIGTERM)
        time.sleep(_TICK)
    code: int = process.returncode
    return code if code >= 0 else 128 - code


def _not_started(container: Record, command: list[str], problem: OSError, log: _Log) -> int:
    """What follows a command that does not exist: with an init process, that process starts and ends with 127."""
    name = command[0] if command else ""
    if (container.get("linuxParameters") or {}).get("initProcessEnabled"):
        log.write(f"[FATAL tini (7)] exec {name} failed: {problem.strerror}")
        return 127
    raise start.StartError(
        "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to"
        " create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec:"
        f' "{name}": executable file not found in $PATH: unknown'
    )


def _environment(task: Record) -> dict[str, str]:
    """The variables that every container gets: PATH, and the endpoint and credentials of the task's role."""
    region = task["taskArn"].split(":")[3]
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    variables = {"PATH": os.environ.get("PATH", ""), **client_environment(endpoint, region)}
    role = task.get("_task_role")
    if role:
        variables |= session_of(role, task["taskArn"].rpartition("/")[2])
    return variables


def _signal(process: subprocess.Popen[str], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _fail(task: Record, reason: str) -> None:
    task["containers"][0]["reason"] = reason
    functions.mark_task_stopped(task["taskArn"], task, reason, "TaskFailedToStart")


def _end(task: Record, code: int | None) -> None:
    """Mark a task as stopped, because its container ended or because StopTask stopped it."""
    reason, stop_code = "Essential container in task exited", "EssentialContainerExited"
    if "_stop_reason" in task:
        reason, stop_code = task["_stop_reason"], "UserInitiated"
        # ministack stops only tasks that are not stopping.
        task["desiredStatus"] = "RUNNING"
    functions.mark_task_stopped(task["taskArn"], task, reason, stop_code, exit_code=code)


class _Log:
    """The stream of a container in its log group."""

    def __init__(self, task: Record, container: Record) -> None:
        identity = task["taskArn"].rpartition("/")[2]
        self._config = functions.awslogs_config(container, identity, identity)
        if self._config and not functions.create_awslogs_stream(self._config):
            self._config = None

    def write(self, line: str) -> None:
        """Add one line."""
        if self._config:
            functions.put_awslogs_event(self._config, line)

    def follow(self, process: subprocess.Popen[str]) -> None:
        """Add every line of a program's output."""
        assert process.stdout is not None  # noqa: S101 - opened as a pipe by the only caller
        for line in process.stdout:
            self.write(line.rstrip("\n"))
