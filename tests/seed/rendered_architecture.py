"""Parts of a rendered environment in the terms of the requested architecture: tiers, services, connections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.render import Rendered
from tests.rendering import (
    Resource,
    group_rules,
    id_of,
    ids_in,
    named,
    resources,
    resources_of_type,
    role_statements,
)

TIERS = ("Public", "Private", "Data")
EVERYWHERE = "0.0.0.0/0"
# eu-north-1 has these, and Fn::GetAZs lists them in this order.
ZONES = ("eu-north-1a", "eu-north-1b", "eu-north-1c")
# Types that refer to a subnet without being in it.
PLUMBING = {
    "AWS::CloudFormation::Stack",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::SubnetNetworkAclAssociation",
}


def is_true(value: Any) -> bool:
    """Whether a rendered boolean, which may be text, is true."""
    return str(value).lower() == "true"


def subnets(rendered: Rendered, tier: str) -> list[Resource]:
    """The subnets of a tier, in the order of their zones."""
    found = resources_of_type(rendered, "AWS::EC2::Subnet")
    return [subnet for subnet in found if subnet.logical_id.startswith(f"{tier}Subnet")]


def cidrs(rendered: Rendered, tier: str) -> list[str]:
    """The address ranges of a tier's subnets."""
    return [subnet.properties["CidrBlock"] for subnet in subnets(rendered, tier)]


def zone_of(subnet: Resource) -> str:
    """The zone of a subnet in eu-north-1."""
    zone = subnet.properties["AvailabilityZone"]
    if isinstance(zone, str):
        return zone
    index, zones = zone["Fn::Select"]
    assert zones == {"Fn::GetAZs": "eu-north-1"}
    return ZONES[int(index)]


def tiers_in(rendered: Rendered, layer: str, value: Any) -> set[str]:
    """The tiers of the subnets that a value mentions."""
    ids = ids_in(rendered, layer, value)
    return {tier for tier in TIERS for name in ids if name.startswith(f"{tier}Subnet")}


def placed_in(rendered: Rendered, tier: str) -> set[str]:
    """Types of the resources in a tier's subnets."""
    return {
        kind
        for kind, found in resources(rendered)
        if kind not in PLUMBING and tier in tiers_in(rendered, found.layer, found.properties)
    }


def routes(rendered: Rendered, subnet: Resource) -> dict[str, str]:
    """Logical ID of the target of each route of a subnet's route table, by destination."""
    (table,) = (
        id_of(rendered, found.layer, found.properties["RouteTableId"])
        for found in resources_of_type(rendered, "AWS::EC2::SubnetRouteTableAssociation")
        if id_of(rendered, found.layer, found.properties["SubnetId"]) == subnet.logical_id
    )
    return {
        route.properties["DestinationCidrBlock"]: id_of(
            rendered,
            route.layer,
            route.properties.get("GatewayId") or route.properties["NatGatewayId"],
        )
        for route in resources_of_type(rendered, "AWS::EC2::Route")
        if id_of(rendered, route.layer, route.properties["RouteTableId"]) == table
    }


def nat_gateways(rendered: Rendered) -> list[Resource]:
    """The NAT gateways."""
    return list(resources_of_type(rendered, "AWS::EC2::NatGateway"))


