"""Updates that AWS refuses, so that CloudFormation rolls back: taken names, shrinking sizes, resources that cannot move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pipeline.changes.differences import MISSING, is_same, value_at
from pipeline.changes.state import Evaluated, Resource
from pipeline.changes.updates import facts
from pipeline.changes.updates.schemas import updates
from pipeline.template.references import Name, tokens


class Replacements(Protocol):
    """The resources of two states that are replaced."""

    before: Evaluated
    after: Evaluated
    replaced: dict[Name, tuple[str, ...]]


def refusals(
    comparison: Replacements, old: Resource, new: Resource, paths: list[str]
) -> Iterator[str]:
    """Why AWS refuses the change of a resource, as sentences; none if it does not refuse."""
    yield from cannot_change(new, paths)
    yield from shrinks(old, new)
    yield from fails_over_without_replica(old, new)
    if new.name in comparison.replaced:
        yield from name_is_taken(old, new, paths)
        yield from collides(comparison, old, new)
    yield from leaves_its_vpc(comparison, new)


def cannot_change(new: Resource, paths: list[str]) -> Iterator[str]:
    """The properties that cannot change."""
    fixed = facts.FIXED.get(new.kind, frozenset())
    for key in sorted({path.split("/")[0] for path in paths} & fixed):
        yield f"{new.kind} cannot change {key}."


def shrinks(old: Resource, new: Resource) -> Iterator[str]:
    """Storage that shrinks, or grows by less than its service allows."""
    for key in sorted(facts.GROWING.get(new.kind, frozenset())):
        one, other = value_at(old.properties, key), value_at(new.properties, key)
        if MISSING not in (one, other) and int(str(other)) < int(str(one)):
            yield f"{key} cannot shrink from {one} to {other}."
        elif MISSING not in (one, other) and _grows_too_little(
            new.kind, int(str(one)), int(str(other))
        ):
            yield f"{key} grows by at least 10 %, but {one} to {other} is less."


def _grows_too_little(kind: str, now: int, wanted: int) -> bool:
    return kind in facts.GROWING_BY_A_TENTH and now < wanted and wanted * 10 < now * 11


def fails_over_without_replica(old: Resource, new: Resource) -> Iterator[str]:
    """Automatic failover of a cache that changes together with the first or the last replica.

    ElastiCache turns failover on only with a replica, and removes the last replica only while failover is off.
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/383
    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DecreaseReplicaCount.html
    """
    if new.kind != facts.REPLICATION_GROUP:
        return
    before, after = (int(str(each.properties.get("NumCacheClusters", 1))) for each in (old, new))
    failed_over, fails_over = (_is_true(each, "AutomaticFailoverEnabled") for each in (old, new))
    if before == 1 < after and fails_over:
        yield "ElastiCache turns on failover only with a replica: add the node with CacheFailover=off, then set auto."
    if after == 1 < before and failed_over:
        yield "ElastiCache keeps the last replica while failover is on: set CacheFailover=off, then remove the node."


def _is_true(resource: Resource, key: str) -> bool:
    return str(resource.properties.get(key, False)).lower() == "true"


def name_is_taken(old: Resource, new: Resource, paths: list[str]) -> Iterator[str]:
    """A replacement with the name that the old resource has until the update ends."""
    names = updates(new.kind).names & old.properties.keys() & new.properties.keys()
    given = [new.properties[name] for name in names if not any(tokens(new.properties[name]))]
    if given and not any(path.split("/")[0] in names for path in paths):
        yield f"The replacement has the name of the old resource ({', '.join(map(str, given))}), which is taken."


def collides(comparison: Replacements, old: Resource, new: Resource) -> Iterator[str]:
    """A replacement that cannot exist at the same time as the old resource for another reason."""
    keys = facts.UNIQUE.get(new.kind, ())
    if not keys:
        return
    moved = any(
        name in comparison.replaced for key in keys for name, _ in tokens(new.properties.get(key))
    )
    if not moved and all(is_same(old.properties.get(key), new.properties.get(key)) for key in keys):
        yield f"The replacement has the {' and '.join(keys)} of the old resource, which still exists."


def leaves_its_vpc(comparison: Replacements, new: Resource) -> Iterator[str]:
    """A database subnet group with new subnets in another VPC: RDS cannot move a group to another VPC.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html
    """
    if new.kind != facts.SUBNET_GROUP:
        return
    for name, _ in tokens(new.properties.get("SubnetIds")):
        subnet = comparison.after.resources.get(name)
        vpcs = tokens(subnet.properties.get("VpcId")) if subnet else ()
        if name in comparison.replaced and any(vpc in comparison.replaced for vpc, _ in vpcs):
            yield "RDS does not move a subnet group, and the database in it, to another VPC."
            return
