"""Three versions of the example application: a good migration, one that fails half-way, and an api that never becomes healthy.

The updates run on the embedded AWS, migrations as its tasks, and the tasks of the services as processes, with real PostgreSQL,
Valkey and Celery. A client sends a request every 100 ms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.checks.render import Rendered
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.contract.application import Deployment, Stack, cache_user, make_database
from tests.contract.containers import Machine
from tests.contract.versions import MIGRATION, Clients, Rollout, Version, results
from tests.engines.rds import Rds
from tests.engines.valkey import Valkey
from tests.launches.environments import Environment
from tests.rendering import named

FIRST = Version("1")
# The tasks of the first version work with the new column, which has a default.
ADDED = "ALTER TABLE documents ADD COLUMN words integer NOT NULL DEFAULT 0"
GOOD = Version("2", (ADDED,))
HALF = "ALTER TABLE documents ADD COLUMN half integer"
FAILS = Version("3", (ADDED, HALF, "UPDATE documents SET name = NULL"))
UNHEALTHY = Version("4", (ADDED,), healthy=False)
COLUMNS = """SELECT string_agg(column_name, ' ' ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_name = 'documents'"""


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start(region=REGION) as started:
        yield started


@pytest.fixture
def rollout(
    running: EmbeddedAws,
    release: Release,
    dev: Rendered,
    rds_server: Rds,
    valkey_cluster: Valkey,
    tmp_path: Path,
) -> Iterator[Rollout]:
    """dev with the placeholder, and empty engines."""
    environment = Environment(running, release, "dev")
    assert environment.launch().succeeded
    trusted = {
        "SSL_CERT_FILE": str(valkey_cluster.identity.root),
        "PGSSLROOTCERT": str(rds_server.identity.root),
    }
    machine = Machine(tmp_path, trusted)
    stack = Stack(Deployment.of(environment), rds_server, valkey_cluster, machine)
    secrets = environment.secret_values()
    rollout = Rollout(stack, tmp_path / "images")
    (tmp_path / "images").mkdir()
    rollout.push(FIRST)
    # The image needs a database, which the function of the data layer makes on AWS.
    make_database(rds_server, url_of(secrets["Data.DatabaseUrl"]))
    access = named(dev, "CacheUser").properties["AccessString"]
    with cache_user(valkey_cluster, url_of(secrets["Data.CacheUrl"]), access):
        yield rollout
        machine.stop()


def url_of(secret: str) -> str:
    """The URL in a secret."""
    return str(json.loads(secret)["url"])


def columns(stack: Stack) -> str:
    """The columns of the table."""
    with stack.database() as connection:
        row = connection.execute(COLUMNS).fetchone()
    assert row
    return str(row[0])


def test_three_versions_lose_no_request_and_no_job(rollout: Rollout, running: EmbeddedAws) -> None:
    assert rollout.launch(ImageTag=FIRST.tag, MigrationCommand=MIGRATION).succeeded
    tasks = rollout.start(FIRST.tag)
    clients = Clients([tasks.stack.port])
    clients.serve()
    assert columns(tasks.stack) == "name embedding"

    rollout.push(GOOD)
    assert rollout.launch(ImageTag=GOOD.tag).succeeded
    assert columns(tasks.stack) == "name embedding words", "before a task of the version runs"
    clients.serve()
    tasks = rollout.replace_tasks(GOOD.tag, tasks, clients)

    rollout.push(FAILS)
    failed = rollout.launch(ImageTag=FAILS.tag)
    assert not failed.succeeded
    (reason,) = [each.reason for each in failed.failures if each.logical_id == "Migration"]
    assert "exit code 1" in reason
    assert "null value in column" in reason
    assert columns(tasks.stack) == "name embedding words", "its first step is undone"
    clients.serve()

    rollout.push(UNHEALTHY)
    statuses = rollout.try_tasks(UNHEALTHY.tag, tasks, clients)
    assert set(statuses) == {503}
    running.fail_service("api", health_status=statuses[0], image_tag=UNHEALTHY.tag, seconds=0.5)
    rolled_back = rollout.launch(ImageTag=UNHEALTHY.tag)
    assert not rolled_back.succeeded
    assert "ApiService" in {each.logical_id for each in rolled_back.failures}
    assert rollout.of(GOOD.tag).deployment.containers["api"].image.endswith(f":{GOOD.tag}")
    clients.serve(10)

    clients.stop()
    assert clients.failed == []
    assert len(clients.jobs) > 50
    tasks.worker.wait_for(lambda: None not in results(tasks.stack, clients.jobs).values())
    tasks.worker.wait_for(lambda: tasks.stack.waiting() == tasks.stack.unacknowledged() == 0)
    with tasks.stack.database() as connection:
        stored = {name for (name,) in connection.execute("SELECT name FROM documents")}
    assert set(clients.jobs) <= stored
