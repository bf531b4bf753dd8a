"""Resources that AWS services create next to those of a stack, and that stay when it is deleted: snapshots and log groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.changes.updates.facts import DATABASE, LOG_GROUP, REPLICATION_GROUP, VOLUME
from pipeline.cost import prices
from pipeline.environments.deletion.account import Account, UnreadableError
from pipeline.environments.deletion.contents import Contents, StackResource
from pipeline.environments.deletion.costs import UNKNOWN_COST, Cost, stored, unknown_size
from pipeline.environments.deletion.kinds import gib, in_words
from pipeline.environments.deletion.remaining import (
    CACHE_SNAPSHOT,
    DATABASE_SNAPSHOT,
    VOLUME_SNAPSHOT,
    Remaining,
)
from pipeline.environments.deletion.removal_commands import REMOVE, aws

CLUSTER = "AWS::ECS::Cluster"
# Log groups that services name after a resource of the stack, and keep when it is deleted.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-view-metrics.html
_LOG_GROUPS: Mapping[str, str] = {
    DATABASE: "/aws/rds/instance/{}/",
    CLUSTER: "/aws/ecs/containerinsights/{}/",
}


def by_products(account: Account, contents: Contents) -> Iterator[Remaining]:
    """Snapshots of databases, caches and volumes, and log groups of RDS and Container Insights."""
    yield from _database_snapshots(account, contents)
    yield from _cache_snapshots(account, contents)
    yield from _volume_snapshots(account, contents)
    yield from _log_groups(account, contents)


def _database_snapshots(account: Account, contents: Contents) -> Iterator[Remaining]:
    for resource in contents.resources:
        if resource.kind != DATABASE:
            continue
        listing = aws(
            account.aws.region,
            "rds",
            "describe-db-snapshots",
            db_instance_identifier=resource.physical_id,
        )
        for found in _read(
            account,
            resource,
            ("rds:DescribeDBSnapshots", "describe_db_snapshots", "DBSnapshots"),
            DBInstanceIdentifier=resource.physical_id,
            SnapshotType="manual",
        ):
            if found is None:
                yield _unverified(DATABASE_SNAPSHOT, resource, listing)
                continue
            size = int(found.get("AllocatedStorage", 0))
            # RDS bills the stored data of a snapshot, which is at most the storage of its database.
            yield _snapshot(
                account,
                DATABASE_SNAPSHOT,
                found["DBSnapshotIdentifier"],
                resource,
                f"of a database of {in_words(size)}",
                stored(size, prices.DATABASE_SNAPSHOT_GB_MONTH, is_limit=True),
            )


def _cache_snapshots(account: Account, contents: Contents) -> Iterator[Remaining]:
    for resource in contents.resources:
        if resource.kind != REPLICATION_GROUP:
            continue
        listing = aws(
            account.aws.region,
            "elasticache",
            "describe-snapshots",
            replication_group_id=resource.physical_id,
        )
        for found in _read(
            account,
            resource,
            ("elasticache:DescribeSnapshots", "describe_snapshots", "Snapshots"),
            ReplicationGroupId=resource.physical_id,
        ):
            if found is None:
                yield _unverified(CACHE_SNAPSHOT, resource, listing)
            # ElastiCache deletes its daily snapshots with the group.
            elif found.get("SnapshotSource") != "automated":
                sizes = [node.get("CacheSize", "") for node in found.get("NodeSnapshots", [])]
                yield _snapshot(
                    account,
                    CACHE_SNAPSHOT,
                    found["SnapshotName"],
                    resource,
                    " + ".join(filter(None, sizes)),
                    unknown_size(prices.CACHE_SNAPSHOT_GB_MONTH),
                )


def _volume_snapshots(account: Account, contents: Contents) -> Iterator[Remaining]:
    for resource in contents.resources:
        if resource.kind != VOLUME:
            continue
        listing = aws(
            account.aws.region,
            "ec2",
            "describe-snapshots",
            filters=f"Name=volume-id,Values={resource.physical_id}",
        )
        for found in _read(
            account,
            resource,
            ("ec2:DescribeSnapshots", "describe_snapshots", "Snapshots"),
            OwnerIds=["self"],
            Filters=[{"Name": "volume-id", "Values": [resource.physical_id]}],
        ):
            if found is None:
                yield _unverified(VOLUME_SNAPSHOT, resource, listing)
                continue
            size = int(found.get("VolumeSize", 0))
            # EBS bills the blocks that changed since the previous snapshot.
            yield _snapshot(
                account,
                VOLUME_SNAPSHOT,
                found["SnapshotId"],
                resource,
                f"of a volume of {in_words(size)}",
                stored(size, prices.VOLUME_SNAPSHOT_GB_MONTH, is_limit=True),
            )


def _log_groups(account: Account, contents: Contents) -> Iterator[Remaining]:
    own = {resource.physical_id for resource in contents.resources if not resource.is_retained}
    for resource in contents.resources:
        if resource.kind not in _LOG_GROUPS:
            continue
        prefix = _LOG_GROUPS[resource.kind].format(resource.physical_id)
        for found in _read(
            account,
            resource,
            ("logs:DescribeLogGroups", "describe_log_groups", "logGroups"),
            logGroupNamePrefix=prefix,
        ):
            if found is None or found["logGroupName"] in own:
                continue
            size = gib(int(found.get("storedBytes", 0)))
            name = found["logGroupName"]
            yield Remaining(
                LOG_GROUP,
                name,
                f"created beside {resource}",
                in_words(size),
                stored(size, prices.LOG_STORAGE_GB_MONTH),
                REMOVE[LOG_GROUP](account.aws.region, name),
            )


def _snapshot(
    account: Account, kind: str, name: str, of: StackResource, size: str, cost: Cost
) -> Remaining:
    commands = REMOVE[kind](account.aws.region, name)
    return Remaining(kind, name, f"of {of}", size, cost, commands)


def _unverified(kind: str, of: StackResource, listing: str) -> Remaining:
    """What stays according to the template, and the command that lists it."""
    return Remaining(
        kind, f"of {of.physical_id}", str(of), "", UNKNOWN_COST, (listing,), False, True
    )


def _read(
    account: Account, resource: StackResource, call: tuple[str, str, str], **arguments: Any
) -> Iterator[dict[str, Any] | None]:
    """The entries of a list; one None if the credentials cannot read it."""
    action, method, key = call

    def pages(client: Any) -> list[dict[str, Any]]:
        paginator = client.get_paginator(method)
        return [each for page in paginator.paginate(**arguments) for each in page[key]]

    what = {"describe_log_groups": "log groups"}.get(method, "snapshots")
    try:
        yield from account.read(action, f"the {what} of {resource} that stay", pages) or []
    except UnreadableError:
        yield None
