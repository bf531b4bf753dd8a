"""Remaining resources of deleted stacks are reported, unless their templates retain them; so are missing retained ones."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from taskcat_plugin_protection import NESTED
from tests.conftest import REGION
from tests.embedded_aws.conftest import Account, template
from tests.launches.inventory import inventory
from tests.taskcat.leftovers import Kept, kept, kept_by, leftovers

OTHER = "eu-west-1"
BUCKET, LOGS, QUEUE = "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::SQS::Queue"
DATABASE, CACHE = "AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup"
DATABASE_SNAPSHOT, CACHE_SNAPSHOT = "AWS::RDS::DBSnapshot", "AWS::ElastiCache::Snapshot"
NOTHING = Kept(frozenset(), Counter())
HEX = "0123456789abcdef" * 2


@cache
def clients(embedded: EmbeddedAws) -> Aws:
    """The clients of every listing, created once, because creating them takes longer than the calls."""
    return Aws(REGION, embedded.environment())


@pytest.fixture
def aws(embedded: EmbeddedAws) -> Aws:
    """An empty region of an account."""
    return clients(embedded)


@pytest.fixture
def account(embedded: EmbeddedAws) -> Account:
    return Account(embedded, REGION)


def bucket(name: str, policy: str) -> dict[str, Any]:
    return {"Type": BUCKET, "DeletionPolicy": policy, "Properties": {"BucketName": name}}


def log_group(name: str, policy: str) -> dict[str, Any]:
    return {"Type": LOGS, "DeletionPolicy": policy, "Properties": {"LogGroupName": name}}


def queue(name: str, policy: str) -> dict[str, Any]:
    return {"Type": QUEUE, "DeletionPolicy": policy, "Properties": {"QueueName": name}}


def database(name: str, policy: str) -> dict[str, Any]:
    properties = {
        "DBInstanceIdentifier": name,
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.medium",
        "AllocatedStorage": "20",
        "MasterUsername": "carbon",
        "MasterUserPassword": "not-a-secret",
    }
    return {"Type": DATABASE, "DeletionPolicy": policy, "Properties": properties}


def cache_group(name: str, policy: str) -> dict[str, Any]:
    properties = {
        "ReplicationGroupId": name,
        "ReplicationGroupDescription": "x",
        "CacheNodeType": "cache.t4g.micro",
        "Engine": "valkey",
        "NumCacheClusters": 1,
    }
    return {"Type": CACHE, "DeletionPolicy": policy, "Properties": properties}


def nested(account: Account, resources: dict[str, Any]) -> dict[str, Any]:
    """A nested stack of these resources."""
    return {
        "Type": NESTED,
        "Properties": {"TemplateURL": account.put_template(template(resources))},
    }


def launched(account: Account, resources: dict[str, Any]) -> dict[str, Any]:
    """A stack of these resources."""
    stack = account.launch(template(resources))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    return stack


# Resources that templates retain.


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_retaining_policies_are_found(account: Account, aws: Aws, depth: int) -> None:
    resources = {
        "Plain": {"Type": BUCKET},
        "Deleted": bucket("deleted", "Delete"),
        "Retained": bucket("retained", "Retain"),
        "Unlisted": queue("unlisted", "Retain"),
        "Launched": log_group("launched", "RetainExceptOnCreate"),
        "Database": database("database", "Snapshot"),
        "Cache": cache_group("cache", "Snapshot"),
    }
    for _ in range(depth):
        resources = {"Inner": nested(account, resources)}
    stack = launched(account, resources)

    found = {
        (policy, kind, name.rpartition("/")[2])
        for policy, kind, name in kept_by(aws.client("cloudformation"), stack["StackId"])
    }

    assert found == {
        ("Retain", BUCKET, "retained"),
        ("Retain", QUEUE, "unlisted"),
        ("RetainExceptOnCreate", LOGS, "launched"),
        ("Snapshot", DATABASE, "database"),
        ("Snapshot", CACHE, "cache"),
    }


def test_only_retained_resources_may_remain(account: Account, aws: Aws) -> None:
    inner = {
        "Deep": bucket("deep", "Retain"),
        "Cache": cache_group("cache", "Snapshot"),
        "Unlisted": queue("unlisted", "Retain"),
    }
    first = {"Inner": nested(account, inner), "Database": database("first", "Snapshot")}
    second = {
        "Launched": log_group("launched", "RetainExceptOnCreate"),
        "Deleted": bucket("deleted", "Delete"),
        "Database": database("second", "Snapshot"),
        "Kept": database("kept", "Retain"),
    }
    before = inventory(aws)
    stacks = [launched(account, first), launched(account, second)]

    expected = kept(aws, [stack["StackId"] for stack in stacks])

    assert expected == Kept(
        frozenset({(BUCKET, "deep"), (LOGS, "launched"), (DATABASE, "kept")}),
        Counter({DATABASE_SNAPSHOT: 2, CACHE_SNAPSHOT: 1}),
    )
    assert list(leftovers(aws, before, expected, frozenset())) != []
    for stack in stacks:
        assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert list(leftovers(aws, before, expected, frozenset())) == []


# Remaining resources.


def test_leftover_that_no_template_retains_is_reported(account: Account, aws: Aws) -> None:
    before = inventory(aws)
    launched(account, {"Bucket": bucket("left", "Delete"), "Group": log_group("left", "Delete")})
    stacks = {entry for entry in inventory(aws) if entry[0] == NESTED}

    assert list(leftovers(aws, before | stacks, NOTHING, frozenset())) == [
        f"{LOGS} left is left in {REGION} after its stack was deleted",
        f"{BUCKET} left is left in {REGION} after its stack was deleted",
    ]
    assert list(leftovers(aws, inventory(aws), NOTHING, frozenset())) == []


def test_missing_retained_resource_is_reported(account: Account, aws: Aws) -> None:
    before = inventory(aws)
    resources = {"One": bucket("one", "Retain"), "Two": bucket("two", "Retain")}
    stack = launched(account, resources)
    expected = kept(aws, [stack["StackId"]])
    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"

    aws.client("s3").delete_bucket(Bucket="one")

    assert list(leftovers(aws, before, expected, frozenset())) == [
        f"{BUCKET} one must be retained in {REGION} and does not exist"
    ]


def test_only_the_bucket_of_taskcat_may_remain(aws: Aws) -> None:
    excused = [f"tcat-{HEX}-{REGION}", f"tcat-{HEX}-{OTHER}"]
    told_of = [
        "tcat-mine",
        f"tcat-{HEX}",
        f"tcat-{HEX[1:]}-{REGION}",
        f"tcat-{HEX}0-{REGION}",
        f"tcat-{'g' * 32}-{REGION}",
        f"x-tcat-{HEX}-x",
    ]
    before = inventory(aws)
    for name in [*excused, *told_of]:
        place = {"LocationConstraint": REGION}
        aws.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)

    assert list(leftovers(aws, before, NOTHING, frozenset())) == [
        f"{BUCKET} {name} is left in {REGION} after its stack was deleted"
        for name in sorted(told_of)
    ]


def test_only_a_bucket_may_have_the_name_of_taskcat(aws: Aws) -> None:
    before = inventory(aws)
    aws.client("logs").create_log_group(logGroupName=f"tcat-{HEX}-{REGION}")

    (sentence,) = leftovers(aws, before, NOTHING, frozenset())

    assert sentence.startswith(f"{LOGS} tcat-{HEX}-{REGION} is left")


def test_resource_of_another_region_may_remain(embedded: EmbeddedAws, aws: Aws) -> None:
    before = inventory(aws)
    there = Account(embedded, OTHER)
    stack = launched(there, {"Bucket": bucket("there", "Retain")})
    elsewhere = kept(Aws(OTHER, embedded.environment()), [stack["StackId"]])
    assert there.delete(stack)["StackStatus"] == "DELETE_COMPLETE"

    assert list(leftovers(aws, before, NOTHING, elsewhere.things)) == []
    (sentence,) = leftovers(aws, before, NOTHING, frozenset())
    assert sentence.startswith(f"{BUCKET} there is left in {REGION}")


# Snapshots.


def take_snapshots(aws: Aws, databases: int, caches: int) -> None:
    """Create snapshots of an existing database and cache."""
    for number in range(databases):
        aws.client("rds").create_db_snapshot(
            DBSnapshotIdentifier=f"snapshot-{number}", DBInstanceIdentifier="database"
        )
    for number in range(caches):
        aws.client("elasticache").create_snapshot(
            SnapshotName=f"snapshot-{number}", ReplicationGroupId="cache"
        )


@pytest.mark.parametrize(
    ("databases", "caches", "told_of"),
    [
        (1, 1, []),
        (0, 1, [f"0 of {DATABASE_SNAPSHOT} are left in {REGION}, not 1"]),
        (2, 1, [f"2 of {DATABASE_SNAPSHOT} are left in {REGION}, not 1"]),
        (1, 0, [f"0 of {CACHE_SNAPSHOT} are left in {REGION}, not 1"]),
        (1, 2, [f"2 of {CACHE_SNAPSHOT} are left in {REGION}, not 1"]),
        # A snapshot of one type does not count as one of the other.
        (
            2,
            0,
            [
                f"0 of {CACHE_SNAPSHOT} are left in {REGION}, not 1",
                f"2 of {DATABASE_SNAPSHOT} are left in {REGION}, not 1",
            ],
        ),
    ],
)
def test_snapshots_are_counted(
    account: Account, aws: Aws, databases: int, caches: int, told_of: list[str]
) -> None:
    resources = {
        "Database": database("database", "Snapshot"),
        "Cache": cache_group("cache", "Snapshot"),
    }
    expected = kept(aws, [launched(account, resources)["StackId"]])
    before = inventory(aws)

    take_snapshots(aws, databases, caches)

    assert list(leftovers(aws, before, expected, frozenset())) == told_of


def test_unexpected_snapshot_is_reported(account: Account, aws: Aws) -> None:
    launched(account, {"Database": database("database", "Delete")})
    before = inventory(aws)

    take_snapshots(aws, 1, 0)

    assert list(leftovers(aws, before, NOTHING, frozenset())) == [
        f"1 of {DATABASE_SNAPSHOT} are left in {REGION}, not 0"
    ]
