"""The application as services: rolling replacement of task revisions behind one address, under traffic."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from tests.contract.application import Deployment, Stack
from tests.contract.containers import ServiceSpec
from tests.engines.processes import free_port

ADDRESS = "127.0.0.1"
ANSWER_SECONDS = 30
# An idle worker ends immediately; this is the limit for a busy one.
SHORT_SHUTDOWN = "worker.soft_shutdown_timeout=2"
# The number of rounds of requests that both revisions serve in parallel.
ROUNDS = 3
# Beat would sleep for a minute between two rounds.
BEAT_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """A response of the api."""

    status: int
    body: Any
    session: str


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """One request over a new connection; ``headers`` have underscores for hyphens."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=ANSWER_SECONDS)
    try:
        connection.request(
            method,
            f"/api/v1{path}",
            None if body is None else json.dumps(body),
            {"Content-Type": "application/json", **headers},
        )
        response = connection.getresponse()
        text = response.read()
        cookie = response.getheader("Set-Cookie", "")
        session = cookie.partition("session=")[2].partition(";")[0]
        return Answer(response.status, json.loads(text) if text else None, session)
    finally:
        connection.close()


@dataclass
class Tasks:
    """The tasks of one revision: an api on a port, a worker and beat."""

    stack: Stack
    api: ServiceSpec
    worker: ServiceSpec
    beat: ServiceSpec

    @classmethod
    def start(cls, stack: Stack, before: Tasks | None = None) -> Tasks:
        """Start api and worker next to the former ones, and beat in place of the former one."""
        worker = stack.worker(SHORT_SHUTDOWN)
        api = stack.api()
        worker.wait_for_words("ready.")
        if before:
            began = time.monotonic()
            before.beat.stop()
            assert time.monotonic() - began < BEAT_SECONDS, "beat ends immediately"
        return cls(stack, api, worker, stack.beat())

    def stop(self) -> None:
        self.api.stop()
        self.worker.stop()


@dataclass
class Service:
    """The three services of an environment: the stack, and the running tasks."""

    stack: Stack
    settings: dict[str, str]
    tasks: Tasks
    traffic: Traffic

    @classmethod
    def start(cls, stack: Stack, settings: dict[str, str]) -> Service:
        tasks = Tasks.start(stack)
        traffic = Traffic([stack.port])
        traffic.start()
        return cls(stack, settings, tasks, traffic)

    @property
    def deployment(self) -> Deployment:
        return self.stack.deployment

    def update(self, **changes: str) -> Deployment:
        """Update the stack under traffic; tasks are replaced where their definition has changed. Returns the deployment before."""
        before, environment = self.deployment, self.deployment.environment
        self.settings |= changes
        assert environment.launch(**self.settings).status == "UPDATE_COMPLETE"
        after = Deployment.of(environment)
        if after.containers != before.containers:
            self._replace_tasks(replace(self.stack, deployment=after, port=free_port()))
        self.stack = replace(self.stack, deployment=after)
        self.traffic.serve(ROUNDS)
        return before

    def _replace_tasks(self, stack: Stack) -> None:
        """Both revisions serve for a while, as in a rolling deployment."""
        former, self.tasks = self.tasks, Tasks.start(stack, self.tasks)
        self.traffic.ports = [former.stack.port, stack.port]
        self.traffic.serve(ROUNDS)
        self.traffic.ports = [stack.port]
        self.traffic.serve(1)
        former.stop()
        self.stack = stack

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request to the newest task."""
        return ask(self.stack.port, method, path, body, **headers)

    def signed_in(self) -> tuple[str, str]:
        """A token and a session of a user who signs in now."""
        answer = self.ask("POST", "/sign-in", {"user": "ada"})
        assert answer.status == 200
        return answer.body["token"], answer.session

    def known_by(self, token: str, session: str) -> tuple[int, int]:
        """The statuses that a token and a session get."""
        return (
            self.ask("GET", "/user", Authorization=f"Bearer {token}").status,
            self.ask("GET", "/session", Cookie=f"session={session}").status,
        )


@dataclass
class Traffic:
    """Users who send requests continuously to each port in turn; ``failed`` has every failed request."""

    ports: list[int]
    failed: list[str] = field(default_factory=list)
    rounds: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()

    def serve(self, rounds: int) -> None:
        """Wait for this number of complete rounds from now."""
        end = self.rounds + rounds + 1
        while self.rounds < end and not self.failed:
            self._ended.wait(0.02)

    def _run(self) -> None:
        for number in itertools.count():
            if self._ended.is_set():
                return
            for first in list(self.ports):
                self._work(number, first)
            self.rounds += 1

    def _work(self, number: int, first: int) -> None:
        """Sign in at one task and use the session with all; send a document to a worker and wait for it."""
        try:
            answer = self._must(ask(first, "POST", "/sign-in", {"user": "ada"}), "sign-in")
            document = {"name": f"document {number}", "embedding": [number, 1, 0]}
            task = self._must(ask(first, "POST", "/documents", document), "documents").body["task"]
            for port in list(self.ports):
                bearer = f"Bearer {answer.body['token']}"
                self._must(ask(port, "GET", "/user", Authorization=bearer), "user")
                cookie = f"session={answer.session}"
                self._must(ask(port, "GET", "/session", Cookie=cookie), "session")
                while self._must(ask(port, "GET", f"/tasks/{task}"), "task").body["result"] is None:
                    if self._ended.wait(0.02):
                        return
        except (OSError, http.client.HTTPException) as problem:
            self.failed.append(repr(problem))
        except AssertionError as problem:
            self.failed.append(str(problem))

    def _must(self, answer: Answer, what: str) -> Answer:
        assert answer.status in (200, 202), f"{what}: {answer.status} {answer.body}"
        return answer
