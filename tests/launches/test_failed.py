"""Launches that fail are rolled back, leave only the named resources, and report the cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from commands.common import show
from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from pipeline.stacks.events import Failure
from tests.conftest import REGION
from tests.launches.environments import Environment, Resource
from tests.launches.inventory import Inventory, counted, inventory
from tests.launches.test_deleted import GITHUB

STACK, KEY = "AWS::CloudFormation::Stack", "AWS::KMS::Key"
SNAPSHOT, VOLUME = "AWS::RDS::DBSnapshot", "AWS::EC2::Volume"
PROVIDER = "AWS::IAM::OIDCProvider"
Client = Callable[[str], Any]


def take_alias(client: Client, name: str) -> None:
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key)


def take_bucket(client: Client, name: str) -> None:
    client("s3").create_bucket(
        Bucket=f"{name}-media", CreateBucketConfiguration={"LocationConstraint": REGION}
    )


def take_cache(client: Client, name: str) -> None:
    client("elasticache").create_serverless_cache(ServerlessCacheName=name, Engine="valkey")


def take_log_group(client: Client, name: str) -> None:
    client("logs").create_log_group(logGroupName=f"aws-waf-logs-{name}")


@dataclass(frozen=True)
class Obstacle:
    """A taken name, the resource that needs it, the resources that a rolled-back creation leaves, and values of the launch."""

    layer: str
    logical_id: str
    take: Callable[[Client, str], None]
    left: Mapping[str, int]
    values: Mapping[str, str] = field(default_factory=dict)


# docs/data-safety.md, column "failed create, rolled back", says of each of them that it stays.
OBSTACLES = {
    "security": Obstacle("Security", "KeyAlias", take_alias, {STACK: 1}),
    "checked": Obstacle("", "LaunchCheck", take_bucket, {STACK: 1}),
    # AWS also keeps a final snapshot of the database, which is empty; the embedded AWS takes none
    # while it rolls back the creation of the database's own stack.
    "data": Obstacle("Data", "ServerlessCache", take_cache, {STACK: 1, KEY: 1}),
    "edge": Obstacle(
        "Edge",
        "WebAclLogGroup",
        take_log_group,
        {STACK: 1, KEY: 1, SNAPSHOT: 1, VOLUME: 1, PROVIDER: 1},
        GITHUB,
    ),
}


@dataclass(frozen=True)
class Failed:
    """A failed creation."""

    obstacle: Obstacle
    environment: Environment
    end: Launched
    before: Inventory
    after: Inventory


@pytest.fixture(scope="module", params=OBSTACLES)
def failed(request: pytest.FixtureRequest, running: EmbeddedAws, release: Release) -> Failed:
    obstacle = OBSTACLES[request.param]
    project = f"failed{list(OBSTACLES).index(request.param)}"
    environment = Environment(running, release, "dev", Project=project)
    obstacle.take(environment.client, environment.stack)
    before = inventory(environment.aws)
    end = environment.launch(**obstacle.values)
    return Failed(obstacle, environment, end, before, inventory(environment.aws))


def test_creation_is_rolled_back(failed: Failed) -> None:
    assert failed.end.status == "ROLLBACK_COMPLETE"
    assert not failed.end.succeeded
    assert failed.end.outputs == {}
    assert failed.environment.resources() == {}


def test_first_failed_resource_is_reported_with_its_reason(failed: Failed) -> None:
    ((failure),) = failed.end.failures

    assert (failure.stack, failure.logical_id) == (
        failed.obstacle.layer or failed.environment.stack,
        failed.obstacle.logical_id,
    )
    assert failed.environment.stack in failure.reason
    assert "already" in failure.reason


def test_only_expected_resources_remain(failed: Failed) -> None:
    assert counted(failed.after - failed.before) == failed.obstacle.left
    assert failed.before <= failed.after


def test_launch_succeeds_without_the_obstacle(running: EmbeddedAws, release: Release) -> None:
    environment = Environment(running, release, "dev", Project="again")
    take_bucket(environment.client, environment.stack)
    assert environment.launch().status == "ROLLBACK_COMPLETE"
    environment.client("s3").delete_bucket(Bucket=f"{environment.stack}-media")

    assert environment.launch().status == "CREATE_COMPLETE"
    assert environment.notes == [f"The creation of stack {environment.stack} failed; removing it."]


def test_failed_creation_can_be_deleted(running: EmbeddedAws, release: Release) -> None:
    environment = Environment(running, release, "dev", Project="away")
    take_bucket(environment.client, environment.stack)
    before = inventory(environment.aws)
    assert environment.launch().status == "ROLLBACK_COMPLETE"

    assert environment.delete().status == "DELETE_COMPLETE"
    assert inventory(environment.aws) == before


UPDATE = {
    "DatabaseInstanceClass": "db.t4g.large",
    "DatabaseAllocatedStorage": "100",
    "LogRetentionDays": "90",
    "CacheMaximumStorageGb": "5",
    # Refused, because EC2 has no such instance type.
    "SearchInstanceType": "m9g.large",
}


@dataclass(frozen=True)
class Reverted:
    """An update that failed."""

    environment: Environment
    end: Launched
    before: Mapping[str, Resource]
    after: Mapping[str, Resource]
    secrets: tuple[Mapping[str, str], Mapping[str, str]]
    parameters: tuple[Any, Any]
    inventories: tuple[Inventory, Inventory]


@pytest.fixture(scope="module")
def reverted(running: EmbeddedAws, release: Release) -> Reverted:
    environment = Environment(running, release, "dev")
    environment.launch()
    s3 = environment.client("s3")
    s3.put_object(
        Bucket=environment.outputs()["DocumentsBucketName"], Key="offer.pdf", Body=b"offer"
    )

    def state() -> tuple[Any, ...]:
        parameters = {name: stack.get("Parameters") for name, stack in environment.stacks().items()}
        resources, secrets = environment.resources(), environment.secret_values()
        return resources, secrets, parameters, inventory(environment.aws)

    before = state()
    end = environment.launch(**UPDATE)
    after = state()
    return Reverted(
        environment,
        end,
        before[0],
        after[0],
        (before[1], after[1]),
        (before[2], after[2]),
        (before[3], after[3]),
    )


def test_update_is_rolled_back(reverted: Reverted) -> None:
    assert reverted.end.status == "UPDATE_ROLLBACK_COMPLETE"
    assert not reverted.end.succeeded


def test_update_names_the_first_failed_resource(reverted: Reverted) -> None:
    ((failure),) = reverted.end.failures
    assert (failure.stack, failure.logical_id) == ("Compute", "SearchGroup")
    assert "m9g.large" in failure.reason


def test_former_state_is_restored(reverted: Reverted) -> None:
    changed = {name for name, was in reverted.before.items() if reverted.after.get(name) != was}

    assert not changed
    assert reverted.before.keys() == reverted.after.keys()
    assert reverted.parameters[0] == reverted.parameters[1]
    assert reverted.inventories[0] == reverted.inventories[1]


def test_data_is_kept(reverted: Reverted) -> None:
    bucket = reverted.environment.outputs()["DocumentsBucketName"]
    kept = reverted.environment.client("s3").get_object(Bucket=bucket, Key="offer.pdf")

    assert kept["Body"].read() == b"offer"
    assert reverted.secrets[0] == reverted.secrets[1]


def test_sizes_are_the_former_ones(reverted: Reverted) -> None:
    client, resources = reverted.environment.client, reverted.after
    (database,) = client("rds").describe_db_instances(
        DBInstanceIdentifier=resources["Data.Database"].physical_id
    )["DBInstances"]
    (group,) = client("logs").describe_log_groups(
        logGroupNamePrefix=resources["Compute.ApiLogGroup"].physical_id
    )["logGroups"]

    assert database["DBInstanceClass"] == "db.t4g.medium"
    # RDS does not shrink storage, so a rollback leaves what the update added.
    assert database["AllocatedStorage"] == int(UPDATE["DatabaseAllocatedStorage"])
    assert group["retentionInDays"] == 30


def test_update_after_a_failed_one_succeeds(reverted: Reverted) -> None:
    changes = {name: value for name, value in UPDATE.items() if name != "SearchInstanceType"}

    assert reverted.environment.launch(**changes).status == "UPDATE_COMPLETE"
    assert Counter(r.type for r in reverted.environment.resources().values()) == Counter(
        r.type for r in reverted.before.values()
    )


def test_reason_is_shown_literally() -> None:
    """Text in square brackets is printed, and not read as a colour."""
    reason = "Value 'X' failed to satisfy constraint: [a-z]+ [/Resources/Database]"
    shown = StringIO()
    end = Launched("dev", True, "ROLLBACK_COMPLETE", {}, (Failure("Data", "Database", reason),))

    show.failures(Console(file=shown), end)

    assert shown.getvalue().splitlines()[1] == f"  Data: Database: {reason}"
