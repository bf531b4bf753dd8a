"""VPC of three tiers over three zones: public behind the internet gateway, private behind NAT, data without a way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from awacs import logs as logs_actions
from awacs.aws import Allow, Condition, StringEquals
from awacs.aws import Statement as PolicyStatement
from troposphere import (
    AccountId,
    Cidr,
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
    FlowLog,
    InternetGateway,
    NatGateway,
    NetworkAcl,
    NetworkAclEntry,
    PortRange,
    Route,
    RouteTable,
    Subnet,
    SubnetNetworkAclAssociation,
    SubnetRouteTableAssociation,
    VPCEndpoint,
    VPCGatewayAttachment,
)
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup

from templates_src.core import iam, ports
from templates_src.core.declaration import Declaration, choice
from templates_src.core.layer import Layer, Rule
from templates_src.core.shared import ENVIRONMENT, LOG_RETENTION_DAYS, PROD, named

GROUP = "Network"
SINGLE, PER_ZONE = "single", "per-zone"
ZONES = (1, 2, 3)
EVERYWHERE = "0.0.0.0/0"
# /20 subnets: 12 host bits. Nine of the sixteen in a /16 are used.
SUBNET_BITS, SUBNET_COUNT = "12", 9
# Ports that clients answer from, as network ACLs know no connections.
EPHEMERAL = PortRange(From="1024", To="65535")
TCP = "6"

VPC_CIDR = Declaration(
    name="VpcCidr",
    group=GROUP,
    label="VPC address range",
    description="Private /16 range of the VPC; its nine /20 subnets are cut from it. Changing it replaces the VPC.",
    default="10.0.0.0/16",
    pattern=r"(10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])|172\.(1[6-9]|2\d|3[01])|192\.168)\.0\.0/16",
    message="VpcCidr must be a private /16 range: 10.N.0.0/16, 172.16.0.0/16 to 172.31.0.0/16, or 192.168.0.0/16.",
)

AVAILABILITY_ZONES = Declaration(
    name="AvailabilityZones",
    group=GROUP,
    label="Availability zones",
    description="Three zones of the region, in order; empty takes the first three of the account.",
    type="CommaDelimitedList",
    default="",
    # CloudFormation holds each entry to it.
    pattern=r"([a-z]{2,}(-[a-z]+)+-\d[a-z])?",
    message="AvailabilityZones must be empty or three zones separated by commas, such as eu-north-1a,eu-north-1b,eu-north-1c.",
)

NAT_GATEWAYS = choice(
    "NatGateways",
    group=GROUP,
    label="NAT gateways",
    description="One NAT gateway for all zones (cheaper) or one in each zone (survives the loss of a zone).",
    allowed=(SINGLE, PER_ZONE),
    default=SINGLE,
)


@dataclass(frozen=True)
class Tier:
    """One of the three tiers: the name its logical IDs begin with and the first of its three /20 blocks."""

    name: str
    first_block: int

    def cidr(self, zone: int) -> Select:
        """Address range of the tier's subnet in a zone (1 to 3)."""
        blocks = Cidr(Ref(VPC_CIDR.name), str(SUBNET_COUNT), SUBNET_BITS)
        return Select(str(self.first_block + zone - 1), blocks)


PUBLIC, PRIVATE, DATA = Tier("Public", 0), Tier("Private", 3), Tier("Data", 6)


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
    isolate_data(layer, vpc, data)
    add_s3_endpoint(layer, vpc, private_routes)
    add_flow_logs(layer, vpc)
    add_outputs(layer, vpc, public, private, data)
    return layer


def require_nat_per_zone_in_prod(layer: Layer) -> None:
    """One NAT gateway is one zone's failure away from an environment without a way out."""
    layer.rule(
        Rule(
            "ProdHasNatPerZone",
            parameters=(ENVIRONMENT, NAT_GATEWAYS),
            when=Equals(Ref(ENVIRONMENT.name), PROD),
            holds=Equals(Ref(NAT_GATEWAYS.name), PER_ZONE),
            message=f"NatGateways must be {PER_ZONE} when Environment is prod.",
        )
    )


def add_vpc(layer: Layer) -> VPC:
    """The VPC, resolving and giving DNS names."""
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
    """The way out; whatever uses it waits for its attachment, a race that no reference expresses."""
    gateway = layer.add(InternetGateway("InternetGateway"))
    return layer.add(
        VPCGatewayAttachment(
            "InternetGatewayAttachment", VpcId=Ref(vpc), InternetGatewayId=Ref(gateway)
        )
    )


