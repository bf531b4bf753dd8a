"""VPC with three tiers over three zones: public with an internet gateway, private with NAT, data without a route out."""

from __future__ import annotations

from typing import Any

from troposphere import (
    Equals,
    GetAtt,
    GetAZs,
    If,
    Join,
    Ref,
    Region,
    Select,
    Sub,
    Tags,
)
from troposphere.ec2 import (
    EIP,
    VPC,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    SubnetRouteTableAssociation,
    VPCEndpoint,
    VPCGatewayAttachment,
)
from troposphere.logs import LogGroup

from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, choice
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS, named
from templates_src.network.isolation import isolate_data
from templates_src.network.tiers import DATA, PRIVATE, PUBLIC, VPC_CIDR, ZONES, Tier

SINGLE, PER_ZONE = "single", "per-zone"
EVERYWHERE = "0.0.0.0/0"

AVAILABILITY_ZONES = Declaration(
    name="AvailabilityZones",
    group=groups.NETWORK,
    label="Availability zones (first launch only)",
    description="Three zones of the region, in order; empty takes the first three of the account. Choose them before the first launch: LaunchCheck refuses a change, also of the order, because subnets do not move.",
    type="CommaDelimitedList",
    default="",
    # CloudFormation checks each entry against the pattern.
    pattern=r"([a-z]{2,}(-[a-z]+)+-\d[a-z])?",
    message="AvailabilityZones must be empty or three zones separated by commas, such as eu-north-1a,eu-north-1b,eu-north-1c.",
)

NAT_GATEWAYS = choice(
    "NatGateways",
    group=groups.NETWORK,
    label="NAT gateways",
    description="One NAT gateway for all zones (cheaper) or one in each zone (survives the loss of a zone). single deletes the other gateways and their public addresses.",
    allowed=(SINGLE, PER_ZONE),
    default=SINGLE,
)


def network() -> Layer:
    """The network layer."""
    layer = Layer("network", "Carbon Connect: VPC of three tiers over three zones")
    require_nat_per_zone_in_prod(layer)
    vpc = add_vpc(layer)
    attachment = add_internet_gateway(layer, vpc)
    public = add_tier(layer, vpc, PUBLIC)
    private = add_tier(layer, vpc, PRIVATE)
    data = add_tier(layer, vpc, DATA)
    public_routes = add_public_routes(layer, vpc, public, attachment)
    gateways = add_nat_gateways(layer, public, attachment, public_routes)
    private_routes = add_private_routes(layer, vpc, private, gateways)
    add_route_table(layer, vpc, DATA.name, data)
    isolate_data(layer, vpc, data)
    add_s3_endpoint(layer, vpc, private_routes)
    keep_former_flow_logs(layer)
    add_outputs(layer, vpc, public, private, data)
    return layer


def require_nat_per_zone_in_prod(layer: Layer) -> None:
    """With a single NAT gateway, the failure of one zone leaves the environment without a route to the internet."""
    layer.require_in_prod(
        "ProdHasNatPerZone",
        NAT_GATEWAYS,
        holds=Equals(Ref(NAT_GATEWAYS.name), PER_ZONE),
        message=f"{NAT_GATEWAYS.name} must be {PER_ZONE} when Environment is prod.",
    )


def add_vpc(layer: Layer) -> VPC:
    """The VPC, with DNS resolution and DNS host names."""
    return layer.add(
        VPC(
            "Vpc",
            CidrBlock=layer.parameter(VPC_CIDR),
            EnableDnsSupport=True,
            EnableDnsHostnames=True,
            Tags=Tags(**layer.tags(Name=named())),
        )
    )


def add_internet_gateway(layer: Layer, vpc: VPC) -> VPCGatewayAttachment:
    """The internet gateway; resources that use it depend on its attachment, because no reference orders them."""
    gateway = layer.add(InternetGateway("InternetGateway"))
    return layer.add(
        VPCGatewayAttachment(
            "InternetGatewayAttachment", VpcId=Ref(vpc), InternetGatewayId=Ref(gateway)
        )
    )


def add_tier(layer: Layer, vpc: VPC, tier: Tier) -> list[Subnet]:
    """One subnet per zone; none assigns public addresses automatically."""
    zones = If(layer.has(AVAILABILITY_ZONES), layer.parameter(AVAILABILITY_ZONES), GetAZs(Region))
    return [
        layer.add(
            Subnet(
                f"{tier.name}Subnet{zone}",
                VpcId=Ref(vpc),
                AvailabilityZone=Select(str(zone - 1), zones),
                CidrBlock=tier.cidr(zone),
                MapPublicIpOnLaunch=False,
                Tags=Tags(**layer.tags(Name=named(f"-{tier.name.lower()}-{zone}"))),
            )
        )
        for zone in ZONES
    ]


