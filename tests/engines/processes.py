"""Ports and processes of the engines."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.engines.places import EngineError

HOST = "localhost"
ADDRESS = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 20.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, what: str
) -> None:
    """Return when the server is ready. Raises EngineError with its last words when it ends first, or takes too long."""
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            lines = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise EngineError(f"{what} did not start: {' | '.join(lines) or 'it said nothing'}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], signal: int) -> None:
    """End a process that this one started, by force if it does not end by itself."""
    process.send_signal(signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