def add_tier(layer: Layer, vpc: VPC, tier: Tier) -> list[Subnet]:
    """One subnet a zone; none gives public addresses by itself."""
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
    """Public subnets reach the internet directly."""
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
    """One NAT gateway, or one a zone; returns the gateway that each zone uses."""
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
                # Without the route a gateway that is already up drops what it is sent.
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
    """Private subnets go out through NAT; a table a zone, so that changing the strategy replaces no table."""
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


def isolate_data(layer: Layer, vpc: VPC, data: list[Subnet]) -> None:
    """Data subnets: the local route only, and a network ACL that admits the private tier to the two engines."""
    add_route_table(layer, vpc, DATA.name, data)
    acl = layer.add(NetworkAcl("DataNetworkAcl", VpcId=Ref(vpc)))
    for subnet in data:
        layer.add(
            SubnetNetworkAclAssociation(
                f"{subnet.title}NetworkAclAssociation",
                SubnetId=Ref(subnet),
                NetworkAclId=Ref(acl),
            )
        )
    database = PortRange(From=str(ports.DATABASE), To=str(ports.DATABASE))
    cache = PortRange(From=str(ports.CACHE), To=str(ports.CACHE_READER))
    for zone in ZONES:
        cidr = PRIVATE.cidr(zone)
        add_acl_entry(layer, acl, f"DatabaseFromPrivate{zone}", 100 + zone, cidr, database)
        add_acl_entry(layer, acl, f"CacheFromPrivate{zone}", 200 + zone, cidr, cache)
        add_acl_entry(layer, acl, f"ToPrivate{zone}", 100 + zone, cidr, EPHEMERAL, egress=True)


def add_acl_entry(
    layer: Layer,
    acl: NetworkAcl,
    title: str,
    number: int,
    cidr: Any,
    port_range: PortRange,
    *,
    egress: bool = False,
) -> None:
    """One rule that allows TCP; what no rule allows is denied."""
    layer.add(
        NetworkAclEntry(
            f"Data{title}",
            NetworkAclId=Ref(acl),
            RuleNumber=number,
            Protocol=TCP,
            RuleAction="allow",
            Egress=egress,
            CidrBlock=cidr,
            PortRange=port_range,
        )
    )


def add_s3_endpoint(layer: Layer, vpc: VPC, tables: list[RouteTable]) -> None:
    """Buckets and image layers without NAT's charge for each gigabyte."""
    layer.add(
        VPCEndpoint(
            "S3Endpoint",
            VpcId=Ref(vpc),
            VpcEndpointType="Gateway",
            ServiceName=Sub("com.amazonaws.${AWS::Region}.s3"),
            RouteTableIds=[Ref(table) for table in tables],
        )
    )


def add_flow_logs(layer: Layer, vpc: VPC) -> None:
    """Every connection of the VPC, kept in CloudWatch Logs.

    The role cannot make a log group, so that none comes back without a retention after the stack is deleted.
    """
    group = layer.add(LogGroup("FlowLogGroup", RetentionInDays=layer.parameter(LOG_RETENTION_DAYS)))
    role = layer.add(
        Role(
            "FlowLogRole",
            AssumeRolePolicyDocument=iam.trusted_service(
                "vpc-flow-logs.amazonaws.com",
                condition=Condition(StringEquals({"aws:SourceAccount": AccountId})),
            ),
            Policies=[
                Policy(
                    PolicyName="write-flow-logs",
                    PolicyDocument=iam.document(
                        PolicyStatement(
                            Sid="WriteStreamsOfThisGroup",
                            Effect=Allow,
                            Action=[
                                logs_actions.CreateLogStream,
                                logs_actions.PutLogEvents,
                                logs_actions.DescribeLogStreams,
                            ],
                            Resource=[GetAtt(group, "Arn")],
                        )
                    ),
                )
            ],
            **layer.role_properties(),
        )
    )
    layer.add(
        FlowLog(
            "FlowLog",
            ResourceType="VPC",
            ResourceId=Ref(vpc),
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(group),
            DeliverLogsPermissionArn=GetAtt(role, "Arn"),
            MaxAggregationInterval=600,
        )
    )


def add_outputs(
    layer: Layer, vpc: VPC, public: list[Subnet], private: list[Subnet], data: list[Subnet]
) -> None:
    """What the other layers stand on."""
    layer.output("VpcId", Ref(vpc), "VPC of the environment")
    for tier, subnets in ((PUBLIC, public), (PRIVATE, private), (DATA, data)):
        layer.output(
            f"{tier.name}SubnetIds",
            Join(",", [Ref(subnet) for subnet in subnets]),
            f"{tier.name} subnets, one a zone, separated by commas",
        )
    layer.output("FirstPrivateSubnetId", Ref(private[0]), "Private subnet of the first zone")
    layer.output("FirstPrivateSubnetZone", GetAtt(private[0], "AvailabilityZone"), "The first zone")
