"""Layers on an existing VPC, as one template, because taskcat launches a test from a single template.

The VPC differs from the network layer's: it has two zones, and one private tier for everything. Each layer is launched
from its template, like by a team with an existing VPC, with the outputs of the layers before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import AWSObject, GetAtt, GetAZs, Join, Ref, Select, Template
from troposphere.cloudformation import Stack
from troposphere.ec2 import (
    EIP,
    VPC,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    SubnetRouteTableAssociation,
    VPCGatewayAttachment,
)

from pipeline.release.assemble import serialize
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import (
    ENVIRONMENT,
    PROJECT,
    RELEASE_BUCKET,
    RELEASE_PREFIX,
)
from templates_src.data.buckets import NAMESPACE as BUCKET_NAMESPACE
from templates_src.environment import layers, stack_title, template_url

# The layers of each test, in the order of their dependencies.
NESTED: Mapping[str, tuple[str, ...]] = {
    "data": ("security", "data"),
    "layers": ("security", "data", "edge", "compute", "monitoring"),
}
PARAMETERS = (PROJECT, ENVIRONMENT, BUCKET_NAMESPACE, RELEASE_BUCKET, RELEASE_PREFIX)
PUBLIC = ("PublicSubnetA", "PublicSubnetB")
PRIVATE = ("PrivateSubnetA", "PrivateSubnetB")
EVERYWHERE = "0.0.0.0/0"


def file_name(test: str) -> str:
    """Name of the template of a test."""
    return f"{test}-on-existing-vpc.template.json"


def existing_vpc(test: str) -> bytes:
    """The committed template of a test."""
    names = NESTED[test]
    template = Template(
        f"Carbon Connect's layers {', '.join(names)} on an existing VPC. Generated: do not edit."
    )
    template.set_version()
    for declaration in PARAMETERS:
        template.add_parameter(declaration.parameter())
    for resource in (*public_side(), *private_side()):
        template.add_resource(resource)
    known = brought()
    for layer in (layer for layer in layers() if layer.name in names):
        template.add_resource(nested(layer, known))
        known |= {
            name: GetAtt(stack_title(layer.name), f"Outputs.{name}")
            for name in layer.template.outputs
        }
    return serialize(template.to_dict())


def public_side() -> Iterator[AWSObject]:
    """The VPC, its gateway, and two public subnets, one with the NAT gateway."""
    yield VPC("Vpc", CidrBlock="172.20.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True)
    yield InternetGateway("InternetGateway")
    yield VPCGatewayAttachment(
        "GatewayAttachment", VpcId=Ref("Vpc"), InternetGatewayId=Ref("InternetGateway")
    )
    for zone, name in enumerate(PUBLIC):
        yield subnet(name, f"172.20.{zone}.0/24", zone)
    yield from routed("Public", PUBLIC, GatewayId=Ref("InternetGateway"))
    yield EIP("NatAddress", Domain="vpc", DependsOn="GatewayAttachment")
    yield NatGateway(
        "NatGateway",
        SubnetId=Ref(PUBLIC[0]),
        AllocationId=GetAtt("NatAddress", "AllocationId"),
    )


def private_side() -> Iterator[AWSObject]:
    """Two private subnets, whose functions reach AWS through the NAT gateway."""
    for zone, name in enumerate(PRIVATE):
        yield subnet(name, f"172.20.{16 * (zone + 1)}.0/24", zone)
    yield from routed("Private", PRIVATE, NatGatewayId=Ref("NatGateway"))


def subnet(title: str, cidr: str, zone: int) -> Subnet:
    """A subnet in the region's first or second zone."""
    return Subnet(
        title, VpcId=Ref("Vpc"), CidrBlock=cidr, AvailabilityZone=Select(zone, GetAZs(""))
    )


def routed(tier: str, subnets: tuple[str, ...], **target: Ref) -> Iterator[AWSObject]:
    """A route table with a default route, and its subnets."""
    yield RouteTable(f"{tier}RouteTable", VpcId=Ref("Vpc"))
    yield Route(
        f"{tier}Route",
        RouteTableId=Ref(f"{tier}RouteTable"),
        DestinationCidrBlock=EVERYWHERE,
        DependsOn="GatewayAttachment",
        **target,
    )
    for name in subnets:
        yield SubnetRouteTableAssociation(
            f"{name}Routes", SubnetId=Ref(name), RouteTableId=Ref(f"{tier}RouteTable")
        )


def brought() -> dict[str, Any]:
    """The parameters of the layers for the VPC."""
    private = Join(",", [Ref(name) for name in PRIVATE])
    return {
        "VpcId": Ref("Vpc"),
        "PublicSubnetIds": Join(",", [Ref(name) for name in PUBLIC]),
        "PrivateSubnetIds": private,
        "DataSubnetIds": private,
        "FirstPrivateSubnetId": Ref(PRIVATE[0]),
        "FirstPrivateSubnetZone": GetAtt(PRIVATE[0], "AvailabilityZone"),
        **{declaration.name: Ref(declaration.name) for declaration in PARAMETERS},
    }


def nested(layer: Layer, known: Mapping[str, Any]) -> Stack:
    """A layer as a nested stack; unknown parameters keep their defaults."""
    return Stack(
        stack_title(layer.name),
        TemplateURL=template_url(layer.name),
        Parameters={name: known[name] for name in layer.declarations if name in known},
        # The functions call AWS from their creation to their deletion.
        DependsOn=["PublicRoute", "PrivateRoute", *(f"{name}Routes" for name in PUBLIC + PRIVATE)],
    )
