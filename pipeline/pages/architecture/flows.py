"""The flows between boxes: what security groups and routes let through, and what roles are allowed to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_network
from typing import Any

from pipeline.pages.architecture.boxes import INTERNET, Area, Box
from pipeline.pages.architecture.references import Key, Resources

EVERYWHERE = ("0.0.0.0/0", "::/0")
_GROUP = "AWS::EC2::SecurityGroup"


class Way(Enum):
    """Why something flows: the classes of lines, which the page switches."""

    NETWORK = "network"
    GRANT = "grant"
    # Through the gateways of the subnets, whose lines the drawing has instead.
    OUTBOUND = "outbound"
    # Nearly every box writes a log and uses the key: these lines would hide the others.
    COMMON = "common"


@dataclass(frozen=True, order=True)
class Flow:
    """A flow between two boxes by name. ``what`` is its ports or verbs, and ``rule`` the resource or statement that allows it."""

    source: str
    target: str
    way: str
    what: str
    rule: str


@dataclass(frozen=True)
class Rule:
    """A rule of a security group: ``peer`` is a group, or None for the addresses in ``range``."""

    key: Key
    group: Key
    peer: Key | None
    range: str
    protocol: str
    first: int
    last: int

    def covers(self, other: Rule) -> bool:
        """Whether the ports and the protocol include those of another rule."""
        if self.protocol == "-1":
            return True
        return (
            self.protocol == other.protocol
            and self.first <= other.first
            and other.last <= self.last
        )

    @property
    def ports(self) -> str:
        """The ports in words."""
        if self.protocol == "-1" or self.first < 0:
            return "all ports"
        span = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return span if self.protocol == "tcp" else f"{self.protocol} {span}"


def flows(resources: Resources, boxes: list[Box]) -> list[Flow]:
    """Every flow, sorted."""
    owners = {key: box.name for box in boxes for key in (*box.resources, *box.primary)}
    found = {
        *network_flows(resources, boxes),
        *route_flows(resources, boxes),
        *endpoint_flows(resources, boxes),
        *grant_flows(resources, boxes, owners),
        *association_flows(resources, owners),
    }
    return sorted(found)


def rules(resources: Resources, *, egress: bool) -> Iterator[Rule]:
    """The rules of one direction, as separate resources or within their group."""
    inline = "SecurityGroupEgress" if egress else "SecurityGroupIngress"
    for key in resources.of_type(_GROUP):
        for rule in resources.properties(key).get(inline, ()):
            yield _rule(resources, key, key, rule, egress=egress)
    for key in resources.of_type(f"{_GROUP}{'Egress' if egress else 'Ingress'}"):
        properties = resources.properties(key)
        (group,) = resources.named_by(key.layer, properties["GroupId"])
        yield _rule(resources, key, group, properties, egress=egress)


def _rule(
    resources: Resources, key: Key, group: Key, rule: Mapping[str, Any], *, egress: bool
) -> Rule:
    side = "Destination" if egress else "Source"
    peers = resources.named_by(key.layer, rule.get(f"{side}SecurityGroupId"))
    addresses = rule.get("CidrIp") or rule.get("CidrIpv6") or rule.get(f"{side}PrefixListId") or ""
    return Rule(
        key,
        group,
        next(iter(peers), None),
        str(addresses),
        str(rule["IpProtocol"]),
        int(rule.get("FromPort", -1)),
        int(rule.get("ToPort", -1)),
    )


def network_flows(resources: Resources, boxes: list[Box]) -> Iterator[Flow]:
    """Connections between boxes that the security groups of both sides allow, and those from addresses."""
    outgoing = list(rules(resources, egress=True))
    for rule in rules(resources, egress=False):
        targets = [box.name for box in boxes if rule.group in box.groups]
        if rule.peer is None:
            sources, names = [INTERNET], [f"{rule.key} from {rule.range}"]
        else:
            allowing = [
                each
                for each in outgoing
                if each.group == rule.peer
                and each.covers(rule)
                and (each.peer == rule.group or each.range in EVERYWHERE)
            ]
            if not allowing:
                continue
            sources = [box.name for box in boxes if rule.peer in box.groups]
            names = [f"{rule.key}, {allowing[0].key}"]
        for source in sources:
            for target in targets:
                yield Flow(source, target, Way.NETWORK.value, rule.ports, names[0])


def route_flows(resources: Resources, boxes: list[Box]) -> Iterator[Flow]:
    """The way to the internet: from boxes whose group lets them out, and from their subnets through gateways."""
    by_subnet = _default_routes(resources)
    outgoing = [
        rule
        for rule in rules(resources, egress=True)
        if rule.peer is None and rule.range and not _is_loopback(rule.range)
    ]
    gateways = {key: box.name for box in boxes for key in box.primary}
    for box in boxes:
        is_gateway = any(resources.kind(key) == "AWS::EC2::NatGateway" for key in box.primary)
        allowed = [rule for rule in outgoing if rule.group in box.groups]
        for subnet in box.subnets:
            for route, gateway in sorted(by_subnet.get(subnet, ())):
                through = gateways.get(gateway, INTERNET)
                if is_gateway:
                    yield Flow(box.name, INTERNET, Way.NETWORK.value, "all ports", str(route))
                elif allowed and through != INTERNET:
                    yield Flow(subnet.logical_id, through, Way.NETWORK.value, "route", str(route))
                for rule in allowed:
                    what, name = f"{rule.ports} to {rule.range}", f"{rule.key}, {route}"
                    yield Flow(box.name, INTERNET, Way.OUTBOUND.value, what, name)


def endpoint_flows(resources: Resources, boxes: list[Box]) -> Iterator[Flow]:
    """The routes to gateway endpoints, from boxes that may open connections to addresses outside."""
    outgoing = {
        rule.group
        for rule in rules(resources, egress=True)
        if rule.peer is None and rule.range and not _is_loopback(rule.range)
    }
    for endpoint in boxes:
        for key in endpoint.primary:
            if resources.kind(key) != "AWS::EC2::VPCEndpoint":
                continue
            service = str(resources.properties(key)["ServiceName"]).rpartition(".")[2]
            for box in boxes:
                if (
                    box is not endpoint
                    and set(box.subnets) & set(endpoint.subnets)
                    and box.groups & outgoing
                ):
                    yield Flow(
                        box.name, endpoint.name, Way.OUTBOUND.value, f"route to {service}", str(key)
                    )


def _default_routes(resources: Resources) -> dict[Key, set[tuple[Key, Key]]]:
    """The default routes of each subnet: the route and its gateway."""
    tables: dict[Key, set[tuple[Key, Key]]] = {}
    for key in resources.of_type("AWS::EC2::Route"):
        properties = resources.properties(key)
        if properties.get("DestinationCidrBlock") not in EVERYWHERE:
            continue
        for table in resources.named_by(key.layer, properties["RouteTableId"]):
            for name in ("GatewayId", "NatGatewayId"):
                for gateway in resources.named_by(key.layer, properties.get(name)):
                    tables.setdefault(table, set()).add((key, gateway))
    found: dict[Key, set[tuple[Key, Key]]] = {}
    for key in resources.of_type("AWS::EC2::SubnetRouteTableAssociation"):
        properties = resources.properties(key)
        for table in resources.named_by(key.layer, properties["RouteTableId"]):
            for subnet in resources.named_by(key.layer, properties["SubnetId"]):
                found.setdefault(subnet, set()).update(tables.get(table, ()))
    return found


def _is_loopback(addresses: str) -> bool:
    try:
        return ip_network(addresses).is_loopback
    except ValueError:
        return False


def grant_flows(
    resources: Resources, boxes: list[Box], owners: Mapping[Key, str]
) -> Iterator[Flow]:
    """What the roles of each box are allowed to do with the resources of other boxes."""
    areas = {box.name: box.area for box in boxes}
    kinds = {box.name: {resources.kind(key) for key in box.primary} for box in boxes}
    for role, layer, source, statement in statements(resources):
        if statement.get("Effect") != "Allow":
            continue
        users = [box.name for box in boxes if role in box.roles]
        reached = resources.named_by(layer, statement.get("Resource"))
        for target in sorted({owners[key] for key in reached if key in owners}):
            common = areas[target] is Area.SECURITY and kinds[target] == {"AWS::KMS::Key"}
            common |= kinds[target] == {"AWS::Logs::LogGroup"}
            way = Way.COMMON if common else Way.GRANT
            for user in users:
                if user != target:
                    yield Flow(user, target, way.value, verbs(statement), f"{role}: {source}")


def statements(resources: Resources) -> Iterator[tuple[Key, str, str, Mapping[str, Any]]]:
    """Each statement of a role: the role, the layer of its references, the name of policy and statement, the statement."""
    for role in resources.of_type("AWS::IAM::Role"):
        for policy in resources.properties(role).get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield role, role.layer, str(statement.get("Sid", policy["PolicyName"])), statement
    for key in resources.of_type("AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
        properties = resources.properties(key)
        holders = properties.get("Roles") or properties.get("RoleName")
        for role in sorted(resources.named_by(key.layer, holders)):
            for statement in properties["PolicyDocument"]["Statement"]:
                yield (
                    role,
                    key.layer,
                    f"{key}: {statement.get('Sid', '')}".removesuffix(": "),
                    statement,
                )


def verbs(statement: Mapping[str, Any]) -> str:
    """The actions of a statement without their service."""
    actions = statement.get("Action", ())
    names = [actions] if isinstance(actions, str) else list(actions)
    return ", ".join(name.partition(":")[2] or name for name in names)


# Resources that connect two boxes: the property of the source, the property of the target, and the words for it.
_ASSOCIATIONS = {
    "AWS::WAFv2::WebACLAssociation": ("WebACLArn", "ResourceArn", "filters requests"),
    "AWS::ElasticLoadBalancingV2::Listener": ("Certificates", "LoadBalancerArn", "TLS certificate"),
    "AWS::EC2::VPCEndpoint": ("RouteTableIds", "ServiceName", ""),
}


def association_flows(resources: Resources, owners: Mapping[Key, str]) -> Iterator[Flow]:
    """Associations of a web ACL, a certificate or a log bucket with the load balancer."""
    for kind, (first, second, what) in _ASSOCIATIONS.items():
        for key in resources.of_type(kind):
            properties = resources.properties(key)
            sources = _owned(resources, owners, key, properties.get(first))
            targets = _owned(resources, owners, key, properties.get(second))
            for source in sources:
                for target in targets - {source}:
                    yield Flow(source, target, Way.GRANT.value, what, str(key))
    for key in resources.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = resources.properties(key).get("LoadBalancerAttributes")
        for target in _owned(resources, owners, key, attributes):
            yield Flow(owners[key], target, Way.GRANT.value, "access logs", str(key))


def _owned(resources: Resources, owners: Mapping[Key, str], key: Key, value: Any) -> set[str]:
    return {owners[each] for each in resources.named_by(key.layer, value) if each in owners}
