"""The drill of docs/recovery.md: the database of prod to a point in time, with real rows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.engines.database_host import DatabaseHost
from tests.launches.environments import Environment
from tests.launches.tree import Tree
from tests.recovery.ledger import application, read, url_of, write
from tests.recovery.page import Shell, blocks

STEPS = blocks("The database, to a point in time")
DATABASE = "Data.Database"


class Drill:
    """prod during the drill."""

    def __init__(
        self, running: EmbeddedAws, release: Release, host: DatabaseHost, tree: Tree
    ) -> None:
        self.host = host
        self.environment = Environment(running, release, "prod")
        assert self.environment.launch().succeeded
        self.before = url_of(self.environment)
        self.old = self.environment.physical_id(DATABASE)
        write(self.before, host, 1, 2)
        self.time = second()
        with application(self.before, host) as session:
            session.execute("DELETE FROM ledger")
        self.shell = Shell(running, tree)

    def step(self, number: int, block: int = 0, **values: str) -> str:
        """Run a block of a step."""
        (step,) = (blocks for heading, blocks in STEPS.items() if heading.startswith(f"{number}."))
        return self.shell.run(step[block], **values)

    def counts(self) -> list[int]:
        """The desired number of tasks of api and worker."""
        resources = self.environment.resources()
        ecs = self.environment.client("ecs")
        found = []
        for name in ("Compute.ApiService", "Compute.WorkerService"):
            arn = resources[name].physical_id
            (service,) = ecs.describe_services(cluster=arn.split("/")[1], services=[arn])[
                "services"
            ]
            found.append(int(service["desiredCount"]))
        return found

    def suspended(self) -> set[bool]:
        """Whether the scaling of api and worker is suspended."""
        scaling = self.environment.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        return {
            each.get("SuspendedState", {}).get("DynamicScalingOutSuspended") for each in targets
        }

    def instance(self, identifier: str) -> Mapping[str, Any]:
        """An instance as RDS describes it."""
        rds = self.environment.client("rds")
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        record: Mapping[str, Any] = found
        return record


def second() -> str:
    """The time, in a second in which nothing else happens."""
    time.sleep(1.1)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    return now


@pytest.fixture(scope="module")
def drill(running: EmbeddedAws, release: Release, host: DatabaseHost, tree: Tree) -> Drill:
    return Drill(running, release, host, tree)


def test_every_step_brings_the_rows_back(drill: Drill) -> None:
    assert read(drill.before, drill.host) == []

    drill.step(1)
    assert (drill.counts(), drill.suspended()) == ([0, 0], {True})

    drill.step(2, TIME=drill.time)
    present, rescue = drill.instance(drill.old), drill.instance(drill.shell.value("RESCUE"))
    for same in (
        "DBSubnetGroup",
        "VpcSecurityGroups",
        "DBParameterGroups",
        "StorageEncrypted",
        "KmsKeyId",
    ):
        assert rescue[same] == present[same]
    assert not rescue["PubliclyAccessible"]

    address = json.loads(drill.step(3))
    secret = json.loads(drill.environment.secret_values()["Security.DatabaseSecret"])
    master = (
        f"postgresql://{secret['username']}@{address['Address']}:{address['Port']}/carbon_connect"
    )
    with psycopg.connect(
        master,
        password=secret["password"],
        sslmode="verify-full",
        sslrootcert=str(drill.host.identity.root),
    ) as session:
        assert session.execute("SELECT entry FROM ledger ORDER BY 1").fetchall() == [(1,), (2,)]

    drill.step(4)
    drill.step(5)
    after = url_of(drill.environment)
    new = drill.environment.physical_id(DATABASE)
    assert new != drill.old
    assert read(after, drill.host) == [1, 2]
    assert drill.counts() == [0, 0]
    # The old one is protected, so that the update leaves it.
    assert drill.instance(drill.old)["DeletionProtection"]
    assert drill.instance(new)["DeletionProtection"]

    drill.step(6)
    assert (drill.counts(), drill.suspended()) == ([2, 2], {False})
    write(after, drill.host, 3)

    drill.step(7)
    assert drill.environment.physical_id(DATABASE) == new
    assert read(url_of(drill.environment), drill.host) == [1, 2, 3]

    drill.step(8)
    drill.step(8, 1)
    rds = drill.environment.client("rds")
    assert [
        each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]
    ] == [new]
    left = [each["DBSnapshotIdentifier"] for each in rds.describe_db_snapshots()["DBSnapshots"]]
    assert left == ["carbon-connect-prod-before-recovery"]
