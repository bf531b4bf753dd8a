"""Celery workers, and an ECS service, of which the function measures the queues."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from templates_src.functions.queue_depth.broker import queue_keys
from templates_src.functions.queue_depth.handler import handler
from tests.engines.valkey import Valkey

PROJECT_FOLDER = Path(__file__).resolve().parents[3]
PREFIX = "{carbon-dev}:"
PATIENCE = 30.0

in_one_mode = pytest.mark.parametrize("server", ["cluster"], indirect=True)

Store = Callable[[str], str]


@dataclass
class Celery:
    """Celery of one version against one server."""

    server: Valkey
    folder: Path
    tree: Path | None
    transport: dict[str, Any] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        path = [*([str(self.tree)] if self.tree else []), str(PROJECT_FOLDER)]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "CELERY_BROKER_URL": self.server.url,
            "CELERY_KEY_PREFIX": PREFIX,
            "GATE": str(self.folder / "gate"),
            "DONE": str(self.folder / "done"),
            "TRANSPORT": json.dumps(self.transport),
        }

    def publish(self, *batches: dict[str, Any]) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.functions.queue_depth.celery_app",
            json.dumps(batches),
        ]
        done = subprocess.run(
            command,
            env=self.environment(),
            cwd=PROJECT_FOLDER,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def open_gate(self) -> None:
        (self.folder / "gate").touch()

    def done(self) -> int:
        log = self.folder / "done"
        return log.stat().st_size if log.exists() else 0

    @contextmanager
    def worker(self, queues: str, concurrency: int) -> Iterator[None]:
        log = self.folder / "worker.log"
        options = ["-Q", queues, "-c", str(concurrency), "-l", "WARNING"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(
                        sys.executable,
                        "-m",
                        "celery",
                        "-A",
                        "tests.functions.queue_depth.celery_app",
                        "worker",
                    ),
                    *(*options, "--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                env=self.environment(),
                cwd=PROJECT_FOLDER,
                stdout=output,
                stderr=output,
            )
        try:
            yield
        except AssertionError as error:
            error.add_note(f"The worker said: {log.read_text()[-2000:]}")
            raise
        finally:
            # Open the gate for waiting tasks: a worker ends when its tasks have ended.
            self.open_gate()
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def unacknowledged(self) -> int:
        with self.server.client() as client:
            return int(client.hlen(f"{PREFIX}unacked"))

    def waiting(self, queue: str) -> int:
        with self.server.client() as client:
            return sum(client.llen(key) for key in queue_keys(PREFIX, queue))

    def version(self) -> str:
        command = [sys.executable, "-c", "import celery; print(celery.__version__)"]
        return subprocess.check_output(command, env=self.environment(), text=True).strip()


@dataclass
class Fleet:
    """An ECS service with this number of running tasks and a separate namespace for its metrics."""

    client: Any
    namespace: str
    cluster: str
    service: str

    def scale(self, count: int) -> None:
        ecs = self.client("ecs")
        ecs.update_service(cluster=self.cluster, service=self.service, desiredCount=count)
        (service,) = ecs.describe_services(cluster=self.cluster, services=[self.service])[
            "services"
        ]
        assert service["runningCount"] == count

    def published(self) -> dict[str, list[dict[str, str]]]:
        """The dimensions of every metric in the namespace, by metric name."""
        metrics = self.client("cloudwatch").list_metrics(Namespace=self.namespace)["Metrics"]
        return {each["MetricName"]: each["Dimensions"] for each in metrics}


def depth() -> int:
    return int(handler({}, None)["QueueDepth"])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the worker did not get there"
        time.sleep(0.02)
