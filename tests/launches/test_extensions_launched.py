"""dev launched with a real PostgreSQL as its database instance: the function of the release creates extensions and user."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.engines.processes import free_port
from tests.engines.rds import Rds
from tests.launches.environments import Environment

SECONDS = 30


@pytest.fixture(scope="module")
def server() -> Iterator[Rds]:
    """A PostgreSQL that does not run yet, like a database that RDS is creating."""
    database = Rds()
    yield database
    database.remove()


@pytest.fixture(scope="module")
def launched(server: Rds, release: Release) -> Iterator[Environment]:
    """dev, whose database became available during the creation of its stack, with the password of the stack's secret."""
    address = f"{server.host}:{server.port}"
    with EmbeddedAws.start(database=address, database_ca=server.identity.root) as running:
        environment = Environment(running, release, "dev")
        with ThreadPoolExecutor(1) as pool:
            launching = pool.submit(environment.launch)
            bring_up(server, wait_for_secret(environment), environment.values()["DatabaseName"])
            assert launching.result(SECONDS).status == "CREATE_COMPLETE"
        yield environment


def wait_for_secret(environment: Environment) -> dict[str, str]:
    """User name and password that the stack generated for the database."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = environment.secret_values().get("Security.DatabaseSecret")
        if found:
            secret: dict[str, str] = json.loads(found)
            return secret
        time.sleep(0.05)
    raise AssertionError("the stack made no secret for the database")


def bring_up(server: Rds, secret: dict[str, str], database: str) -> None:
    """Act as RDS: create the master user and its database, then listen on the instance's address."""
    public, server.port = server.port, free_port()
    server.start()
    server.make_instance(secret["username"], secret["password"], database)
    server.stop()
    server.port = public
    server.start()


def extensions(server: Rds) -> set[str]:
    """The created extensions."""
    rows: list[list[Any]] = server.run("SELECT extname FROM pg_extension")
    return {row[0] for row in rows} - {"plpgsql"}


def test_extensions_exist_after_the_launch(launched: Environment, server: Rds) -> None:
    assert launched.physical_id("Data.DatabaseExtensions") == "carbon_app_1"
    assert extensions(server) == {"vector", "uuid-ossp"}


def test_embeddings_can_be_searched(launched: Environment, server: Rds) -> None:
    assert launched
    assert server.run("SELECT round(('[1,0]'::vector <=> '[0,1]'::vector)::numeric, 3)") == [[1]]


def test_url_in_the_secret_leads_to_the_server(launched: Environment, server: Rds) -> None:
    url = json.loads(launched.secret_values()["Data.DatabaseUrl"])["url"]
    assert url.startswith("postgresql://carbon_app_1:")
    assert url.endswith(f"@{server.host}:{server.port}/{server.database}?sslmode=require")

    with psycopg.connect(
        url, sslmode="verify-full", sslrootcert=str(server.identity.root)
    ) as session:
        rows = session.execute("SELECT session_user, current_user").fetchall()
    assert rows == [("carbon_app_1", "carbon_owner")]


def test_deleting_the_environment_leaves_extensions_and_data(
    launched: Environment, server: Rds
) -> None:
    server.run("CREATE TABLE kept AS SELECT 1 AS value")
    assert launched.delete().status == "DELETE_COMPLETE"
    assert extensions(server) == {"vector", "uuid-ossp"}
    assert server.run("SELECT value FROM kept") == [[1]]
