"""UpdateReplacePolicy: Snapshot leaves a snapshot of a database, a cache and a volume that an update replaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.embedded_aws.conftest import Account, template
from tests.embedded_aws.test_refused_values import database


def with_policy(resource: dict[str, Any], policy: str, **changed: Any) -> dict[str, Any]:
    properties = {**resource["Properties"], **changed}
    return {**resource, "Properties": properties, "UpdateReplacePolicy": policy}


CACHE = {
    "Type": "AWS::ElastiCache::ReplicationGroup",
    "Properties": {
        "ReplicationGroupDescription": "Broker",
        "Engine": "valkey",
        "CacheNodeType": "cache.t4g.medium",
        "NumCacheClusters": 1,
        "AutomaticFailoverEnabled": False,
        "AtRestEncryptionEnabled": False,
    },
}


def database_snapshots(account: Account) -> list[str]:
    found = account.client("rds").describe_db_snapshots()["DBSnapshots"]
    return [each["DBInstanceIdentifier"] for each in found]


def cache_snapshots(account: Account) -> list[str]:
    found = account.client("elasticache").describe_snapshots()["Snapshots"]
    return [each["ReplicationGroupId"] for each in found]


REPLACED: dict[str, tuple[dict[str, Any], dict[str, Any], Callable[[Account], list[str]]]] = {
    "database": (database("50"), {"DBName": "other"}, database_snapshots),
    "cache": (CACHE, {"AtRestEncryptionEnabled": True}, cache_snapshots),
}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("policy", ["Snapshot", "Delete"])
@pytest.mark.parametrize(("resource", "changed", "snapshots"), REPLACED.values(), ids=REPLACED)
def test_replaced_resource_leaves_a_snapshot(
    account: Account,
    resource: dict[str, Any],
    changed: dict[str, Any],
    snapshots: Callable[[Account], list[str]],
    policy: str,
    nested: bool,
) -> None:
    def body(**properties: Any) -> str:
        inner = template(
            {"It": with_policy(resource, policy, **properties)},
            Outputs={"Id": {"Value": {"Ref": "It"}}},
        )
        if not nested:
            return inner
        child = {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": account.put_template(inner)},
        }
        return template(
            {"Child": child}, Outputs={"Id": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Id"]}}}
        )

    stack = account.launch(body())
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    before = account.outputs(stack)["Id"]

    stack = account.update(stack, body(**changed))

    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert account.outputs(stack)["Id"] != before
    assert snapshots(account) == ([before] if policy == "Snapshot" else [])


def test_rolled_back_replacement_leaves_no_snapshot(account: Account) -> None:
    stack = account.launch(template({"It": with_policy(database("50"), "Snapshot")}))
    wrong = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "901"}, "DependsOn": "It"}
    changed = with_policy(database("50"), "Snapshot", DBName="other")

    stack = account.update(stack, template({"It": changed, "Wrong": wrong}))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert database_snapshots(account) == []


def test_protected_database_survives_its_replacement(account: Account) -> None:
    protected = with_policy(database("50"), "Snapshot", DeletionProtection=True)
    stack = account.launch(template({"It": protected}))
    before = account.resources(stack)["It"]

    stack = account.update(
        stack,
        template(
            {"It": with_policy(database("50"), "Snapshot", DeletionProtection=True, DBName="other")}
        ),
    )

    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert "Cannot delete protected DB Instance" in account.failures(stack)["It"]
    instances = account.client("rds").describe_db_instances()["DBInstances"]
    assert before in {each["DBInstanceIdentifier"] for each in instances}


def test_deleted_volume_leaves_a_snapshot(account: Account) -> None:
    volume = {
        "Type": "AWS::EC2::Volume",
        "DeletionPolicy": "Snapshot",
        "Properties": {"AvailabilityZone": "eu-north-1a", "Size": 8},
    }
    stack = account.launch(template({"Volume": volume}))
    name = account.resources(stack)["Volume"]

    assert account.delete(stack)["StackStatus"] == "DELETE_COMPLETE"

    found = account.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [each["VolumeId"] for each in found] == [name]