@dataclass(frozen=True)
class Service:
    """One of the ECS services api, worker and beat, with its task definition and container."""

    properties: Mapping[str, Any]
    task: Mapping[str, Any]
    container: Mapping[str, Any]
    groups: set[str]
    tiers: set[str]
    role: str

    @property
    def providers(self) -> list[str]:
        """Its capacity providers."""
        return [item["CapacityProvider"] for item in self.properties["CapacityProviderStrategy"]]

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of its container, without secrets."""
        return {item["Name"]: item["Value"] for item in self.container["Environment"]}


def service(rendered: Rendered, title: str) -> Service:
    """The service of a title: Api, Worker or Beat."""
    found = named(rendered, f"{title}Service")
    layer, properties = found.layer, found.properties
    task = named(rendered, id_of(rendered, layer, properties["TaskDefinition"])).properties
    (container,) = task["ContainerDefinitions"]
    network = properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    return Service(
        properties,
        task,
        container,
        ids_in(rendered, layer, network["SecurityGroups"]),
        tiers_in(rendered, layer, network["Subnets"]),
        id_of(rendered, layer, task["TaskRoleArn"]),
    )


def injected(rendered: Rendered, title: str) -> dict[str, str]:
    """Logical ID of the secret of each environment variable of a service that has one."""
    container = service(rendered, title).container
    found = {
        item["Name"]: ids_in(rendered, "compute", item["ValueFrom"])
        for item in container.get("Secrets", ())
    }
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


def reaches(rendered: Rendered, source: str, target: str, port: int) -> bool:
    """Whether both security groups allow TCP: egress of the one to the port, and ingress of the other."""
    rules = list(group_rules(rendered))
    out = any(
        rule.egress
        and (rule.group, rule.peer, rule.protocol) == (source, target, "tcp")
        and rule.first <= port <= rule.last
        for rule in rules
    )
    into = any(
        not rule.egress
        and (rule.group, rule.peer, rule.protocol) == (target, source, "tcp")
        and rule.first <= port <= rule.last
        for rule in rules
    )
    return out and into


def acl_entries(rendered: Rendered, *, egress: bool) -> list[Mapping[str, Any]]:
    """The entries that allow traffic, of the network ACL of the data subnets."""
    entries = resources_of_type(rendered, "AWS::EC2::NetworkAclEntry")
    return [
        entry.properties
        for entry in entries
        if is_true(entry.properties["Egress"]) is egress
        and entry.properties["RuleAction"] == "allow"
    ]


def data_tier_admits(rendered: Rendered, port: int) -> bool:
    """Whether the data subnets' network ACL allows the port from each private subnet, and the responses to it."""

    def open_to(cidr: str, first: int, last: int, *, egress: bool) -> bool:
        return any(
            entry["CidrBlock"] == cidr
            and str(entry["Protocol"]) == "6"
            and int(entry["PortRange"]["From"]) <= first
            and int(entry["PortRange"]["To"]) >= last
            for entry in acl_entries(rendered, egress=egress)
        )

    return all(
        open_to(cidr, port, port, egress=False) and open_to(cidr, 1024, 65535, egress=True)
        for cidr in cidrs(rendered, "Private")
    )


def in_list(value: Any) -> list[Any]:
    """A policy's Action or Resource as a list."""
    return value if isinstance(value, list) else [value]


def allowed(rendered: Rendered, role: str) -> dict[str, set[str]]:
    """Logical IDs of the resources of each allowed action of a role; ``*`` for all."""
    found: dict[str, set[str]] = {}
    for layer, statement in role_statements(rendered, role):
        if statement.get("Sid") == "KeepAwayFromSettings":
            # It denies one folder, which the application does not use.
            continue
        assert statement["Effect"] == "Allow"
        targets = set()
        for resource in in_list(statement["Resource"]):
            targets |= {"*"} if resource == "*" else ids_in(rendered, layer, resource)
        for action in in_list(statement["Action"]):
            found.setdefault(action, set()).update(targets)
    return found


def services_of(actions: Iterable[str]) -> set[str]:
    """The AWS services of actions."""
    return {action.partition(":")[0] for action in actions}


def scaling(rendered: Rendered, title: str) -> tuple[int, int, list[Mapping[str, Any]]]:
    """Minimum and maximum tasks of a service, and the configuration of each scaling policy."""
    for target in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalableTarget"):
        layer, logical_id, properties = target
        if f"{title}Service" not in ids_in(rendered, layer, properties["ResourceId"]):
            continue
        policies = [
            policy.properties["TargetTrackingScalingPolicyConfiguration"]
            for policy in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalingPolicy")
            if id_of(rendered, layer, policy.properties["ScalingTargetId"]) == logical_id
        ]
        return int(properties["MinCapacity"]), int(properties["MaxCapacity"]), policies
    raise AssertionError(f"Nothing scales {title}.")


def cache(rendered: Rendered) -> tuple[str, Resource]:
    """The cache with its type: serverless, or a replication group."""
    ((kind, found),) = (
        (kind, found)
        for kind, found in resources(rendered)
        if kind in {"AWS::ElastiCache::ServerlessCache", "AWS::ElastiCache::ReplicationGroup"}
    )
    return kind, found


def extensions(rendered: Rendered) -> list[str]:
    """The extensions that the custom resource creates in the database, in their order."""
    found = [
        resource.properties["Extensions"]
        for kind, resource in resources(rendered)
        if kind == "AWS::CloudFormation::CustomResource" or kind.startswith("Custom::")
        if "Extensions" in resource.properties
    ]
    assert len(found) == 1, (
        f"{len(found)} custom resources of {rendered.environment} have Extensions."
    )
    return found[0].split(",") if isinstance(found[0], str) else list(found[0])
