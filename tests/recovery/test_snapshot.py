"""The drill of docs/recovery.md: a deleted database from its final snapshot, and one whose snapshot is not encrypted."""

from __future__ import annotations

import psycopg
import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.engines.database_host import DatabaseHost
from tests.launches.environments import Environment
from tests.launches.snapshots import keep_snapshot
from tests.launches.tree import Tree
from tests.recovery.ledger import application, read, url_of, write
from tests.recovery.page import Shell, blocks

STEPS = blocks("The database, from a snapshot")
FIND, ENCRYPT, LAUNCH = STEPS.values()


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, release: Release) -> Environment:
    return Environment(running, release, "dev")


@pytest.fixture(scope="module")
def shell(running: EmbeddedAws, tree: Tree) -> Shell:
    return Shell(running, tree, NAME="dev")


def test_a_deleted_database_is_launched_from_its_final_snapshot(
    environment: Environment, host: DatabaseHost, shell: Shell
) -> None:
    assert environment.launch().succeeded
    old = url_of(environment)
    write(old, host, 1, 2)
    key = environment.physical_id("Security.Key")
    assert environment.delete().succeeded

    shell.run(*FIND, *ENCRYPT, *LAUNCH)

    restored = url_of(environment)
    assert read(restored, host) == [1, 2]
    write(restored, host, 3)
    rds = environment.client("rds")
    (instance,) = rds.describe_db_instances()["DBInstances"]
    assert (instance["StorageEncrypted"], instance["KmsKeyId"].rpartition("/")[2]) == (True, key)
    snapshot = shell.value("SNAPSHOT")
    assert not snapshot.endswith("-encrypted")
    # The password of the snapshot opens nothing.
    password = psycopg.conninfo.conninfo_to_dict(old)["password"]
    with (
        pytest.raises(psycopg.OperationalError, match="password authentication failed"),
        application(restored, host, password=str(password)),
    ):
        pass


def test_an_unencrypted_snapshot_is_copied_under_a_key(
    environment: Environment, shell: Shell
) -> None:
    keep_snapshot(environment.client("rds"), "carbon-connect-dev-plain", encrypted=False)

    shell.run(*FIND, *ENCRYPT)

    copy = shell.value("SNAPSHOT")
    assert copy == "carbon-connect-dev-plain-encrypted"
    rds = environment.client("rds")
    (found,) = rds.describe_db_snapshots(DBSnapshotIdentifier=copy)["DBSnapshots"]
    assert found["Encrypted"]
