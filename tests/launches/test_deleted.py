"""Deleted environments: retained resources, and errors that name protected ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from tests.launches.environments import Environment
from tests.launches.inventory import Inventory, counted, inventory

# docs/data-safety.md, "At a glance", says that each of them stays.
RETAINED = Counter(
    {
        "AWS::KMS::Key": 1,
        "AWS::ECR::Repository": 1,
        "AWS::RDS::DBSnapshot": 1,
        # The search index, which can be rebuilt, but not quickly.
        "AWS::EC2::Volume": 1,
    }
)
GITHUB = {
    "GitHubRepository": "acme/carbon-connect",
    "GitHubOrganizationId": "1",
    "GitHubRepositoryId": "2",
}


@dataclass(frozen=True)
class Deleted:
    """A deleted environment, with its resources before, during and after the deletion."""

    environment: Environment
    end: Launched
    before: Inventory
    between: Inventory
    after: Inventory

    @property
    def left(self) -> Inventory:
        return self.after - self.before


@pytest.fixture(scope="module")
def dev(running: EmbeddedAws, release: Release) -> Deleted:
    environment = Environment(running, release, "dev")
    before = inventory(environment.aws)
    environment.launch()
    between = inventory(environment.aws)
    return Deleted(environment, environment.delete(), before, between, inventory(environment.aws))


def test_stack_is_gone(dev: Deleted) -> None:
    assert dev.end.status == "DELETE_COMPLETE"
    assert dev.end.succeeded
    assert dev.environment.stacks() == {}


def test_progress_of_every_nested_stack_is_shown(dev: Deleted, release: Release) -> None:
    told = set(dev.environment.heard)

    assert {(layer.name.capitalize(), "DELETE_COMPLETE") for layer in release.layers} <= told


def test_only_resources_with_data_are_retained(dev: Deleted) -> None:
    assert counted(dev.left) == RETAINED


def test_final_snapshot_is_of_the_database_and_readable_with_the_key(dev: Deleted) -> None:
    found = dev.environment.client("rds").describe_db_snapshots(SnapshotType="manual")
    databases = {name for kind, name in dev.between if kind == "AWS::RDS::DBInstance"}
    (key,) = (name for kind, name in dev.left if kind == "AWS::KMS::Key")

    (snapshot,) = found["DBSnapshots"]
    assert {snapshot["DBInstanceIdentifier"]} == databases
    assert snapshot["Encrypted"]
    assert snapshot["KmsKeyId"].endswith(key)
    described = dev.environment.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    assert described["KeyState"] == "Enabled"


def test_second_deletion_does_nothing(dev: Deleted) -> None:
    again = dev.environment.delete()

    assert not again.changed
    assert again.succeeded
    assert inventory(dev.environment.aws) == dev.after


def test_launch_succeeds_next_to_retained_resources(
    running: EmbeddedAws, release: Release, dev: Deleted
) -> None:
    environment = Environment(running, release, "dev")

    assert environment.launch().status == "CREATE_COMPLETE"
    assert environment.delete().status == "DELETE_COMPLETE"
    assert counted(inventory(environment.aws) - dev.after) == RETAINED


def test_identity_provider_of_github_is_retained(running: EmbeddedAws, release: Release) -> None:
    """Other environments of the account may use it: IAM allows one per URL."""
    environment = Environment(running, release, "staging", **GITHUB)
    before = inventory(environment.aws)
    launched = environment.launch()

    assert launched.outputs["DeployRoleArn"].startswith("arn:aws:iam::")
    assert environment.delete().status == "DELETE_COMPLETE"
    left = inventory(environment.aws) - before
    assert counted(left) == RETAINED + Counter({"AWS::IAM::OIDCProvider": 1})


@dataclass(frozen=True)
class Refused:
    """An environment whose deletion is refused, and the result of the deletion."""

    environment: Environment
    end: Launched
    before: Inventory


@pytest.fixture(scope="module")
def prod(running: EmbeddedAws, release: Release) -> Refused:
    environment = Environment(running, release, "prod")
    before = inventory(environment.aws)
    environment.launch()
    return Refused(environment, environment.delete(), before)


def test_protection_of_prod_stops_the_deletion(prod: Refused) -> None:
    assert prod.end.status == "DELETE_FAILED"
    named = {(failure.stack, failure.logical_id): failure.reason for failure in prod.end.failures}
    assert named.keys() == {("Data", "Database"), ("Edge", "LoadBalancer")}
    assert all("protect" in reason for reason in named.values())


def test_protected_database_keeps_running(prod: Refused) -> None:
    rds = prod.environment.client("rds")
    (database,) = rds.describe_db_instances()["DBInstances"]
    (group,) = rds.describe_db_subnet_groups()["DBSubnetGroups"]
    stacks = {name: s["StackStatus"] for name, s in prod.environment.stacks().items()}

    assert database["DBInstanceStatus"] == "available"
    assert database["DBSubnetGroup"]["DBSubnetGroupName"] == group["DBSubnetGroupName"]
    assert stacks["Security"] == stacks["Network"] == "CREATE_COMPLETE"
    assert (
        rds.describe_db_snapshots(DBInstanceIdentifier=database["DBInstanceIdentifier"])[
            "DBSnapshots"
        ]
        == []
    )


def test_prod_is_deleted_without_protection(prod: Refused) -> None:
    """As in docs/data-safety.md."""
    resources = prod.environment.resources()
    prod.environment.client("rds").modify_db_instance(
        DBInstanceIdentifier=resources["Data.Database"].physical_id,
        DeletionProtection=False,
        ApplyImmediately=True,
    )
    prod.environment.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=resources["Edge.LoadBalancer"].physical_id,
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
    )

    assert prod.environment.delete().status == "DELETE_COMPLETE"
    left = inventory(prod.environment.aws) - prod.before
    # The nodes of the cache have a snapshot, and the load balancer wrote to its bucket.
    assert counted(left) == RETAINED + Counter(
        {"AWS::ElastiCache::Snapshot": 1, "AWS::S3::Bucket": 1}
    )
    assert [name for kind, name in left if kind == "AWS::S3::Bucket"] == [
        resources["Edge.AccessLogBucket"].physical_id
    ]
