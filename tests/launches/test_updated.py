"""dev launched, then updated: to larger sizes, to another image, and without a change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from tests.launches.environments import Environment, Resource

LARGER = {
    "DatabaseInstanceClass": "db.t4g.large",
    "DatabaseAllocatedStorage": "100",
    "DatabaseMaxAllocatedStorage": "400",
    "DatabaseBackupRetentionDays": "14",
    "CacheMaximumStorageGb": "5",
    "CacheMaximumEcpuPerSecond": "20000",
    "LogRetentionDays": "90",
    "DocumentsGlacierDays": "730",
    "WafRateLimit": "5000",
    "ApiCpu": "2048",
    "ApiMemory": "4096",
    "ApiMinTasks": "3",
    "ApiMaxTasks": "20",
    "WorkerCpu": "2048",
    "WorkerMemory": "8192",
    "WorkerMaxTasks": "20",
    "DatabaseConnectionsThreshold": "640",
}
IMAGE = {**LARGER, "ImageTag": "1.4.2"}
# Types that AWS cannot change: a new version replaces them.
VERSIONED = {"AWS::ECS::TaskDefinition"}
API_KEY = json.dumps({"value": "a key put by hand"})


@dataclass(frozen=True)
class Snapshot:
    """The resources after a launch."""

    end: Launched
    resources: dict[str, Resource]
    secrets: dict[str, str]

    @classmethod
    def of(cls, environment: Environment, **changes: str) -> Snapshot:
        end = environment.launch(**changes)
        return cls(end, environment.resources(), environment.secret_values())

    def replaced_by(self, later: Snapshot) -> set[str]:
        """The resources with another physical ID after the update."""
        return {name for name, was in self.resources.items() if later.resources.get(name) != was}


@dataclass(frozen=True)
class History:
    """The environment, and its resources after each launch."""

    environment: Environment
    small: Snapshot
    larger: Snapshot
    again: Snapshot
    image: Snapshot

    def client(self, service: str) -> Any:
        return self.environment.client(service)


@pytest.fixture(scope="module")
def history(running: EmbeddedAws, release: Release) -> History:
    environment = Environment(running, release, "dev")
    small = Snapshot.of(environment)
    environment.client("secretsmanager").put_secret_value(
        SecretId=environment.physical_id("Security.ClaudeApiKeySecret"), SecretString=API_KEY
    )
    environment.client("s3").put_object(
        Bucket=small.end.outputs["DocumentsBucketName"], Key="offer.pdf", Body=b"offer"
    )
    larger = Snapshot.of(environment, **LARGER)
    again = Snapshot.of(environment, **LARGER)
    image = Snapshot.of(environment, **IMAGE)
    return History(environment, small, larger, again, image)


def test_every_stack_is_complete(history: History) -> None:
    assert history.larger.end.changed
    assert history.larger.end.status == "UPDATE_COMPLETE"
    assert history.larger.end.failures == ()
    # A layer without changes keeps its status.
    statuses = {stack["StackStatus"] for stack in history.environment.stacks().values()}
    assert statuses <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_only_task_definitions_are_replaced(history: History) -> None:
    replaced = history.small.replaced_by(history.larger)

    assert {history.small.resources[name].type for name in replaced} == VERSIONED
    assert history.small.resources.keys() == history.larger.resources.keys()


@pytest.mark.parametrize(
    "name",
    [
        "Data.Database",
        "Data.ServerlessCache",
        "Data.DocumentsBucket",
        "Data.MediaBucket",
        "Data.SearchVolume",
        "Security.Key",
        "Security.DatabaseSecret",
        "Security.DatabaseUserSecret",
        "Compute.ImageRepositoryOfEnvironment",
        "Compute.ApiService",
        "Compute.WorkerService",
        "Compute.BeatService",
        "Edge.ApiTargetGroup",
        "Edge.LoadBalancer",
        "Network.Vpc",
    ],
)
def test_resources_with_data_or_an_address_stay(history: History, name: str) -> None:
    """Resources are named one by one, so that the test finds a renamed one."""
    stayed = {
        snapshot.resources[name] for snapshot in (history.small, history.larger, history.image)
    }

    assert len(stayed) == 1


def test_secrets_keep_their_values(history: History) -> None:
    put = {**history.small.secrets, "Security.ClaudeApiKeySecret": API_KEY}

    assert history.small.secrets["Security.ClaudeApiKeySecret"] != API_KEY
    assert history.larger.secrets == put
    assert history.image.secrets == put


def test_documents_still_exist(history: History) -> None:
    bucket = history.image.end.outputs["DocumentsBucketName"]
    kept = history.client("s3").get_object(Bucket=bucket, Key="offer.pdf")

    assert kept["Body"].read() == b"offer"


def test_database_is_larger(history: History) -> None:
    identifier = history.small.resources["Data.Database"].physical_id
    found = history.client("rds").describe_db_instances(DBInstanceIdentifier=identifier)
    database = found["DBInstances"][0]

    wanted = {
        "DBInstanceClass": "db.t4g.large",
        "AllocatedStorage": 100,
        "MaxAllocatedStorage": 400,
        "BackupRetentionPeriod": 14,
    }
    assert {name: database[name] for name in wanted} == wanted


def test_cache_limit_is_higher(history: History) -> None:
    name = history.small.resources["Data.ServerlessCache"].physical_id
    found = history.client("elasticache").describe_serverless_caches(ServerlessCacheName=name)

    assert found["ServerlessCaches"][0]["CacheUsageLimits"] == {
        "DataStorage": {"Maximum": 5, "Unit": "GB"},
        "ECPUPerSecond": {"Maximum": 20000},
    }


def test_services_have_larger_tasks(history: History) -> None:
    sizes = {service: size_of(history, f"{service}Service") for service in ("Api", "Worker")}

    assert sizes == {"Api": ("2048", "4096"), "Worker": ("2048", "8192")}


def test_task_limit_is_higher(history: History) -> None:
    targets = history.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs"
    )["ScalableTargets"]

    assert sorted((t["MinCapacity"], t["MaxCapacity"]) for t in targets) == [(2, 20), (3, 20)]


def test_logs_are_kept_longer(history: History) -> None:
    names = {
        resource.physical_id
        for resource in history.larger.resources.values()
        if resource.type == "AWS::Logs::LogGroup"
    }
    found = history.client("logs").describe_log_groups()["logGroups"]
    kept = {group["logGroupName"]: group["retentionInDays"] for group in found}

    assert len(names) >= 5
    assert {kept[name] for name in names} == {90}


def test_rate_limit_is_higher(history: History) -> None:
    # Ref of a web ACL is name|id|scope.
    name, identifier, scope = history.small.resources["Edge.WebAcl"].physical_id.split("|")
    found = history.client("wafv2").get_web_acl(Name=name, Id=identifier, Scope=scope)
    limits = [
        int(rule["Statement"]["RateBasedStatement"]["Limit"])
        for rule in found["WebACL"]["Rules"]
        if "RateBasedStatement" in rule["Statement"]
    ]

    assert limits == [5000]


def test_launching_again_changes_nothing(history: History) -> None:
    assert not history.again.end.changed
    assert history.again.end.succeeded
    assert history.again.end.outputs == history.larger.end.outputs
    assert history.again.resources == history.larger.resources


def test_an_image_is_deployed_in_place(history: History) -> None:
    replaced = history.larger.replaced_by(history.image)

    assert history.image.end.status == "UPDATE_COMPLETE"
    assert {history.larger.resources[name].type for name in replaced} == VERSIONED
    assert len(replaced) == 4


def test_every_service_runs_the_image(history: History) -> None:
    uri = history.image.end.outputs["RepositoryUri"]
    images = {
        container["image"]
        for service in ("ApiService", "WorkerService", "BeatService")
        for container in definition_of(history, service)["containerDefinitions"]
    }

    assert images == {f"{uri}:1.4.2"}


def size_of(history: History, service: str) -> tuple[str, str]:
    """CPU units and MiB of a service's tasks."""
    definition = definition_of(history, service)
    return definition["cpu"], definition["memory"]


def definition_of(history: History, service: str) -> Any:
    """The task definition that a service runs."""
    ecs = history.client("ecs")
    running = ecs.describe_services(
        cluster=history.image.end.outputs["ClusterName"],
        services=[history.image.resources[f"Compute.{service}"].physical_id],
    )["services"][0]["taskDefinition"]
    return ecs.describe_task_definition(taskDefinition=running)["taskDefinition"]
