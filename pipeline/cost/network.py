"""The charges of the network: NAT gateways, addresses, the load balancer and the firewall."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.cost import prices
from pipeline.cost.charge import ONE, Charge, Resource, Resources, fixed, hours, used

NAT_GATEWAY = "AWS::EC2::NatGateway"


def nat_gateway(_: Resource, every: Resources) -> Iterator[Charge]:
    """The hours of a gateway, and its part of the traffic through all of them."""
    yield Charge("hours of the gateway", prices.NAT_GATEWAY_HOUR, hours())
    part = ONE / len(every.of_kind(NAT_GATEWAY))
    yield Charge("traffic", prices.NAT_GATEWAY_GB, used("nat_traffic", part))


def address(_: Resource, _every: Resources) -> Iterator[Charge]:
    """The hours of a public IPv4 address."""
    yield Charge("hours of the address", prices.PUBLIC_IPV4_HOUR, hours())


def endpoint(resource: Resource, _: Resources) -> Iterator[Charge]:
    """The hours of an interface endpoint in each subnet; a gateway endpoint is free."""
    if resource.properties.get("VpcEndpointType", "Gateway") == "Interface":
        subnets = len(resource.properties.get("SubnetIds", ()))
        yield Charge("hours in each subnet", prices.INTERFACE_ENDPOINT_HOUR, hours(subnets))


def vpc(_: Resource, _every: Resources) -> Iterator[Charge]:
    """The traffic between zones, which both sides pay."""
    yield Charge("traffic between zones", prices.CROSS_ZONE_GB, used("cross_zone", 2))


def load_balancer(resource: Resource, _: Resources) -> Iterator[Charge]:
    """Hours, capacity units, an address in each subnet, and the responses to clients."""
    yield Charge("hours of the load balancer", prices.LOAD_BALANCER_HOUR, hours())
    yield Charge(
        "capacity units",
        prices.LOAD_BALANCER_CAPACITY_UNIT_HOUR,
        used("load_balancer_capacity", prices.HOURS_A_MONTH),
    )
    if resource.properties.get("Scheme") == "internet-facing":
        subnets = len(resource.properties.get("Subnets", ()))
        yield Charge("hours of its public addresses", prices.PUBLIC_IPV4_HOUR, hours(subnets))
        yield Charge("responses to the internet", prices.INTERNET_OUT_GB, used("internet_out"))


def web_acl(resource: Resource, _: Resources) -> Iterator[Charge]:
    """The web ACL, its rules and rule groups, and the requests that it inspects.

    A rule group counts as one rule.
    https://aws.github.io/aws-security-services-best-practices/guides/waf/waf-cost/docs/
    """
    yield Charge("web ACL", prices.WEB_ACL_MONTH, fixed())
    rules = len(resource.properties.get("Rules", ()))
    yield Charge("rules and rule groups", prices.WEB_ACL_RULE_MONTH, fixed(rules))
    yield Charge("requests", prices.WEB_ACL_MILLION_REQUESTS, used("requests"))


def hosted_zone(_: Resource, _every: Resources) -> Iterator[Charge]:
    """The hosted zone; AWS charges no queries of a VPC to its private zone here."""
    yield Charge("hosted zone", prices.HOSTED_ZONE_MONTH, fixed())
