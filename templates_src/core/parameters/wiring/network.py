"""Outputs of the network layer that later layers receive."""

from __future__ import annotations

from templates_src.core.parameters.declaration import wired
from templates_src.core.parameters.groups import NETWORK_OUTPUTS

VPC_ID = wired(
    "VpcId",
    group=NETWORK_OUTPUTS,
    label="VPC",
    description="VPC of the environment.",
    type="AWS::EC2::VPC::Id",
)
PUBLIC_SUBNET_IDS = wired(
    "PublicSubnetIds",
    group=NETWORK_OUTPUTS,
    label="Public subnets",
    description="Subnets with a default route to the internet gateway, one in each zone.",
    type="List<AWS::EC2::Subnet::Id>",
)
PRIVATE_SUBNET_IDS = wired(
    "PrivateSubnetIds",
    group=NETWORK_OUTPUTS,
    label="Private subnets",
    description="Subnets with a default route to a NAT gateway, one in each zone.",
    type="List<AWS::EC2::Subnet::Id>",
)
FIRST_PRIVATE_SUBNET_ID = wired(
    "FirstPrivateSubnetId",
    group=NETWORK_OUTPUTS,
    label="Search server's subnet",
    description="Private subnet in FirstPrivateSubnetZone.",
    type="AWS::EC2::Subnet::Id",
)
FIRST_PRIVATE_SUBNET_ZONE = wired(
    "FirstPrivateSubnetZone",
    group=NETWORK_OUTPUTS,
    label="Search volume's zone",
    description="Availability zone of FirstPrivateSubnetId.",
    type="AWS::EC2::AvailabilityZone::Name",
)
DATA_SUBNET_IDS = wired(
    "DataSubnetIds",
    group=NETWORK_OUTPUTS,
    label="Data subnets",
    description="Subnets without a route to the internet, one in each zone.",
    type="List<AWS::EC2::Subnet::Id>",
)
