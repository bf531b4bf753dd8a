"""A launched environment, and its application on real engines."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg

from templates_src.core.parameters.shared import DATABASE_OWNER
from templates_src.data.extensions import NAMES
from templates_src.functions.custom_resource import Deadline
from templates_src.functions.database_extensions.extensions import create_extensions
from templates_src.functions.database_extensions.ownership import take_over
from templates_src.functions.database_extensions.postgres import Endpoint, connected
from templates_src.functions.database_extensions.roles import Application, ensure_roles
from tests.contract.containers import (
    PATIENCE,
    Container,
    Machine,
    ServiceSpec,
    answer,
    containers_of,
    injected,
)
from tests.engines.processes import free_port
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey
from tests.launches.environments import Environment

TAG = "1.4.2"
API_KEY = '{"value": "a key put by hand"}'


@dataclass(frozen=True)
class Deployment:
    """The current environment: its containers by name, and the outputs of its data layer."""

    environment: Environment
    containers: dict[str, Container]
    data: dict[str, str]

    @classmethod
    def of(cls, environment: Environment) -> Deployment:
        return cls(environment, containers_of(environment), environment.outputs("Data"))

    def secrets(self, name: str) -> dict[str, str]:
        """The current values of a container's secrets."""
        return injected(self.environment, self.containers[name])


@dataclass(frozen=True)
class History:
    """dev with the placeholder and, after an update, with the image; with the ARN of each service before and after."""

    placeholder: Deployment
    image: Deployment
    services: tuple[dict[str, str], dict[str, str]]


def deploy_in_two_steps(environment: Environment) -> History:
    """Launch an environment, set an API key, and update it with an image."""
    assert environment.launch().status == "CREATE_COMPLETE"
    placeholder, before = Deployment.of(environment), services_of(environment)
    environment.client("secretsmanager").put_secret_value(
        SecretId=environment.physical_id("Security.ClaudeApiKeySecret"), SecretString=API_KEY
    )
    assert environment.launch(ImageTag=TAG).status == "UPDATE_COMPLETE"
    return History(placeholder, Deployment.of(environment), (before, services_of(environment)))


def services_of(environment: Environment) -> dict[str, str]:
    """ARN of each service."""
    return {
        name: resource.physical_id
        for name, resource in environment.resources().items()
        if resource.type == "AWS::ECS::Service"
    }


@dataclass
class Stack:
    """The application of a deployment against real engines."""

    deployment: Deployment
    postgres: Rds
    valkey: Valkey
    machine: Machine
    port: int = field(default_factory=free_port)

    def secrets(self, name: str) -> dict[str, str]:
        """The secrets of a container, with the engines' addresses in place of those of the embedded AWS."""
        data = self.deployment.data
        database = f"@{data['DatabaseHost']}:{data['DatabasePort']}/"
        cache = f"@{data['CacheHost']}:{data['CachePort']}/"
        values = self.deployment.secrets(name)
        for variable, old, new in (
            ("DATABASE_URL", database, f"@{self.postgres.host}:{self.postgres.port}/"),
            ("CELERY_BROKER_URL", cache, f"@{self.valkey.host}:{self.valkey.port}/"),
            ("CELERY_RESULT_BACKEND", cache, f"@{self.valkey.host}:{self.valkey.port}/"),
        ):
            if variable in values:
                assert values[variable].count(old) == 1
                values[variable] = values[variable].replace(old, new)
        return values

    def api(self) -> ServiceSpec:
        """The api on a free port, answering."""
        api = self.run_api()
        api.wait_for(lambda: self.get("/health")[0] == 200)
        return api

    def run_api(self, **variables: str) -> ServiceSpec:
        """The api on a free port, which starts; ``variables`` are added or replace its variables."""
        return self._run("api", {"8000": str(self.port)}, **variables)

    def worker(self, *further: str, **variables: str) -> ServiceSpec:
        """A worker; ``further`` are arguments of its command, ``variables`` replace its variables."""
        return self._run("worker", {}, *further, **variables)

    def beat(self, *further: str, **variables: str) -> ServiceSpec:
        """Beat, whose schedule file is in the machine's folder; with ``further`` and ``variables`` like a worker."""
        folder = {"/tmp/": f"{self.machine.folder}/"}  # noqa: S108
        return self._run("beat", folder, *further, **variables)

    def _run(
        self, name: str, replaced: dict[str, str], *further: str, **variables: str
    ) -> ServiceSpec:
        values = {**self.secrets(name), **variables}
        return self.machine.run(self.deployment.containers[name], values, replaced, *further)

    def get(self, path: str) -> tuple[int, Any]:
        return answer(f"http://127.0.0.1:{self.port}/api/v1{path}")

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        return answer(f"http://127.0.0.1:{self.port}/api/v1{path}", body)

    def remember(self, name: str, *embedding: float) -> str:
        """Send a document to a worker; returns the task."""
        status, body = self.post("/documents", {"name": name, "embedding": embedding})
        assert status == 202
        return str(body["task"])

    def result(self, task: str) -> Any:
        """The result of a task, or None until it has one."""
        return self.get(f"/tasks/{task}")[1]["result"]

    def database(self) -> psycopg.Connection:
        """A connection of the application's user."""
        url = self.secrets("worker")["DATABASE_URL"]
        root = str(self.postgres.identity.root)
        return psycopg.connect(url, sslmode="verify-full", sslrootcert=root)

    def key(self, name: str) -> str:
        """A key of Celery on the server."""
        return f"{self.deployment.containers['worker'].variables['CELERY_KEY_PREFIX']}{name}"

    def waiting(self) -> int:
        with self.valkey.client() as client:
            return int(client.llen(self.key("celery")))

    def unacknowledged(self) -> int:
        with self.valkey.client() as client:
            return int(client.hlen(self.key("unacked")))


def make_database(server: Rds, url: str) -> None:
    """A new instance with the database of a URL; the function of the data layer creates extensions and user."""
    parts = urlsplit(url)
    server.make_instance(database=parts.path.removeprefix("/"))
    endpoint = Endpoint(server.host, server.port, server.database, server.user, server.password)
    application = Application(DATABASE_OWNER, str(parts.username), str(parts.password))
    deadline = Deadline.after(PATIENCE)
    tls = ssl.create_default_context(cafile=str(server.identity.root))
    with connected(endpoint, tls, deadline) as connection:
        create_extensions(connection, NAMES)
        ensure_roles(connection, endpoint, application)
        take_over(connection, endpoint, application, deadline)


@contextmanager
def cache_user(valkey: Valkey, url: str, access: str) -> Iterator[None]:
    """The user of a URL, with the access that the data layer gives it, on an empty server."""
    parts = urlsplit(url)
    valkey.clear()
    with valkey.client() as client:
        client.execute_command(
            "ACL", "SETUSER", parts.username, *access.split(), f">{parts.password}"
        )
    try:
        yield
    finally:
        with valkey.client() as client:
            client.execute_command("ACL", "DELUSER", parts.username)
        valkey.clear()
