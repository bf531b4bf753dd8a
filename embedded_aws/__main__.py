"""Run the embedded AWS in the foreground: `python -m embedded_aws [--port N] [--region R]`."""

import argparse
import asyncio
import contextlib
import errno
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from embedded_aws.settings import (
    DEFAULT_PORT,
    DEFAULT_REGION,
    HOST,
    SCRATCH_PREFIX,
    client_environment,
    prepare_environment,
)


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C; return the exit status (0 stopped, 1 could not start, 2 bad usage)."""
    options = _parse(arguments)
    try:
        listener = _listen(options.port)
    except OSError as problem:
        print(f"embedded_aws: {_port_problem(options.port, problem)}", file=sys.stderr)
        return 1
    with listener, _files(options.scratch) as scratch:
        if options.state_dir and not _can_use(options.state_dir):
            return 1
        port = listener.getsockname()[1]
        prepare_environment(
            port,
            options.region,
            Path(scratch),
            options.state_dir.resolve() if options.state_dir else None,
            options.database or "",
            options.database_ca,
            options.cache or "",
            options.database_host or "",
        )
        # Imported here: ministack reads the environment while it is imported.
        from embedded_aws.serving import serve

        stop = threading.Event()
        with _stopped_by_signals(stop):
            if options.until_stdin_closes:
                threading.Thread(target=_await_end_of_input, args=(stop,), daemon=True).start()
            threading.Thread(target=_leave_in_any_case, args=(stop, scratch), daemon=True).start()
            # Not asyncio.run: it waits for every task, and a stack operation that waits for a
            # function's answer takes up to an hour.
            loop = asyncio.new_event_loop()
            loop.run_until_complete(serve(listener, stop, _announcer(port, options.region)))
    return 0


def _can_use(folder: Path) -> bool:
    """Whether the state directory exists or can be created; says on standard error if not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        print(
            f"embedded_aws: cannot use {folder} as state directory: "
            f"{problem.strerror}; give another one with --state-dir",
            file=sys.stderr,
        )
        return False
    return True


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m embedded_aws",
        description="Run an AWS for rehearsals on 127.0.0.1 until Ctrl-C.",
        epilog="example: python -m embedded_aws --port 4566 --region eu-north-1",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="port (default 4566); 0 chooses a free port",
    )
    parser.add_argument(
        "--region",
        type=_region,
        default=DEFAULT_REGION,
        help="region of requests without a signature",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        help="directory that keeps the state between runs (default: the state is not kept)",
    )
    parser.add_argument(
        "--database",
        metavar="HOST:PORT",
        type=_address,
        help="a real PostgreSQL for all database instances; with it, functions in a VPC run",
    )
    parser.add_argument(
        "--database-host",
        metavar="URL",
        help="a program that runs a real PostgreSQL for each database instance; with it, functions in a VPC run",
    )
    parser.add_argument(
        "--database-ca",
        metavar="FILE",
        type=Path,
        help="PEM file with the certificate authority of the databases",
    )
    parser.add_argument(
        "--cache",
        metavar="URL",
        help="a real Valkey that has the users of every cache: redis://USER:PASSWORD@HOST:PORT",
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--scratch", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not _port(port):
        raise argparse.ArgumentTypeError(f"{text!r} is not an address; give HOST:PORT")
    return text


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,5}(-[a-z]+)+-\d", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a region; give one like eu-north-1")
    return text


def _listen(port: int) -> socket.socket:
    """Return a listening socket. It is bound before anything is loaded, so that no other process takes the port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _port_problem(port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"port {port} of {HOST} is in use; stop what uses it or give another with --port"
    return f"cannot listen on port {port} of {HOST}: {problem.strerror}; give another with --port"


def _announcer(port: int, region: str) -> Callable[[], None]:
    def announce() -> None:
        pairs = client_environment(f"http://{HOST}:{port}", region).items()
        settings = " ".join(f"{name}={value}" for name, value in pairs)
        print(f"Embedded AWS is ready: export {settings}", flush=True)

    return announce


@contextlib.contextmanager
def _files(given: str | None) -> Iterator[str]:
    """The folder for temporary files, given or new; it is removed at the end."""
    scratch = given or tempfile.mkdtemp(prefix=SCRATCH_PREFIX)
    try:
        yield scratch
    finally:
        _remove(scratch)


def _remove(folder: str) -> None:
    """Remove a folder in which a running operation may still create files."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return


# More often than an operation can create a file before the process ends.
_REMOVALS = 20


@contextlib.contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, request_stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Seconds to save state and to end function workers.
_PATIENCE = 4.0


def _leave_in_any_case(stop: threading.Event, scratch: str) -> None:
    """End the process soon after `stop`, even if a request or an operation does not end."""
    stop.wait()
    time.sleep(_PATIENCE)
    _leave(0, scratch)


def _leave(status: int, scratch: str | None = None) -> NoReturn:
    """End without waiting for threads: some threads of ministack never end."""
    if scratch:
        _remove(scratch)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _await_end_of_input(stop: threading.Event) -> None:
    """Set `stop` when standard input ends: the parent closed its end, or ended."""
    with contextlib.suppress(OSError):
        while sys.stdin.buffer.read(1):
            pass
    stop.set()


if __name__ == "__main__":
    _leave(main())
