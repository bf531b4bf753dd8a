"""The choices of users: a resource has the value of the parameter that describes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.checks.render import Rendered
from tests.relations.monitoring.checks_alarms import SAMPLE_COUNT, statistics_of
from tests.relations.monitoring.checks_monitoring import ALARM, metrics
from tests.relations.registry import relation
from tests.relations.services.checks_compute import POLICY, RESOURCE_ID, SCALES
from tests.relations.text import listed, text_of
from tests.rendering import Resource, containers, id_of, named, resources_of_type

THRESHOLDS = {
    "BlockedRequests": "WafBlockedThreshold",
    "DatabaseConnections": "DatabaseConnectionsThreshold",
    "FreeableMemory": "DatabaseFreeMemoryThreshold",
    "QueueDepth": "QueueDepthThreshold",
    "QueueStalledSeconds": "QueueStalledThreshold",
    "TargetResponseTime": "ApiResponseTimeThreshold",
}
TARGETS = {
    "ECSServiceAverageCPUUtilization": "CpuTarget",
    "ECSServiceAverageMemoryUtilization": "MemoryTarget",
    None: "BacklogTarget",
}
TIERS = {
    "INTELLIGENT_TIERING": "DocumentsIntelligentTieringDays",
    "GLACIER": "DocumentsGlacierDays",
}


class Chosen(NamedTuple):
    """A value of a resource, and the parameter that it must equal."""

    resource: Resource
    value: Any
    parameter: str


@relation
def choices_arrive(rendered: Rendered) -> Iterator[str]:
    """Sizes, limits, thresholds, days and commands are those that the user has chosen, in the unit of the parameter."""
    for resource, value, parameter in (
        *_scaling(rendered),
        *_engines(rendered),
        *_objects(rendered),
        *_edge(rendered),
        *_thresholds(rendered),
    ):
        chosen = rendered.parameters[resource.layer][parameter]
        if str(value) != chosen:
            yield f"{resource.logical_id} has {value}, but {parameter} is {chosen}."


def _scaling(rendered: Rendered) -> Iterator[Chosen]:
    for target in resources_of_type(rendered, SCALES):
        service = service_of(target)
        for key, bound in (("MinCapacity", "Min"), ("MaxCapacity", "Max")):
            yield Chosen(target, target.properties[key], f"{service}{bound}Tasks")
    for policy in resources_of_type(rendered, POLICY):
        tracking = policy.properties["TargetTrackingScalingPolicyConfiguration"]
        scaled = named(
            rendered, id_of(rendered, policy.layer, policy.properties["ScalingTargetId"])
        )
        metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        yield Chosen(policy, tracking["TargetValue"], service_of(scaled) + TARGETS[metric])


def service_of(target: Resource) -> str:
    """The name of the service that a scalable target scales: Api or Worker."""
    found = RESOURCE_ID.fullmatch(text_of(target.properties["ResourceId"]))
    assert found, target.logical_id
    return found["service"].removesuffix("Service")


def _engines(rendered: Rendered) -> Iterator[Chosen]:
    for cache in resources_of_type(rendered, "AWS::ElastiCache::ServerlessCache"):
        limits = cache.properties["CacheUsageLimits"]
        yield Chosen(cache, limits["DataStorage"]["Maximum"], "CacheMaximumStorageGb")
        yield Chosen(
            cache, limits.get("ECPUPerSecond", {}).get("Maximum"), "CacheMaximumEcpuPerSecond"
        )
    for group in resources_of_type(rendered, "AWS::ElastiCache::ReplicationGroup"):
        yield Chosen(group, group.properties["NumCacheClusters"], "CacheNodes")
        yield Chosen(group, group.properties["CacheNodeType"], "CacheNodeType")
    for volume in resources_of_type(rendered, "AWS::EC2::Volume"):
        yield Chosen(volume, volume.properties.get("Size"), "SearchVolumeGb")
        yield Chosen(volume, volume.properties.get("SnapshotId", ""), "SearchSnapshotId")
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        given = database.properties
        yield Chosen(database, given["DBInstanceClass"], "DatabaseInstanceClass")
        yield Chosen(database, given["MultiAZ"], "DatabaseMultiAz")
        yield Chosen(database, given["MaxAllocatedStorage"], "DatabaseMaxAllocatedStorage")
        yield Chosen(database, given["BackupRetentionPeriod"], "DatabaseBackupRetentionDays")
        snapshot = given.get("DBSnapshotIdentifier", "")
        yield Chosen(database, snapshot, "DatabaseSnapshotIdentifier")
        # A snapshot has the size and the name of its database.
        if not snapshot:
            yield Chosen(database, given["AllocatedStorage"], "DatabaseAllocatedStorage")
            yield Chosen(database, given["DBName"], "DatabaseName")


def _objects(rendered: Rendered) -> Iterator[Chosen]:
    for bucket in resources_of_type(rendered, "AWS::S3::Bucket"):
        rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ())
        for rule in rules:
            for move in rule.get("Transitions", ()):
                yield Chosen(bucket, move["TransitionInDays"], TIERS[move["StorageClass"]])
            old = rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
            if old is not None:
                yield Chosen(bucket, old, "DocumentsOldVersionDays")
            if "ExpirationInDays" in rule:
                yield Chosen(bucket, rule["ExpirationInDays"], "LogRetentionDays")
    for group in resources_of_type(rendered, "AWS::Logs::LogGroup"):
        if "LogRetentionDays" in rendered.parameters[group.layer]:
            yield Chosen(group, group.properties.get("RetentionInDays"), "LogRetentionDays")


def _edge(rendered: Rendered) -> Iterator[Chosen]:
    for group in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::TargetGroup"):
        attributes = {
            each.get("Key"): each.get("Value")
            for each in group.properties.get("TargetGroupAttributes", ())
        }
        yield Chosen(
            group, attributes.get("deregistration_delay.timeout_seconds"), "DeregistrationDelay"
        )
    for acl in resources_of_type(rendered, "AWS::WAFv2::WebACL"):
        for rule in acl.properties["Rules"]:
            if "RateBasedStatement" in rule["Statement"]:
                yield Chosen(acl, rule["Statement"]["RateBasedStatement"]["Limit"], "WafRateLimit")


def _thresholds(rendered: Rendered) -> Iterator[Chosen]:
    for alarm in resources_of_type(rendered, ALARM):
        counted = {statistic for _, statistic, _ in statistics_of(alarm)} == {SAMPLE_COUNT}
        for _, metric, _ in metrics(alarm):
            if metric in THRESHOLDS and not counted:
                yield Chosen(alarm, alarm.properties["Threshold"], THRESHOLDS[metric])


@relation
def containers_run_the_chosen_command(rendered: Rendered) -> Iterator[str]:
    """ECS starts the command of the parameter, split at spaces, without a shell."""
    for task, container in containers(rendered):
        given = rendered.parameters[named(rendered, task).layer]
        command = " ".join(text_of(part) for part in listed(container.get("Command")))
        chosen = given[f"{container['Name'].capitalize()}Command"]
        if given["ImageTag"] and command != chosen:
            yield f"{task} runs {command}, not {chosen}."
