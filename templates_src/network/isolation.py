"""The network ACL of the data tier."""

from __future__ import annotations

from typing import Any

from troposphere import Ref
from troposphere.ec2 import (
    VPC,
    NetworkAcl,
    NetworkAclEntry,
    PortRange,
    Subnet,
    SubnetNetworkAclAssociation,
)

from templates_src.core import ports
from templates_src.core.cache_mode import use_serverless
from templates_src.core.layer import Layer
from templates_src.network.tiers import PRIVATE, ZONES

# Ephemeral ports of clients: network ACLs are stateless.
EPHEMERAL = PortRange(From="1024", To="65535")
TCP = "6"


def isolate_data(layer: Layer, vpc: VPC, data: list[Subnet]) -> None:
    """A network ACL that allows the private tier to reach the database and the cache on their ports, and no other traffic."""
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
    cache = PortRange(From=str(ports.CACHE), To=str(ports.CACHE))
    reader = PortRange(From=str(ports.CACHE_READER), To=str(ports.CACHE_READER))
    serverless = use_serverless(layer)
    for zone in ZONES:
        cidr = PRIVATE.cidr(zone)
        add_acl_entry(layer, acl, f"DatabaseFromPrivate{zone}", 100 + zone, cidr, database)
        add_acl_entry(layer, acl, f"CacheFromPrivate{zone}", 200 + zone, cidr, cache)
        add_acl_entry(
            layer,
            acl,
            f"CacheReaderFromPrivate{zone}",
            300 + zone,
            cidr,
            reader,
            condition=serverless,
        )
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
    condition: str | None = None,
) -> None:
    """A rule that allows TCP if the condition is true; without a matching rule, traffic is denied."""
    optional: dict[str, Any] = {} if condition is None else {"Condition": condition}
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
            **optional,
        )
    )
