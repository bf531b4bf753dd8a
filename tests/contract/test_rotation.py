"""The procedures of docs/rotation.md for the database, on a real PostgreSQL, while the example application serves requests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from templates_src.core.parameters.shared import RELEASE_PREFIX
from tests.contract.application import TAG
from tests.contract.containers import Machine, ServiceSpec, answer, containers_of, injected
from tests.engines.processes import free_port
from tests.engines.rds import Rds
from tests.launches.environments import Environment
from tests.launches.test_extensions_launched import bring_up, wait_for_secret
from tests.updates.update_paths import planted

PATIENCE = 120
# In place of 135: the time in which the test starts a new task and stops the old one.
RETIREMENT_SECONDS = 20
USERS = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'carbon_app_%' AND rolcanlogin"


def retire_soon(templates: dict[str, dict[str, Any]]) -> None:
    """Shorten the function's wait for the tasks that a rotation replaces."""
    function = templates["data"]["Resources"]["DatabaseExtensionsFunction"]
    variables = function["Properties"]["Environment"]["Variables"]
    variables["RETIREMENT_SECONDS"] = str(RETIREMENT_SECONDS)


class Service:
    """The api service: a running task, continuous requests, and a rolling update."""

    def __init__(self, environment: Environment, machine: Machine) -> None:
        self.environment, self.machine = environment, machine
        self.port, self.task = self.start()
        self.failures: list[object] = []
        self.answered = 0
        self.stopped = threading.Event()
        self.clients = threading.Thread(target=self._ask)
        self.clients.start()

    def rotation(self) -> str:
        return containers_of(self.environment)["api"].variables["DATABASE_ROTATION"]

    def start(self) -> tuple[int, ServiceSpec]:
        """Start a task with the current task definition and secrets."""
        container, port = containers_of(self.environment)["api"], free_port()
        secrets = injected(self.environment, container)
        task = self.machine.run(container, secrets, {"8000": str(port)})
        task.wait_for(lambda: answer(f"http://127.0.0.1:{port}/api/v1/health")[0] == 200)
        return port, task

    def roll(self) -> None:
        """Replace the task: the new one serves before the old one ends."""
        old = self.task
        self.port, self.task = self.start()
        time.sleep(0.5)
        old.stop()

    def _ask(self) -> None:
        while not self.stopped.is_set():
            url = f"http://127.0.0.1:{self.port}/api/v1/search"
            found = answer(url, {"embedding": [1, 0, 0]})
            if found != (200, {"name": "offer"}):
                self.failures.append(found)
            self.answered += 1
            time.sleep(0.05)

    def end(self) -> None:
        self.stopped.set()
        self.clients.join()
        self.machine.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Rds]:
    database = Rds()
    yield database
    database.remove()


@pytest.fixture(scope="module")
def environment(server: Rds, release: Release) -> Iterator[Environment]:
    """dev with an image, on the database."""
    address = f"{server.host}:{server.port}"
    with EmbeddedAws.start(database=address, database_ca=server.identity.root) as running:
        launched = Environment(running, planted(release, retire_soon), "dev")
        with ThreadPoolExecutor(1) as pool:
            launching = pool.submit(launch, launched)
            bring_up(server, wait_for_secret(launched), launched.values()["DatabaseName"])
            assert launching.result(PATIENCE) == "CREATE_COMPLETE"
        yield launched


def launch(environment: Environment, **changes: str) -> str:
    """Launch or update; the status at its end."""
    prefix = {RELEASE_PREFIX.name: environment.release.prefix}
    return environment.launch(ImageTag=TAG, **prefix, **changes).status


@pytest.fixture(scope="module")
def service(environment: Environment, server: Rds, tmp_path_factory: Any) -> Iterator[Service]:
    root: Path = server.identity.root
    with psycopg.connect(url_of(environment), sslmode="verify-full", sslrootcert=str(root)) as db:
        db.execute("CREATE TABLE documents (name text PRIMARY KEY, embedding vector(3) NOT NULL)")
        db.execute("INSERT INTO documents VALUES ('offer', '[1,0,0]')")
    machine = Machine(tmp_path_factory.mktemp("rotation"), {"PGSSLROOTCERT": str(root)})
    serving = Service(environment, machine)
    yield serving
    serving.end()


def url_of(environment: Environment) -> str:
    return str(json.loads(environment.secret_values()["Data.DatabaseUrl"])["url"])


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_rotation_to_another_user_fails_no_request(
    environment: Environment, service: Service, server: Rds
) -> None:
    old_url, old_secret = (
        url_of(environment),
        environment.physical_id("Security.DatabaseUserSecret"),
    )
    with ThreadPoolExecutor(1) as pool:
        updating = pool.submit(launch, environment, DatabaseCredentialsVersion="2")
        wait_until(lambda: updating.done() or service.rotation() == "2")
        assert {row[0] for row in server.run(USERS)} == {"carbon_app_1", "carbon_app_2"}
        secrets = environment.client("secretsmanager")
        assert secrets.get_secret_value(SecretId=old_secret)["SecretString"]
        service.roll()
        assert updating.result(PATIENCE) == "UPDATE_COMPLETE"
    seen = service.answered
    wait_until(lambda: service.answered > seen + 5)

    assert service.failures == []
    assert server.run(USERS) == [["carbon_app_2"]]
    assert "://carbon_app_2:" in url_of(environment)
    assert environment.physical_id("Security.DatabaseUserSecret") != old_secret
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(old_url)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=old_secret)


def test_another_master_password_interrupts_no_request(
    environment: Environment, service: Service, server: Rds
) -> None:
    url = url_of(environment)

    old = change_both(environment, server, None, master="2", user="2")

    assert service.failures == []
    assert server.password != old
    assert url_of(environment) == url
    assert server.run("SELECT current_user") == [["carbon"]]


def test_both_versions_in_one_update(
    environment: Environment, service: Service, server: Rds
) -> None:
    old = change_both(environment, server, service, master="3", user="3")

    assert service.failures == []
    assert server.password != old
    assert server.run(USERS) == [["carbon_app_3"]]
    assert "://carbon_app_3:" in url_of(environment)


def change_both(
    environment: Environment, server: Rds, service: Service | None, *, master: str, user: str
) -> str:
    """Update both versions, and replace the tasks of the service when they have a new user; returns the former master password."""
    old = server.password
    old_secret = environment.physical_id("Security.DatabaseSecret")

    def play_rds() -> None:
        """Apply the new password shortly after the update of the instance, like RDS."""

        def present() -> str:
            held = environment.secret_values()["Security.DatabaseSecret"]
            return str(json.loads(held)["password"])

        wait_until(lambda: present() != old)
        time.sleep(1)
        server.set_password(present())

    with ThreadPoolExecutor(2) as pool:
        rds = pool.submit(play_rds)
        changes = {"DatabaseMasterCredentialsVersion": master, "DatabaseCredentialsVersion": user}
        updating = pool.submit(lambda: launch(environment, **changes))
        rds.result(PATIENCE)
        if service:
            wait_until(lambda: updating.done() or service.rotation() == user)
            service.roll()
        assert updating.result(PATIENCE) == "UPDATE_COMPLETE"
    secrets = environment.client("secretsmanager")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=old_secret)
    return old