def add_route_table(layer: Layer, vpc: VPC, title: str, subnets: list[Subnet]) -> RouteTable:
    """A route table and its subnets."""
    table = layer.add(
        RouteTable(f"{title}RouteTable", VpcId=Ref(vpc), Tags=Tags(**layer.tags(Name=title)))
    )
    for subnet in subnets:
        layer.add(
            SubnetRouteTableAssociation(
                f"{subnet.title}RouteTableAssociation",
                SubnetId=Ref(subnet),
                RouteTableId=Ref(table),
            )
        )
    return table


def add_public_routes(
    layer: Layer, vpc: VPC, public: list[Subnet], attachment: VPCGatewayAttachment
) -> Route:
    """The default route of the public subnets."""
    table = add_route_table(layer, vpc, PUBLIC.name, public)
    return layer.add(
        Route(
            "PublicDefaultRoute",
            RouteTableId=Ref(table),
            DestinationCidrBlock=EVERYWHERE,
            GatewayId=attachment.InternetGatewayId,
            DependsOn=attachment.title,
        )
    )


def add_nat_gateways(
    layer: Layer, public: list[Subnet], attachment: VPCGatewayAttachment, route: Route
) -> list[Any]:
    """One NAT gateway, or one per zone; returns the gateway that each zone uses."""
    per_zone = layer.condition("UseNatPerZone", Equals(layer.parameter(NAT_GATEWAYS), PER_ZONE))
    used: list[Any] = []
    for zone, subnet in zip(ZONES, public, strict=True):
        only_per_zone = {} if zone == 1 else {"Condition": per_zone}
        address = layer.add(
            EIP(f"NatAddress{zone}", Domain="vpc", DependsOn=attachment.title, **only_per_zone)
        )
        gateway = layer.add(
            NatGateway(
                f"NatGateway{zone}",
                SubnetId=Ref(subnet),
                AllocationId=GetAtt(address, "AllocationId"),
                # A gateway without the route drops packets.
                DependsOn=route.title,
                Tags=Tags(**layer.tags(Name=named(f"-{zone}"))),
                **only_per_zone,
            )
        )
        used.append(Ref(gateway) if zone == 1 else If(per_zone, Ref(gateway), used[0]))
    return used


def add_private_routes(
    layer: Layer, vpc: VPC, private: list[Subnet], gateways: list[Any]
) -> list[RouteTable]:
    """The default routes of the private subnets, through NAT; one table per zone, so that a change of NatGateways replaces no table."""
    tables = []
    for zone, subnet, gateway in zip(ZONES, private, gateways, strict=True):
        table = add_route_table(layer, vpc, f"{PRIVATE.name}{zone}", [subnet])
        layer.add(
            Route(
                f"PrivateDefaultRoute{zone}",
                RouteTableId=Ref(table),
                DestinationCidrBlock=EVERYWHERE,
                NatGatewayId=gateway,
            )
        )
        tables.append(table)
    return tables


def add_s3_endpoint(layer: Layer, vpc: VPC, tables: list[RouteTable]) -> None:
    """The S3 gateway endpoint: buckets and image layers without NAT's charge per gigabyte."""
    layer.add(
        VPCEndpoint(
            "S3Endpoint",
            VpcId=Ref(vpc),
            VpcEndpointType="Gateway",
            ServiceName=Sub("com.amazonaws.${AWS::Region}.s3"),
            RouteTableIds=[Ref(table) for table in tables],
        )
    )


def keep_former_flow_logs(layer: Layer) -> None:
    """The log group of flow logs up to 1.1, which were not encrypted with the environment's key.

    The flow log is now in the security layer, with the key, and this group receives no more logs. An update that
    removed the group would delete its logs, because the DeletionPolicy of the former template applies, which has none.
    The logs expire after LogRetentionDays. In a new environment, the group is empty and costs nothing.
    """
    layer.add(
        LogGroup(
            "FlowLogGroup",
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            **DELETED_WITH_THE_STACK,
        )
    )


def add_outputs(
    layer: Layer, vpc: VPC, public: list[Subnet], private: list[Subnet], data: list[Subnet]
) -> None:
    """The outputs for the other layers."""
    layer.output("VpcId", Ref(vpc), "VPC of the environment")
    for tier, subnets in ((PUBLIC, public), (PRIVATE, private), (DATA, data)):
        layer.output(
            f"{tier.name}SubnetIds",
            Join(",", [Ref(subnet) for subnet in subnets]),
            f"{tier.name} subnets, one per zone, separated by commas",
            # One-off tasks run in the private ones.
            public=tier is PRIVATE,
        )
    layer.output("FirstPrivateSubnetId", Ref(private[0]), "Private subnet of the first zone")
    layer.output("FirstPrivateSubnetZone", GetAtt(private[0], "AvailabilityZone"), "The first zone")
