"""The database host on real PostgreSQL: snapshots, restores, and recoveries to a point in time."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pg8000.native
import pytest

from tests.engines.database_host import DatabaseHost
from tests.engines.instances import Instance

SOURCE = "arn:aws:rds:eu-north-1:1:db:source"


@pytest.fixture(scope="module")
def host() -> Iterator[DatabaseHost]:
    with DatabaseHost() as running:
        yield running


@pytest.fixture(scope="module")
def source(host: DatabaseHost) -> Instance:
    """An instance with a row."""
    host.create(SOURCE, "carbon", "first", "carbon_connect")
    instance = host.instance(SOURCE)
    instance.run("CREATE TABLE ledger AS SELECT 1 AS entry")
    return instance


def now() -> str:
    """The time, in a second that nothing else uses."""
    time.sleep(1.1)
    said = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S+00")
    time.sleep(1.1)
    return said


def entries(instance: Instance) -> list[object]:
    return [row[0] for row in instance.query("SELECT entry FROM ledger ORDER BY 1")]


def test_a_snapshot_outlives_its_instance_and_keeps_the_old_password(
    host: DatabaseHost, source: Instance
) -> None:
    assert entries(source) == [1]
    host.create("db:short", "carbon", "short", "carbon_connect")
    host.instance("db:short").run("CREATE TABLE ledger AS SELECT 7 AS entry")
    host.snapshot("db:short", "snapshot:short")
    host.instance("db:short").run("DELETE FROM ledger")
    host.delete("db:short")
    host.copy_snapshot("snapshot:short", "snapshot:copy")
    host.delete_snapshot("snapshot:short")

    host.restore("db:restored", "snapshot:copy", "carbon", "carbon_connect")

    restored = host.instance("db:restored")
    assert entries(restored) == [7]
    with restored.session("carbon", "short") as session:
        assert session.run("SELECT 1") == [[1]]
    host.set_password("db:restored", "carbon", "another")
    with (
        pytest.raises(pg8000.native.DatabaseError, match="28P01"),
        restored.session("carbon", "short"),
    ):
        pass
    assert restored.run("SELECT 1") == [[1]]


def test_an_instance_is_recovered_to_a_time_and_to_its_end(
    host: DatabaseHost, source: Instance
) -> None:
    source.run("INSERT INTO ledger VALUES (2)")
    before_the_mistake = now()
    source.run("DELETE FROM ledger")

    host.recover("db:rescue", SOURCE, before_the_mistake)
    host.recover("db:latest", SOURCE, "")

    assert entries(host.instance("db:rescue")) == [1, 2]
    assert entries(host.instance("db:latest")) == []
    assert entries(source) == []


def test_a_recovered_instance_takes_writes_and_can_be_recovered_itself(
    host: DatabaseHost, source: Instance
) -> None:
    assert source
    host.recover("db:again", SOURCE, "")
    again = host.instance("db:again")
    again.run("INSERT INTO ledger VALUES (3)")
    before_the_mistake = now()
    again.run("DELETE FROM ledger")

    host.recover("db:third", "db:again", before_the_mistake)

    assert entries(host.instance("db:third")) == [3]


def test_a_reason_is_answered(host: DatabaseHost) -> None:
    body = json.dumps({"operation": "burn"}).encode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(host.url, data=body)  # noqa: S310 the host is on loopback
    assert "has no operation burn" in refused.value.read().decode()
