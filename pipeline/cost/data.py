"""The charges of what holds data: database, cache, buckets, volume, images, secrets and keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipeline.cost import prices
from pipeline.cost.charge import ONE, Charge, Resource, Resources, Term, fixed, hours, used

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"


def is_true(value: Any) -> bool:
    """Whether a boolean of a template, which may be text, is true."""
    return str(value).lower() == "true"


def database(resource: Resource, _: Resources) -> Iterator[Charge]:
    """The instance, its storage, its exported logs, and the backups above the size of the database."""
    properties = resource.properties
    kind, standby = properties["DBInstanceClass"], is_true(properties.get("MultiAZ", False))
    where = "in two zones" if standby else "in one zone"
    yield Charge(f"hours of {kind} {where}", prices.DATABASE_HOUR.get((kind, standby)), hours())
    per_gb = prices.DATABASE_STORAGE_GB_MONTH[standby]
    known = per_gb if properties.get("StorageType", "gp3") == "gp3" else None
    if "AllocatedStorage" in properties:
        size = Decimal(str(properties["AllocatedStorage"]))
        yield Charge(f"storage {where}", known, fixed(size))
    else:
        yield Charge(f"storage {where}, as large as the snapshot", None, fixed(0))
    yield Charge("backups", prices.DATABASE_SNAPSHOT_GB_MONTH, used("database_backups"))
    if properties.get("EnableCloudwatchLogsExports"):
        yield Charge("exported logs", prices.LOG_GB, used("database_logs"))


def cache_nodes(resource: Resource, _: Resources) -> Iterator[Charge]:
    """The nodes of a replication group."""
    properties = resource.properties
    kind, engine = properties["CacheNodeType"], properties.get("Engine", "redis")
    nodes = int(properties.get("NumCacheClusters", 1))
    price = prices.CACHE_NODE_HOUR.get((kind, engine))
    yield Charge(f"hours of {nodes} {kind} with {engine}", price, hours(nodes))


def serverless_cache(_: Resource, _every: Resources) -> Iterator[Charge]:
    """The stored data, at least 0.1 GB, and the requests of a serverless cache."""
    yield Charge(
        "data",
        prices.SERVERLESS_CACHE_GB_HOUR,
        used("cache_data", prices.HOURS_A_MONTH),
        least=prices.SERVERLESS_CACHE_LEAST_GB * prices.HOURS_A_MONTH,
    )
    yield Charge("requests", prices.SERVERLESS_CACHE_MILLION_ECPU, used("cache_requests"))


def bucket(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The objects, at the price of S3 Standard, and the requests."""
    stored = "documents" if has_tiers(resource.properties) else "media"
    yield Charge("objects, at the Standard price", prices.BUCKET_GB_MONTH, used(stored))
    if not every.referring(resource, LOAD_BALANCER):
        yield Charge("writes", prices.BUCKET_WRITES, used("object_writes"))
        yield Charge("reads", prices.BUCKET_READS, used("object_reads"))


def has_tiers(properties: Mapping[str, Any]) -> bool:
    """Whether a bucket moves objects to other storage classes."""
    rules = properties.get("LifecycleConfiguration", {}).get("Rules", ())
    return any(rule.get("Transitions") for rule in rules)


def volume(resource: Resource, _: Resources) -> Iterator[Charge]:
    """The size of an EBS volume."""
    kind = resource.properties.get("VolumeType", "gp2")
    price = prices.VOLUME_GB_MONTH if kind == "gp3" else None
    yield Charge(f"{kind} storage", price, fixed(Decimal(str(resource.properties["Size"]))))


def snapshots(_: Resource, _every: Resources) -> Iterator[Charge]:
    """The snapshots of a lifecycle policy."""
    yield Charge("snapshots", prices.VOLUME_SNAPSHOT_GB_MONTH, used("search_snapshots"))


def repository(_: Resource, _every: Resources) -> Iterator[Charge]:
    """The images of a repository."""
    yield Charge("images", prices.REPOSITORY_GB_MONTH, used("images"))


def secret(_: Resource, every: Resources) -> Iterator[Charge]:
    """A secret, and its part of all calls."""
    yield Charge("secret", prices.SECRET_MONTH, fixed())
    part = ONE / len(every.of_kind("AWS::SecretsManager::Secret"))
    yield Charge("calls", prices.SECRET_CALLS, used("secret_calls", part))


def key(_: Resource, every: Resources) -> Iterator[Charge]:
    """A key, and its part of all calls."""
    yield Charge("key", prices.KEY_MONTH, fixed())
    part = ONE / len(every.of_kind("AWS::KMS::Key"))
    yield Charge("calls", prices.KEY_CALLS, (Term(part, ("key_calls",)),))
