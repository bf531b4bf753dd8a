"""Values that RDS, EBS, S3, Application Auto Scaling and Fargate refuse fail here too, and what is at the edge does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded_aws.conftest import Account, template

LOW_CEILING = "The maximum allocated storage must be increased by at least 10 percent."


def database(storage: str, ceiling: str | None = None) -> dict[str, Any]:
    """An AWS::RDS::DBInstance with so much storage."""
    return {
        "Type": "AWS::RDS::DBInstance",
        "Properties": {
            "Engine": "postgres",
            "EngineVersion": "16",
            "DBInstanceClass": "db.t4g.medium",
            "StorageType": "gp3",
            "AllocatedStorage": storage,
            "DBName": "carbon",
            "MasterUsername": "carbon",
            "MasterUserPassword": "not-a-secret-here",
            **({"MaxAllocatedStorage": int(ceiling)} if ceiling else {}),
        },
    }


def bucket(*transitions: tuple[str, int]) -> dict[str, Any]:
    """An AWS::S3::Bucket with these transitions."""
    rule = {
        "Status": "Enabled",
        "Transitions": [
            {"StorageClass": storage_class, "TransitionInDays": days}
            for storage_class, days in transitions
        ],
    }
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": {"LifecycleConfiguration": {"Rules": [rule]}},
    }


def task(cpu: str, memory: str) -> dict[str, Any]:
    """An AWS::ECS::TaskDefinition of Fargate."""
    return {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": cpu,
            "Memory": memory,
            "ContainerDefinitions": [{"Name": "app", "Image": "public.ecr.aws/docker/app:1"}],
        },
    }


def volume(size: int) -> dict[str, Any]:
    """An AWS::EC2::Volume."""
    return {
        "Type": "AWS::EC2::Volume",
        "Properties": {"AvailabilityZone": "eu-north-1a", "Size": size, "VolumeType": "gp3"},
    }


def scalable_target(least: int, most: int) -> dict[str, Any]:
    """An AWS::ApplicationAutoScaling::ScalableTarget."""
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": "service/cluster/api",
            "MinCapacity": least,
            "MaxCapacity": most,
        },
    }


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "ceiling under 110 %": (database("100", "109"), LOW_CEILING),
    "ceiling below the storage": (database("100", "50"), LOW_CEILING),
    "minimum above maximum": (scalable_target(10, 9), "minimum capacity"),
    "Glacier before tiering": (
        bucket(("INTELLIGENT_TIERING", 90), ("GLACIER", 30)),
        "'GLACIER' must be greater",
    ),
    "Glacier with tiering": (
        bucket(("INTELLIGENT_TIERING", 30), ("GLACIER", 30)),
        "'GLACIER' must be greater",
    ),
    "half a vCPU with 512 MiB": (task("512", "512"), "No Fargate configuration exists"),
    "a quarter vCPU with 8 GiB": (task("256", "8192"), "No Fargate configuration exists"),
    "an odd CPU": (task("300", "1024"), "No Fargate configuration exists"),
}
TAKEN: dict[str, dict[str, Any]] = {
    "ceiling of 110 %": database("100", "110"),
    "minimum as maximum": scalable_target(10, 10),
    "two digits above one": scalable_target(9, 10),
    "Glacier a day after tiering": bucket(("GLACIER", 31), ("INTELLIGENT_TIERING", 30)),
    "a quarter vCPU with 2 GiB": task("256", "2048"),
    "4 vCPU with 30 GiB": task("4096", "30720"),
}


@pytest.mark.parametrize(("resource", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(account: Account, resource: dict[str, Any], says: str) -> None:
    stack = account.launch(template({"It": resource}))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert says in account.failures(stack)["It"]


@pytest.mark.parametrize("resource", TAKEN.values(), ids=TAKEN)
def test_taken(account: Account, resource: dict[str, Any]) -> None:
    stack = account.launch(template({"It": resource}))

    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (database("100"), database("99"), "Invalid storage size for engine name postgres"),
        (database("100"), database("109"), "must be increased by at least 10 percent"),
        (volume(20), volume(19), "New size cannot be smaller than existing size"),
    ],
    ids=["smaller database", "a little larger", "smaller volume"],
)
def test_update_is_refused_and_rolled_back(
    account: Account, before: dict[str, Any], after: dict[str, Any], says: str
) -> None:
    stack = account.launch(template({"It": before}))

    stack = account.update(stack, template({"It": after}))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert says in account.failures(stack)["It"]


def test_storage_grows_by_a_tenth(account: Account) -> None:
    stack = account.launch(template({"It": database("100")}))

    stack = account.update(stack, template({"It": database("110")}))

    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert storage_of(account) == 110


def test_rollback_leaves_storage_grown(account: Account) -> None:
    stack = account.launch(template({"It": database("100")}))
    wrong = {**bucket(("GLACIER", 0), ("INTELLIGENT_TIERING", 1)), "DependsOn": "It"}

    stack = account.update(stack, template({"It": database("200"), "Wrong": wrong}))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", account.failures(stack)
    assert storage_of(account) == 200


def test_storage_that_grew_by_itself_does_not_hinder_an_update(account: Account) -> None:
    stack = account.launch(template({"It": database("100", "500")}))
    rds = account.client("rds")
    (instance,) = rds.describe_db_instances()["DBInstances"]
    rds.modify_db_instance(
        DBInstanceIdentifier=instance["DBInstanceIdentifier"],
        AllocatedStorage=150,
        ApplyImmediately=True,
    )

    stack = account.update(stack, template({"It": database("100", "600")}))

    assert stack["StackStatus"] == "UPDATE_COMPLETE", account.failures(stack)
    assert storage_of(account) == 150


def storage_of(account: Account) -> int:
    """The storage of the one database."""
    (instance,) = account.client("rds").describe_db_instances()["DBInstances"]
    storage: int = instance["AllocatedStorage"]
    return storage
