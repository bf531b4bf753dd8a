"""LaunchCheck refuses what AWS would refuse later, before CloudFormation creates or changes anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pipeline.paths import PARAMETERS
from tests.changes.rehearsal import Rehearsal
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.inventory import existing
from tests.launches.snapshots import keep_snapshot
from tests.publishing.states import StatefulAws
from tests.relations.variants import built

NODES = {"CacheMode": "replication-group"}


@pytest.fixture(scope="module")
def rehearsal() -> Iterator[Rehearsal]:
    with StatefulAws.begin(REGION) as running:
        found = Rehearsal(running, "dev", built(), PARAMETERS)
        keep_snapshot(found.aws.client("rds"), "plain", encrypted=False)
        keep_snapshot(found.aws.client("rds"), "other", engine="mysql")
        kms = found.aws.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        keep_snapshot(found.aws.client("rds"), "locked", key=key)
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        running.keep()
        yield found


def refused(rehearsal: Rehearsal, environment: Environment | None = None) -> str:
    """The sentence of the last refusal; asserts that nothing but the check failed or began."""
    stack = (environment or rehearsal.environment).stack
    events: list[dict[str, Any]] = rehearsal.aws.client("cloudformation").describe_stack_events(
        StackName=stack
    )["StackEvents"]
    start = next(
        index
        for index, event in enumerate(events)
        if event["ResourceStatus"] in {"UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"}
        and event["ResourceType"] == "AWS::CloudFormation::Stack"
        and event["LogicalResourceId"] == stack
    )
    of_this = events[: start + 1]
    touched = {
        event["LogicalResourceId"]
        for event in of_this
        if event["ResourceStatus"] in {"UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"}
    }
    # The function of the check itself can be updated first, but no nested stack is.
    assert touched <= {
        stack,
        "LaunchCheck",
        "LaunchCheckFunction",
        "LaunchCheckRole",
        "LaunchCheckLogGroup",
    }
    failed = [event for event in of_this if event["ResourceStatus"].endswith("_FAILED")]
    assert {event["LogicalResourceId"] for event in failed} == {"LaunchCheck"}
    return str(failed[0]["ResourceStatusReason"])


@pytest.mark.parametrize(
    ("given", "values", "words"),
    [
        ({}, {"VpcCidr": "10.9.0.0/16"}, "VpcCidr cannot change"),
        (
            {},
            {"AvailabilityZones": f"{REGION}b,{REGION}a,{REGION}c"},
            "AvailabilityZones cannot be reordered",
        ),
        ({}, {"DatabaseAllocatedStorage": "20"}, "storage does not shrink"),
        ({}, {"DatabaseAllocatedStorage": "54"}, "grows by at least 10 %"),
        ({}, {"DatabaseMaxAllocatedStorage": "52"}, "set at least 55"),
        ({}, {"SearchVolumeGb": "10"}, "a volume does not shrink"),
        ({}, {"DatabaseSnapshotIdentifier": "absent"}, "does not exist"),
        (
            {},
            {"CertificateArn": f"arn:aws:acm:{REGION}:123456789012:certificate/absent"},
            "certificate/absent, which does not exist",
        ),
        ({}, {"DatabaseSnapshotIdentifier": "plain"}, "not encrypted"),
        ({}, {"DatabaseSnapshotIdentifier": "other"}, "is of mysql"),
        ({}, {"DatabaseSnapshotIdentifier": "locked"}, "which is PendingDeletion"),
        (
            {},
            {
                "DatabaseSnapshotIdentifier": "arn:aws:rds:eu-west-1:111122223333:snapshot:first",
            },
            "in eu-west-1",
        ),
        (
            {},
            {
                "DatabaseSnapshotIdentifier": f"arn:aws:rds:{REGION}:444455556666:snapshot:first",
            },
            "account 444455556666",
        ),
        ({}, {"DomainName": "app.example.com", "HostedZoneId": "Z1"}, "which does not exist"),
        (NODES, {"CacheNodes": "2"}, "CacheFailover to off in this update"),
        (
            {**NODES, "CacheNodes": "2"},
            {"CacheNodes": "1", "CacheFailover": "off"},
            "keeps the last replica",
        ),
    ],
)
def test_update_is_refused_before_anything_changes(
    rehearsal: Rehearsal, given: Mapping[str, str], values: Mapping[str, str], words: str
) -> None:
    rehearsal.restart()
    if given:
        assert rehearsal.update(given) == "UPDATE_COMPLETE"
    before = rehearsal.environment.resources()
    assert rehearsal.update({**given, **values}) == "UPDATE_ROLLBACK_COMPLETE"
    assert words in refused(rehearsal)
    assert rehearsal.environment.resources() == before


def test_zone_is_refused_until_it_is_delegated(rehearsal: Rehearsal) -> None:
    """The parent, example.com, is registered; its record delegates the zone."""
    rehearsal.restart()
    route53 = rehearsal.aws.client("route53")
    made = route53.create_hosted_zone(Name="new.example.com", CallerReference="new")
    values = {
        "DomainName": "app.new.example.com",
        "HostedZoneId": made["HostedZone"]["Id"].rpartition("/")[2],
    }
    assert rehearsal.update(values) == "UPDATE_ROLLBACK_COMPLETE"
    assert "private or not delegated" in refused(rehearsal)

    servers = made["DelegationSet"]["NameServers"]
    delegation = {
        "Name": "new.example.com",
        "Type": "NS",
        "TTL": 60,
        "ResourceRecords": [{"Value": each} for each in servers],
    }
    route53.change_resource_record_sets(
        HostedZoneId=rehearsal.zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": delegation}]},
    )
    assert rehearsal.update(values) == "UPDATE_COMPLETE"


def test_zones_that_are_named_later_are_the_ones_in_use(rehearsal: Rehearsal) -> None:
    """An empty parameter, the list that it stands for, and back: the same zones."""
    rehearsal.restart()
    named = {"AvailabilityZones": ",".join(f"{REGION}{letter}" for letter in "abc")}
    for values in (named, {"AvailabilityZones": ""}):
        assert rehearsal.update(values) in {"UPDATE_COMPLETE", "UNCHANGED"}


def test_cache_goes_to_two_nodes_and_back(rehearsal: Rehearsal) -> None:
    """Each step as docs/scaling.md has it; the replication group stays the same one."""
    rehearsal.restart()
    assert rehearsal.update(NODES) == "UPDATE_COMPLETE"
    group = rehearsal.environment.resources()["Data.CacheReplicationGroup"]
    for values in (
        {"CacheNodes": "2", "CacheFailover": "off"},
        {"CacheNodes": "2", "CacheFailover": "auto"},
        {"CacheNodes": "2", "CacheFailover": "off"},
        {"CacheNodes": "1", "CacheFailover": "off"},
        {"CacheNodes": "1", "CacheFailover": "auto"},
    ):
        assert rehearsal.update({**NODES, **values}) == "UPDATE_COMPLETE"
        assert rehearsal.environment.resources()["Data.CacheReplicationGroup"] == group


def test_rollback_deletes_what_the_update_created(rehearsal: Rehearsal) -> None:
    """A cache of the other mode, and a search volume from a snapshot. The former ones exist all the time."""
    rehearsal.restart()
    before, cache = rehearsal.environment.resources(), created_at(rehearsal)
    ec2 = rehearsal.aws.client("ec2")
    volume = before["Data.SearchVolume"].physical_id
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    kinds = ("AWS::EC2::Volume", "AWS::ElastiCache::ReplicationGroup")
    existed = {kind: existing(rehearsal.aws, kind) for kind in kinds}
    values = {**NODES, "SearchSnapshotId": snapshot, "SearchInstanceType": "m9g.large"}

    assert rehearsal.update(values) == "UPDATE_ROLLBACK_COMPLETE"

    assert {"CacheReplicationGroup", "RestoredSearchVolume"} <= created_in_data(rehearsal)
    assert rehearsal.environment.resources() == before
    assert {kind: existing(rehearsal.aws, kind) for kind in kinds} == existed
    assert created_at(rehearsal) == cache


def created_at(rehearsal: Rehearsal) -> Any:
    """When the serverless cache was created: another one would have the same name."""
    client = rehearsal.aws.client("elasticache")
    (cache,) = client.describe_serverless_caches()["ServerlessCaches"]
    return cache["CreateTime"]


def created_in_data(rehearsal: Rehearsal) -> set[str]:
    """The resources of the data layer that exist or existed; an update shows a new one as updated here."""
    stack = rehearsal.environment.stacks()["Data"]["StackId"]
    pages = rehearsal.aws.client("cloudformation").get_paginator("describe_stack_events")
    return {
        event["LogicalResourceId"]
        for page in pages.paginate(StackName=stack)
        for event in page["StackEvents"]
        if event["ResourceStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    }


def test_grown_storage_is_compared_as_rds_has_it(rehearsal: Rehearsal) -> None:
    rehearsal.restart()
    database = rehearsal.environment.physical_id("Data.Database")
    rehearsal.aws.client("rds").modify_db_instance(
        DBInstanceIdentifier=database, AllocatedStorage=100, ApplyImmediately=True
    )
    values = {"DatabaseMaxAllocatedStorage": "400"}
    assert rehearsal.update({**values, "DatabaseAllocatedStorage": "80"}) == (
        "UPDATE_ROLLBACK_COMPLETE"
    )
    assert "has 100 GiB (it grew from 50 GiB)" in refused(rehearsal)
    assert rehearsal.update({**values, "DatabaseAllocatedStorage": "110"}) == "UPDATE_COMPLETE"


def test_rollback_of_a_later_failure_is_not_refused(rehearsal: Rehearsal) -> None:
    """The rollback sends the values before, which the check would refuse in an update: storage would shrink."""
    rehearsal.restart()
    values = {
        "DatabaseAllocatedStorage": "100",
        "SearchVolumeGb": "40",
        "SearchInstanceType": "m9g.large",
    }
    volume = rehearsal.environment.physical_id("Data.SearchVolume")
    assert rehearsal.update(values) == "UPDATE_ROLLBACK_COMPLETE"
    assert rehearsal.environment.physical_id("Data.SearchVolume") == volume
    described = rehearsal.aws.client("ec2").describe_volumes(VolumeIds=[volume])
    assert described["Volumes"][0]["Size"] == 40
    assert rehearsal.update({"DatabaseAllocatedStorage": "50"}) in {
        "UPDATE_COMPLETE",
        "UNCHANGED",
    }


def test_first_launch_is_refused_before_anything_is_created(rehearsal: Rehearsal) -> None:
    """Only the function of the check exists for a moment; the rollback deletes it."""
    rehearsal.restart()
    other = Environment(
        rehearsal.running, built(), "dev", REGION, PARAMETERS, rehearsal.aws, Project="other"
    )
    launched = other.launch(DatabaseSnapshotIdentifier="plain")
    assert launched.status == "ROLLBACK_COMPLETE"
    assert "not encrypted" in refused(rehearsal, other)
    assert [failure.logical_id for failure in launched.failures] == ["LaunchCheck"]
