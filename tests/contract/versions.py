"""Versions of the example application as images, and an environment that rolls from one to the next under requests."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.stacks.deploy import Launched
from tests.contract.application import Deployment, Stack
from tests.contract.containers import EXAMPLE, ServiceSpec, answer
from tests.embedded_aws.tasks import push_program
from tests.engines.processes import free_port

MIGRATION = "python -m app.migrate"
STEPS = "(database.TABLE,)"
SHORT_SHUTDOWN = "worker.soft_shutdown_timeout=2"
INTERVAL_SECONDS = 0.1
# Two health checks of the load balancer, which come every 15 seconds, without the wait between them.
CHECKS = 10
# In place of the addresses of the embedded AWS, those of the real engines: the only difference from the image.
HOSTS = """
import json, os
for variable, (old, new) in json.loads(os.environ["ENGINES"]).items():
    if variable in os.environ:
        os.environ[variable] = os.environ[variable].replace(old, new)
"""


@dataclass(frozen=True)
class Version:
    """A version of the application: further steps of its migration, and whether its api passes the health check."""

    tag: str
    steps: tuple[str, ...] = ()
    healthy: bool = True

    def write(self, folder: Path) -> Path:
        """The folder of the image."""
        program = folder / self.tag
        shutil.copytree(EXAMPLE, program, ignore=shutil.ignore_patterns("__pycache__"))
        steps = ("database.TABLE", *map(repr, self.steps))
        change(program / "app" / "migrate.py", STEPS, f"({', '.join(steps)},)")
        if not self.healthy:
            change(
                program / "app" / "main.py",
                'return {"status": "ok"}',
                "raise HTTPException(503)",
            )
        return program


def change(file: Path, old: str, new: str) -> None:
    """Replace a text that a file has once."""
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


@dataclass
class Clients:
    """A request every 100 ms through the load balancer, to one of the ``ports`` in turn; every second one sends a job."""

    ports: list[int]
    failed: list[str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def serve(self, requests: int = 5) -> None:
        """Wait for this number of requests from now."""
        end = self.sent + requests
        while self.sent < end:
            time.sleep(INTERVAL_SECONDS / 10)

    def _run(self) -> None:
        due = time.monotonic()
        for number in itertools.count():
            if self._ended.is_set():
                return
            self._request(number)
            self.sent += 1
            due += INTERVAL_SECONDS
            self._ended.wait(max(0.0, due - time.monotonic()))

    def _request(self, number: int) -> None:
        port = self.ports[number % len(self.ports)]
        base, name = f"http://127.0.0.1:{port}/api/v1", f"document {number}"
        if number % 2:
            path, body, expected = "/documents", {"name": name, "embedding": [number, 1, 0]}, 202
        else:
            path, body, expected = "/search", {"embedding": [number, 1, 0]}, 200
        status, found = answer(f"{base}{path}", body)
        if status != expected:
            self.failed.append(f"{number}: {path} at {port}: {status}")
        elif number % 2:
            self.jobs[name] = found["task"]


@dataclass
class Tasks:
    """The tasks of one revision."""

    stack: Stack
    api: ServiceSpec
    worker: ServiceSpec
    beat: ServiceSpec


class Rollout:
    """An environment: its running tasks, and its clients."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        self.environment = stack.deployment.environment
        self.settings: dict[str, str] = {}
        self.programs: dict[str, Path] = {}

    def push(self, version: Version) -> None:
        """Push the image of a version."""
        self.programs[version.tag] = program = version.write(self.folder)
        (program / "hosts").mkdir()
        (program / "hosts" / "sitecustomize.py").write_text(HOSTS)
        repository = self.environment.outputs()["RepositoryUri"].partition("/")[2]
        push_program(
            self.environment.client("ecr"),
            repository,
            version.tag,
            program,
            PATH=f"{Path(sys.executable).parent}:/usr/bin:/bin",
            PYTHONPATH=str(program / "hosts"),
            PYTHONDONTWRITEBYTECODE="1",
            ENGINES=json.dumps({"DATABASE_URL": self.address()}),
            **self.stack.machine.trusted,
        )

    def address(self) -> tuple[str, str]:
        """The database's address in the secret, and that of the real server."""
        data, server = self.stack.deployment.data, self.stack.postgres
        old = f"@{data['DatabaseHost']}:{data['DatabasePort']}/"
        return old, f"@{server.host}:{server.port}/"

    def launch(self, **changes: str) -> Launched:
        """Update the environment."""
        launched = self.environment.launch(**{**self.settings, **changes})
        if launched.succeeded:
            self.settings |= changes
        return launched

    def of(self, tag: str) -> Stack:
        """The application in a version, with the task definitions of the environment."""
        machine = replace(self.stack.machine, program=self.programs[tag])
        deployment = Deployment.of(self.environment)
        return replace(self.stack, deployment=deployment, machine=machine, port=free_port())

    def start(self, tag: str) -> Tasks:
        """Start the tasks of a version without others."""
        stack = self.of(tag)
        worker = stack.worker(SHORT_SHUTDOWN)
        worker.wait_for_words("ready.")
        return Tasks(stack, stack.api(), worker, stack.beat())

    def replace_tasks(self, tag: str, former: Tasks, clients: Clients) -> Tasks:
        """Roll to a version: new tasks serve before the old ones stop, except beat."""
        stack = self.of(tag)
        worker = stack.worker(SHORT_SHUTDOWN)
        worker.wait_for_words("ready.")
        api = stack.api()
        clients.ports = [former.stack.port, stack.port]
        clients.serve()
        clients.ports = [stack.port]
        clients.serve()
        former.beat.stop()
        beat = stack.beat()
        former.api.stop()
        former.worker.stop()
        return Tasks(stack, api, worker, beat)

    def try_tasks(self, tag: str, former: Tasks, clients: Clients) -> list[int]:
        """Roll to a version whose api fails; returns the statuses of its health checks. Workers and beat are replaced and roll back."""
        stack = self.of(tag)
        worker = stack.worker(SHORT_SHUTDOWN)
        worker.wait_for_words("ready.")
        former.worker.stop()
        former.beat.stop()
        beat = stack.beat()
        api = stack.run_api()
        api.wait_for(lambda: stack.get("/health")[0])
        statuses = [stack.get("/health")[0] for _ in range(CHECKS)]
        clients.serve()
        # The rollback.
        api.stop()
        former.worker = former.stack.worker(SHORT_SHUTDOWN)
        former.worker.wait_for_words("ready.")
        worker.stop()
        beat.stop()
        former.beat = former.stack.beat()
        clients.serve()
        return statuses


def results(stack: Stack, jobs: Mapping[str, str]) -> dict[str, str | None]:
    """The result of each job, by the name of its document."""
    return {name: stack.result(task) for name, task in jobs.items()}
