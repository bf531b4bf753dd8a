"""Subnets, routes, network ACLs, and the tier of each resource."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import Resource, id_of, named, only, resources_of_type

PUBLIC, PRIVATE, DATA = "public", "private", "data"
ZONES = 3


@dataclass(frozen=True)
class Subnet:
    """A subnet, with its zone as text and the routes of its table; ``table`` is None for the main route table of the VPC."""

    logical_id: str
    zone: str
    network: ipaddress.IPv4Network
    table: str | None
    routes: tuple[Resource, ...]

    @property
    def tier(self) -> str:
        """The tier that follows from its routes."""
        if any("NatGatewayId" in route.properties for route in self.routes):
            return PRIVATE
        return PUBLIC if any("GatewayId" in route.properties for route in self.routes) else DATA


def subnets(rendered: Rendered) -> dict[str, Subnet]:
    """Every subnet by its logical ID."""
    tables = {
        id_of(rendered, found.layer, found.properties["SubnetId"]): id_of(
            rendered, found.layer, found.properties["RouteTableId"]
        )
        for found in resources_of_type(rendered, "AWS::EC2::SubnetRouteTableAssociation")
    }
    routes = list(resources_of_type(rendered, "AWS::EC2::Route"))
    return {
        found.logical_id: Subnet(
            found.logical_id,
            text_of(found.properties["AvailabilityZone"]),
            ipaddress.IPv4Network(found.properties["CidrBlock"]),
            tables.get(found.logical_id),
            tuple(
                route
                for route in routes
                if id_of(rendered, route.layer, route.properties["RouteTableId"])
                == tables.get(found.logical_id)
            ),
        )
        for found in resources_of_type(rendered, "AWS::EC2::Subnet")
    }


@relation
def subnets_cover_three_zones(rendered: Rendered) -> Iterator[str]:
    """Nine subnets of one VPC that do not overlap; each tier has one in each of three zones."""
    found = subnets(rendered)
    vpc = ipaddress.IPv4Network(only(rendered, "AWS::EC2::VPC").properties["CidrBlock"])
    for subnet in found.values():
        if not subnet.network.subnet_of(vpc):
            yield f"{subnet.logical_id} ({subnet.network}) lies outside of the VPC ({vpc})."
        if is_true(named(rendered, subnet.logical_id).properties.get("MapPublicIpOnLaunch")):
            yield f"{subnet.logical_id} gives public addresses by itself."
        for other in found.values():
            if subnet.logical_id < other.logical_id and subnet.network.overlaps(other.network):
                yield f"{subnet.logical_id} and {other.logical_id} overlap."
    for tier in (PUBLIC, PRIVATE, DATA):
        zones = [subnet.zone for subnet in found.values() if subnet.tier == tier]
        if len(zones) != ZONES or len(set(zones)) != ZONES:
            yield f"The {tier} tier has {len(zones)} subnets in {len(set(zones))} zones, not one in each of {ZONES}."
    if len({subnet.zone for subnet in found.values()}) != ZONES:
        yield "The tiers do not lie in the same three zones."


@relation
def private_subnets_go_out_through_nat(rendered: Rendered) -> Iterator[str]:
    """In prod, private subnets use the NAT gateway in the same zone; in other environments, all use one."""
    found = subnets(rendered)
    gateways = {
        gateway.logical_id: found[id_of(rendered, gateway.layer, gateway.properties["SubnetId"])]
        for gateway in resources_of_type(rendered, "AWS::EC2::NatGateway")
    }
    per_zone = rendered.environment == "prod"
    if len(gateways) != (ZONES if per_zone else 1):
        yield f"{rendered.environment} has {len(gateways)} NAT gateways."
    for gateway, subnet in gateways.items():
        if subnet.tier != PUBLIC:
            yield f"{gateway} lies in {subnet.logical_id}, which has no way out itself."
    for subnet in found.values():
        for route in subnet.routes:
            gateway = id_of(rendered, route.layer, route.properties.get("NatGatewayId"))
            if per_zone and gateway in gateways and gateways[gateway].zone != subnet.zone:
                yield f"{subnet.logical_id} goes out through {gateway}, in another zone."


@relation
def data_subnets_have_no_route_out(rendered: Rendered) -> Iterator[str]:
    """Data subnets have a separate route table without routes and endpoints, and a network ACL that allows only the private tier."""
    found = subnets(rendered)
    acls = {
        id_of(rendered, each.layer, each.properties["SubnetId"]): id_of(
            rendered, each.layer, each.properties["NetworkAclId"]
        )
        for each in resources_of_type(rendered, "AWS::EC2::SubnetNetworkAclAssociation")
    }
    in_endpoints = {
        id_of(rendered, endpoint.layer, table)
        for endpoint in resources_of_type(rendered, "AWS::EC2::VPCEndpoint")
        for table in endpoint.properties.get("RouteTableIds", ())
    }
    for name in sorted(_subnets_of_engines(rendered)):
        subnet = found[name]
        if subnet.table is None:
            yield f"{name} has no separate route table, but the main one of the VPC."
        for route in subnet.routes:
            yield f"{name} has the way out {route.logical_id}."
        if subnet.table in in_endpoints:
            yield f"{name} has a way out through a gateway endpoint."
        if name not in acls:
            yield f"{name} has the VPC's network ACL, which admits everything."
    yield from _entries_refused(rendered)
    private = [subnet.network for subnet in found.values() if subnet.tier == PRIVATE]
    for entry in resources_of_type(rendered, "AWS::EC2::NetworkAclEntry"):
        block = ipaddress.ip_network(
            entry.properties.get("CidrBlock", entry.properties.get("Ipv6CidrBlock"))
        )
        if entry.properties["RuleAction"] == "allow" and block not in private:
            yield f"{entry.logical_id} allows {block}, which is not a private subnet."
        if str(entry.properties["Protocol"]) != "6":
            yield f"{entry.logical_id} allows more than TCP."


def _entries_refused(rendered: Rendered) -> Iterator[str]:
    """Entries of a network ACL whose number EC2 refuses: of one direction, each has another number."""
    numbers: dict[tuple[str, str, int], str] = {}
    for entry in resources_of_type(rendered, "AWS::EC2::NetworkAclEntry"):
        acl = id_of(rendered, entry.layer, entry.properties["NetworkAclId"])
        number = int(entry.properties["RuleNumber"])
        place = (acl, str(entry.properties.get("Egress")).lower(), number)
        if place in numbers:
            yield f"{entry.logical_id} has the number {number} of {numbers[place]}."
        numbers[place] = entry.logical_id
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html
        if not 1 <= number <= 32766:
            yield f"{entry.logical_id} has the number {number}, which EC2 refuses."


def _subnets_of_engines(rendered: Rendered) -> set[str]:
    """The data subnets of three zones are the only ones of database and cache."""
    return {
        id_of(rendered, group.layer, subnet)
        for kind in (
            "AWS::RDS::DBSubnetGroup",
            "AWS::ElastiCache::SubnetGroup",
            "AWS::ElastiCache::ServerlessCache",
        )
        for group in resources_of_type(rendered, kind)
        for subnet in group.properties["SubnetIds"]
    }


def _placed(rendered: Rendered) -> Iterator[tuple[Resource, Any, str]]:
    """Resources in subnets, with their subnets and tier."""
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        yield service, network["Subnets"], PRIVATE
    for function in resources_of_type(rendered, "AWS::Lambda::Function"):
        yield function, function.properties.get("VpcConfig", {}).get("SubnetIds", ()), PRIVATE
    for group in resources_of_type(rendered, "AWS::AutoScaling::AutoScalingGroup"):
        yield group, listed(group.properties.get("VPCZoneIdentifier")), PRIVATE
    for kind in ("AWS::RDS::DBSubnetGroup", "AWS::ElastiCache::SubnetGroup"):
        for subnet_group in resources_of_type(rendered, kind):
            yield subnet_group, subnet_group.properties["SubnetIds"], DATA
    for cache in resources_of_type(rendered, "AWS::ElastiCache::ServerlessCache"):
        yield cache, cache.properties["SubnetIds"], DATA
    for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        yield balancer, balancer.properties["Subnets"], PUBLIC


@relation
def resources_are_in_their_tier(rendered: Rendered) -> Iterator[str]:
    """Only the load balancer and the NAT gateways are in public subnets; no other resource has a public address."""
    found = subnets(rendered)
    for resource, where, tier in _placed(rendered):
        for subnet in where:
            name = id_of(rendered, resource.layer, subnet)
            if name not in found or found[name].tier != tier:
                yield f"{resource.logical_id} lies in {name}, outside of the {tier} tier."
    for service in resources_of_type(rendered, "AWS::ECS::Service"):
        network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        if network.get("AssignPublicIp") != "DISABLED":
            yield f"{service.logical_id} may give its tasks public addresses."
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        if is_true(database.properties.get("PubliclyAccessible", True)):
            yield f"{database.logical_id} has a public address."
