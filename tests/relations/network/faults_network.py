"""Faults in subnets, routes, network ACLs and placement."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.network import checks_network as network
from tests.relations.planting import add, append, body, put, remove
from tests.relations.registry import Fault

EVERYWHERE = "0.0.0.0/0"


def swap_subnets_of_engine(rendered: Rendered) -> None:
    """The database moves to the private tier."""
    private = body(rendered, "ApiService")["Properties"]["NetworkConfiguration"]
    body(rendered, "DatabaseSubnetGroup")["Properties"]["SubnetIds"] = private[
        "AwsvpcConfiguration"
    ]["Subnets"]


FAULTS = (
    Fault(
        "subnets that overlap",
        network.subnets_cover_three_zones,
        "overlap",
        put("DataSubnet1", "CidrBlock", "10.0.64.0/20"),
    ),
    Fault(
        "a subnet outside of the VPC",
        network.subnets_cover_three_zones,
        "outside of the VPC",
        put("DataSubnet1", "CidrBlock", "10.1.0.0/20"),
    ),
    Fault(
        "two subnets of a tier in one zone",
        network.subnets_cover_three_zones,
        "The private tier has 3 subnets in 2 zones",
        put(
            "PrivateSubnet2",
            "AvailabilityZone",
            {"Fn::Select": ["0", {"Fn::GetAZs": "eu-north-1"}]},
        ),
    ),
    Fault(
        "a tier without one of its subnets",
        network.subnets_cover_three_zones,
        "The public tier has 2 subnets",
        remove("PublicSubnet3"),
    ),
    Fault(
        "a subnet that gives public addresses",
        network.subnets_cover_three_zones,
        "PublicSubnet1 gives public addresses",
        put("PublicSubnet1", "MapPublicIpOnLaunch", True),
    ),
    Fault(
        "a private subnet that goes out through another zone in prod",
        network.private_subnets_go_out_through_nat,
        "PrivateSubnet3 goes out through NatGateway1",
        put("PrivateDefaultRoute3", "NatGatewayId", {"Ref": "NatGateway1"}),
    ),
    Fault(
        "one gateway in prod",
        network.private_subnets_go_out_through_nat,
        "prod has 2 NAT gateways",
        remove("NatGateway3"),
    ),
    Fault(
        "a gateway that is paid for in every zone of dev",
        network.private_subnets_go_out_through_nat,
        "dev has 2 NAT gateways",
        add(
            "network",
            "NatGateway2",
            "AWS::EC2::NatGateway",
            SubnetId={"Ref": "PublicSubnet2"},
        ),
        "dev",
    ),
    Fault(
        "a gateway in a private subnet",
        network.private_subnets_go_out_through_nat,
        "no way out itself",
        put("NatGateway1", "SubnetId", {"Ref": "PrivateSubnet1"}),
    ),
    Fault(
        "a route out of the data tier",
        network.data_subnets_have_no_route_out,
        "has the way out DataDefaultRoute",
        add(
            "network",
            "DataDefaultRoute",
            "AWS::EC2::Route",
            RouteTableId={"Ref": "DataRouteTable"},
            DestinationCidrBlock=EVERYWHERE,
            NatGatewayId={"Ref": "NatGateway1"},
        ),
    ),
    Fault(
        "a data subnet with the VPC's route table",
        network.data_subnets_have_no_route_out,
        "DataSubnet2 has no separate route table",
        remove("DataSubnet2RouteTableAssociation"),
    ),
    Fault(
        "an endpoint in the data tier",
        network.data_subnets_have_no_route_out,
        "gateway endpoint",
        append("S3Endpoint", "RouteTableIds", {"Ref": "DataRouteTable"}),
    ),
    Fault(
        "a data subnet with the VPC's ACL",
        network.data_subnets_have_no_route_out,
        "DataSubnet3 has the VPC's network ACL",
        remove("DataSubnet3NetworkAclAssociation"),
    ),
    Fault(
        "an ACL that lets out everywhere",
        network.data_subnets_have_no_route_out,
        "DataToPrivate1 allows 0.0.0.0/0",
        put("DataToPrivate1", "CidrBlock", EVERYWHERE),
    ),
    Fault(
        "an ACL that admits every protocol",
        network.data_subnets_have_no_route_out,
        "more than TCP",
        put("DataDatabaseFromPrivate1", "Protocol", "-1"),
    ),
    Fault(
        "the database in the private tier",
        network.resources_are_in_their_tier,
        "DatabaseSubnetGroup lies in PrivateSubnet1",
        swap_subnets_of_engine,
    ),
    Fault(
        "tasks with public addresses",
        network.resources_are_in_their_tier,
        "WorkerService may give its tasks public addresses",
        put("WorkerService", "NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp", "ENABLED"),
    ),
    Fault(
        "a database with a public address",
        network.resources_are_in_their_tier,
        "Database has a public address",
        put("Database", "PubliclyAccessible", True),
    ),
)
