"""Environments that earlier releases restored from a snapshot: an update keeps the database, its rows and its size."""

from __future__ import annotations

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from templates_src.data.database_parameters import RESTORED, SNAPSHOT_IDENTIFIER
from tests.conftest import REGION
from tests.engines.database_host import DatabaseHost
from tests.launches.environments import Environment
from tests.launches.snapshots import keep_snapshot
from tests.recovery.ledger import read, url_of, write
from tests.releases.kept import folders
from tests.releases.kept import read as read_release

DATABASE = "Data.Database"
GROWN = 120
STORAGE = {"DatabaseAllocatedStorage": str(GROWN)}


@pytest.mark.parametrize("version", [folder.name for folder in folders()])
def test_a_restored_database_of_an_earlier_release_is_not_replaced(
    running: EmbeddedAws, host: DatabaseHost, release: Release, version: str
) -> None:
    (folder,) = (each for each in folders() if each.name == version)
    previous = read_release(folder)
    named = {SNAPSHOT_IDENTIFIER.name: f"of-{version.replace('.', '-')}"}
    earlier = Environment(running, previous.release, "dev", REGION, previous.profiles)
    rds = earlier.client("rds")
    keep_snapshot(rds, named[SNAPSHOT_IDENTIFIER.name], storage=GROWN)
    assert earlier.launch(**named, **STORAGE).succeeded
    identifier = earlier.physical_id(DATABASE)
    host.instance(identifier).run("CREATE TABLE ledger AS SELECT 1 AS entry")
    snapshots = len(rds.describe_db_snapshots()["DBSnapshots"])

    environment = Environment(running, release, "dev")
    for values in (named, {SNAPSHOT_IDENTIFIER.name: RESTORED, **STORAGE}):
        assert environment.launch(**values).succeeded
        assert environment.physical_id(DATABASE) == identifier
        assert read(url_of(environment), host)[0] == 1
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        assert instance["AllocatedStorage"] == GROWN

    write(url_of(environment), host, 2)
    assert read(url_of(environment), host) == [1, 2]
    assert len(rds.describe_db_snapshots()["DBSnapshots"]) == snapshots
    assert environment.delete().succeeded
