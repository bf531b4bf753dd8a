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
PROVIDER = "Security.GitHubOidcProvider"


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
    progress = set(dev.environment.heard)

    assert {(layer.name.capitalize(), "DELETE_COMPLETE") for layer in release.layers} <= progress


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
    """Other environments of the account may use it: IAM allows one per URL. Updates keep it too."""
    environment = Environment(running, release, "staging", **GITHUB)
    before = inventory(environment.aws)
    launched = environment.launch()

    assert launched.outputs["DeployRoleArn"].startswith("arn:aws:iam::")
    provider = environment.physical_id(PROVIDER)
    changes = {"LogRetentionDays": "60", "SearchInstanceType": "m9g.large"}
    assert environment.launch(**changes).status == "UPDATE_ROLLBACK_COMPLETE"
    assert environment.physical_id(PROVIDER) == provider
    assert environment.launch(LogRetentionDays="60").status == "UPDATE_COMPLETE"
    assert environment.physical_id(PROVIDER) == provider
    assert environment.delete().status == "DELETE_COMPLETE"
    left = inventory(environment.aws) - before
    assert counted(left) == RETAINED + Counter({"AWS::IAM::OIDCProvider": 1})
