"""Security groups: sources and targets, with rules on both sides."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.rendering import group_rules, id_of, named, resources_of_type

EVERYWHERE = ("0.0.0.0/0", "::/0")
# Matches no traffic: EC2 allows all egress of a group without an egress rule.
NOWHERE = "127.0.0.1/32"
LISTENED = (80, 443)
HTTPS = 443
BROKER_PORT = 6379


def groups(rendered: Rendered) -> set[str]:
    """Logical IDs of all security groups."""
    return {found.logical_id for found in resources_of_type(rendered, "AWS::EC2::SecurityGroup")}


def groups_of(rendered: Rendered, *kinds: str) -> set[str]:
    """Logical IDs of the groups of the resources of some types."""
    return {
        id_of(rendered, resource.layer, group)
        for kind in kinds
        for resource in resources_of_type(rendered, kind)
        for key in ("SecurityGroups", "SecurityGroupIds", "VPCSecurityGroups")
        for group in resource.properties.get(key, ())
    }


def groups_of_engines(rendered: Rendered) -> set[str]:
    """Logical IDs of the groups of database and cache."""
    return groups_of(
        rendered,
        "AWS::RDS::DBInstance",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::ElastiCache::ReplicationGroup",
    )


@relation
def flows_have_both_sides(rendered: Rendered) -> Iterator[str]:
    """If one group allows egress to another, the other allows ingress on the same ports, and no other ingress exists."""
    known = groups(rendered)
    flows: dict[bool, set[tuple[str, str, str, int, int]]] = {True: set(), False: set()}
    for rule in group_rules(rendered):
        if rule.peer in known:
            source, target = (rule.group, rule.peer) if rule.egress else (rule.peer, rule.group)
            flows[rule.egress].add((source, target, rule.protocol, rule.first, rule.last))
    for source, target, _, first, last in sorted(flows[True] - flows[False]):
        yield f"{source} may reach {target} on {first}-{last}, which does not admit it there."
    for source, target, _, first, last in sorted(flows[False] - flows[True]):
        yield f"{target} admits {source} on {first}-{last}, which may not go there."


@relation
def only_the_load_balancer_allows_addresses(rendered: Rendered) -> Iterator[str]:
    """Clients connect to the two listeners; everything else is reached through groups, never through addresses."""
    balancers = groups_of(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    known = groups(rendered)
    for rule in group_rules(rendered):
        if rule.egress or rule.peer in known:
            continue
        listened = rule.protocol == "tcp" and rule.first == rule.last and rule.first in LISTENED
        if rule.group not in balancers or not listened:
            yield f"{rule.group} admits {rule.peer} on {rule.first}-{rule.last}."


@relation
def groups_allow_only_listed_egress(rendered: Rendered) -> Iterator[str]:
    """Each group removes EC2's rule for all egress; egress to the internet is HTTPS only."""
    known = groups(rendered)
    for group in resources_of_type(rendered, "AWS::EC2::SecurityGroup"):
        if not group.properties.get("SecurityGroupEgress"):
            yield f"{group.logical_id} has no egress rule, so that EC2 allows all egress."
    engines = groups_of_engines(rendered)
    for rule in group_rules(rendered):
        if not rule.egress or rule.peer == NOWHERE:
            continue
        if rule.group in engines:
            yield f"{rule.group} allows egress to {rule.peer}, but an engine makes no connections."
        if rule.peer not in known and (rule.protocol, rule.first, rule.last) != (
            "tcp",
            HTTPS,
            HTTPS,
        ):
            yield f"{rule.group} lets out to {rule.peer} on {rule.first}-{rule.last}, which is not HTTPS."


@relation
def beat_reaches_only_the_broker(rendered: Rendered) -> Iterator[str]:
    """In the VPC, beat's task reaches the cache on the port of its primary, and no other group."""
    (broker,) = groups_of(
        rendered, "AWS::ElastiCache::ServerlessCache", "AWS::ElastiCache::ReplicationGroup"
    )
    service = named(rendered, "BeatService")
    network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    own = {id_of(rendered, service.layer, group) for group in network["SecurityGroups"]}
    known = groups(rendered)
    reached = {
        (rule.peer, rule.first, rule.last)
        for rule in group_rules(rendered)
        if rule.egress and rule.group in own and rule.peer in known
    }
    for peer, first, last in sorted(reached - {(broker, BROKER_PORT, BROKER_PORT)}):
        yield f"BeatService may reach {peer} on {first}-{last}."
    if (broker, BROKER_PORT, BROKER_PORT) not in reached:
        yield f"BeatService does not reach {broker} on {BROKER_PORT}."
