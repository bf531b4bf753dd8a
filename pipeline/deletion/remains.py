"""What stays in the account: retained resources, snapshots, and what AWS services created beside the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline import prices
from pipeline.changes.facts import DATABASE, KEY, LOG_GROUP, REPLICATION_GROUP, VOLUME
from pipeline.deletion.account import Account, UnreadableError
from pipeline.deletion.contents import Contents, StackResource
from pipeline.deletion.costs import UNKNOWN_COST, Cost, sources, stored, total, unknown_size
from pipeline.deletion.kinds import LOOKS, Look, gib, in_words, look
from pipeline.deletion.removal_commands import REMOVE, aws

BUCKET = "AWS::S3::Bucket"
CLUSTER = "AWS::ECS::Cluster"
DATABASE_SNAPSHOT, CACHE_SNAPSHOT = "AWS::RDS::DBSnapshot", "AWS::ElastiCache::Snapshot"
VOLUME_SNAPSHOT = "AWS::EC2::Snapshot"
# What services name after a resource of the stack, and keep when it is deleted.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-view-metrics.html
_LOG_GROUPS: Mapping[str, str] = {
    DATABASE: "/aws/rds/instance/{}/",
    CLUSTER: "/aws/ecs/containerinsights/{}/",
}
_WORDS: Mapping[str, str] = {
    BUCKET: "bucket",
    CACHE_SNAPSHOT: "cache snapshot",
    DATABASE: "database",
    DATABASE_SNAPSHOT: "database snapshot",
    KEY: "KMS key",
    LOG_GROUP: "log group",
    REPLICATION_GROUP: "cache",
    VOLUME: "volume",
    VOLUME_SNAPSHOT: "volume snapshot",
    "AWS::EC2::EIP": "public address",
    "AWS::EC2::NatGateway": "NAT gateway",
    "AWS::EC2::VPC": "VPC",
    "AWS::ECR::Repository": "image repository",
    "AWS::ElastiCache::ServerlessCache": "cache",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::IAM::OIDCProvider": "OIDC provider",
}


@dataclass(frozen=True)
class Remaining:
    """Something that stays. ``origin`` says why, ``commands`` remove it, and ``verified`` whether the account showed it.

    With ``is_listing``, the command lists what stays, because these credentials cannot.
    """

    kind: str
    physical_id: str
    origin: str
    size: str
    cost: Cost
    commands: tuple[str, ...]
    verified: bool = True
    is_listing: bool = False

    def lines(self) -> Iterator[str]:
        """What stays, why, its size and cost; then the commands that remove it."""
        facts = [self.size, str(self.cost)] if self.size else [str(self.cost)]
        if not self.verified:
            facts = ["not verified"]
        if self.is_listing:
            facts = ["not verified; this lists them"]
        word = _WORDS.get(self.kind, self.kind)
        what = f"{word}s {self.physical_id}" if self.is_listing else f"{word} {self.physical_id}"
        yield f"{what[0].upper()}{what[1:]} ({self.origin}): {', '.join(facts)}"
        yield from (f"  {command}" for command in self.commands)


def remaining(account: Account, contents: Contents) -> list[Remaining]:
    """What stays in the account, or has been left by a deletion; the key last, because the others cannot be read without it.

    Snapshots that these credentials cannot list are entries that are not verified.
    """
    found = [
        *retained(account, contents),
        *_database_snapshots(account, contents),
        *_cache_snapshots(account, contents),
        *_volume_snapshots(account, contents),
        *_log_groups(account, contents),
    ]
    return sorted(found, key=lambda each: each.kind == KEY)


def retained(account: Account, contents: Contents) -> Iterator[Remaining]:
    """Resources that the templates retain, unless they do not exist any more."""
    for resource in contents.resources:
        # A policy or an attachment stays with the resource that it belongs to.
        if resource.is_retained and resource.kind in REMOVE:
            seen = look(account, resource.kind, resource.physical_id, f"whether {resource} exists")
            if seen.exists is not False:
                yield _of(account, resource, seen, f"{resource}, retained")
    own = {resource.physical_id for resource in contents.resources}
    for name in ("DocumentsBucketName", "MediaBucketName"):
        bucket = contents.outputs.get(name, "")
        if bucket and bucket not in own and contents.is_complete:
            seen = look(account, BUCKET, bucket, f"whether bucket {bucket} exists")
            if seen.exists is not False:
                commands = REMOVE[BUCKET](account.aws.region, bucket)
                yield Remaining(
                    BUCKET,
                    bucket,
                    "existed before the launch",
                    seen.size,
                    seen.cost,
                    commands,
                    seen.exists is not None,
                )


def undeleted(account: Account, contents: Contents) -> Iterator[Remaining]:
    """Resources that the deletion should have deleted and that exist."""
    for resource in contents.resources:
        if not resource.is_retained and not resource.is_gone and resource.kind in LOOKS:
            seen = look(account, resource.kind, resource.physical_id, str(resource))
            if seen.exists:
                yield _of(account, resource, seen, f"{resource}, not deleted")


def _of(account: Account, resource: StackResource, seen: Look, origin: str) -> Remaining:
    return Remaining(
        resource.kind,
        resource.physical_id,
        origin,
        seen.size,
        seen.cost,
        REMOVE[resource.kind](account.aws.region, resource.physical_id),
        seen.exists is not None,
    )


def expected_snapshots(contents: Contents, looks: Mapping[str, Look]) -> Iterator[str]:
    """The final snapshots that the deletion is going to take, a line each."""
    for resource in contents.resources:
        if resource.leaves_snapshot and not resource.is_gone:
            size, seen = "", looks.get(str(resource))
            if seen and seen.exists and resource.kind == DATABASE:
                stays = Decimal(seen.size.split()[0])
                size = f": {stored(stays, prices.DATABASE_SNAPSHOT_GB_MONTH, is_limit=True)}"
            yield f"A final snapshot of {resource} ({resource.physical_id}){size}"


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
            # RDS bills what the snapshot stores, which is at most the storage of its database.
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
            # Those that ElastiCache takes every day go with the group.
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
            # EBS bills the blocks that changed since the snapshot before.
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
    """What stays by the template, and the command that lists it."""
    return Remaining(
        kind, f"of {of.physical_id}", str(of), "", UNKNOWN_COST, (listing,), False, True
    )


def _read(
    account: Account, resource: StackResource, call: tuple[str, str, str], **arguments: Any
) -> Iterator[dict[str, Any] | None]:
    """Every entry of a listing; None once where the credentials cannot read it."""
    action, method, key = call

    def pages(client: Any) -> list[dict[str, Any]]:
        paginator = client.get_paginator(method)
        return [each for page in paginator.paginate(**arguments) for each in page[key]]

    what = {"describe_log_groups": "log groups"}.get(method, "snapshots")
    try:
        yield from account.read(action, f"which {what} of {resource} stay", pages) or []
    except UnreadableError:
        yield None


def remaining_lines(found: list[Remaining], region: str) -> Iterator[str]:
    """What stays, with what it costs together and the prices behind that."""
    for each in found:
        yield from each.lines()
    costs = [each.cost if each.verified else UNKNOWN_COST for each in found]
    yield total(costs)
    if origin := sources(costs, region):
        yield origin
