"""Security groups with least privilege in both directions, and the flows between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import GetAtt, Tags
from troposphere.ec2 import (
    SecurityGroup,
    SecurityGroupEgress,
    SecurityGroupIngress,
    SecurityGroupRule,
)

from templates_src.core import ports
from templates_src.core.cache_mode import use_serverless
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import named
from templates_src.core.parameters.wiring.network import VPC_ID
from templates_src.network.template import EVERYWHERE

TCP = "tcp"
OCTET = r"(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])"

INGRESS_CIDR = Declaration(
    name="IngressCidr",
    group=groups.LOAD_BALANCER,
    label="Clients' address range",
    description="IPv4 range of the clients that can reach the load balancer; by default all. A change replaces the two rules that admit them.",
    default=EVERYWHERE,
    pattern=rf"{OCTET}(\.{OCTET}){{3}}/(\d|[12]\d|3[0-2])",
    message="IngressCidr must be an IPv4 range such as 0.0.0.0/0 or 203.0.113.0/24.",
)


@dataclass(frozen=True)
class Group:
    """A security group: the prefix of its logical IDs, the suffix of its Name tag, and its description.

    EC2 cannot change a description: another one replaces the group. It can contain letters, digits, spaces and
    ``._-:/()#,@[]+=&;{}!$*``, so no apostrophe.
    """

    title: str
    suffix: str
    description: str


LOAD_BALANCER = Group("LoadBalancer", "-load-balancer", "Load balancer")
API = Group("Api", "-api", "Tasks of the api service")
# The description of 1.1, when beat had this group too: another one would replace the group.
WORKER = Group("Worker", "-worker", "Tasks of the worker and beat services")
BEAT = Group("Beat", "-beat", "Tasks of the beat service")
SEARCH = Group("Search", "-search", "Search server")
FUNCTIONS = Group("Functions", "-functions", "Lambda functions inside the VPC")
DATABASE = Group("Database", "-database", "PostgreSQL")
CACHE = Group("Cache", "-cache", "Valkey")
GROUPS = (LOAD_BALANCER, API, WORKER, BEAT, SEARCH, FUNCTIONS, DATABASE, CACHE)


@dataclass(frozen=True)
class Flow:
    """TCP from one group to another on a port.

    ``reader`` marks the port for reads from replicas, which only a serverless cache has. Its rules have other logical
    IDs and exist only in that mode.
    """

    source: Group
    target: Group
    port: int
    reader: bool = False


FLOWS = (
    Flow(LOAD_BALANCER, API, ports.API),
    Flow(API, SEARCH, ports.SEARCH),
    Flow(WORKER, SEARCH, ports.SEARCH),
    Flow(API, DATABASE, ports.DATABASE),
    Flow(WORKER, DATABASE, ports.DATABASE),
    Flow(FUNCTIONS, DATABASE, ports.DATABASE),
    Flow(API, CACHE, ports.CACHE),
    Flow(WORKER, CACHE, ports.CACHE),
    Flow(BEAT, CACHE, ports.CACHE),
    Flow(FUNCTIONS, CACHE, ports.CACHE),
    # Celery and the queue-depth function use only the first port. The cache client of the application can read from
    # this one.
    Flow(API, CACHE, ports.CACHE_READER, reader=True),
    Flow(WORKER, CACHE, ports.CACHE_READER, reader=True),
)
# The APIs of AWS, Anthropic and Climatiq, and the registry, through NAT or the S3 endpoint. A Fargate task pulls its
# image, reads its secrets and writes its log through the network interface of the task, so beat needs HTTPS to start.
CALLS_OUT = (API, WORKER, BEAT, SEARCH, FUNCTIONS)


def add_security_groups(layer: Layer) -> dict[str, GetAtt]:
    """Every group with its rules; returns the group IDs by title."""
    ids = {group.title: add_group(layer, group) for group in GROUPS}
    allow_clients(layer, ids)
    for flow in FLOWS:
        add_flow(layer, ids, flow)
    for group in CALLS_OUT:
        allow_egress(layer, ids, group)
    return ids


def add_group(layer: Layer, group: Group) -> GetAtt:
    """A group without rules that allow traffic; returns its ID."""
    resource = layer.add(
        SecurityGroup(
            f"{group.title}SecurityGroup",
            GroupDescription=group.description,
            VpcId=layer.parameter(VPC_ID),
            # EC2 adds a rule for all egress to a group without egress rules; this rule, which matches no traffic,
            # prevents that.
            SecurityGroupEgress=[
                SecurityGroupRule(
                    IpProtocol="-1",
                    CidrIp="127.0.0.1/32",
                    Description="Nothing but what rules name",
                )
            ],
            Tags=Tags(**layer.tags(Name=named(group.suffix))),
        )
    )
    return GetAtt(resource, "GroupId")


def allow_clients(layer: Layer, ids: dict[str, GetAtt]) -> None:
    """The rules for clients of the two listeners."""
    for protocol, port in (("Http", ports.HTTP), ("Https", ports.HTTPS)):
        layer.add(
            SecurityGroupIngress(
                f"LoadBalancerFromClients{protocol}",
                GroupId=ids[LOAD_BALANCER.title],
                IpProtocol=TCP,
                FromPort=port,
                ToPort=port,
                CidrIp=layer.parameter(INGRESS_CIDR),
                Description=f"Clients, {protocol.upper()}",
            )
        )


def add_flow(layer: Layer, ids: dict[str, GetAtt], flow: Flow) -> None:
    """The two rules of a flow. They are separate resources, because two groups whose rules name each other are a circular dependency."""
    source, target = flow.source, flow.target
    part = "Reader" if flow.reader else ""
    rule: dict[str, Any] = {"IpProtocol": TCP, "FromPort": flow.port, "ToPort": flow.port}
    if flow.reader:
        rule["Condition"] = use_serverless(layer)
    layer.add(
        SecurityGroupIngress(
            f"{target.title}{part}From{source.title}",
            GroupId=ids[target.title],
            SourceSecurityGroupId=ids[source.title],
            Description=f"From: {source.description}",
            **rule,
        )
    )
    layer.add(
        SecurityGroupEgress(
            f"{source.title}To{target.title}{part}",
            GroupId=ids[source.title],
            DestinationSecurityGroupId=ids[target.title],
            Description=f"To: {target.description}",
            **rule,
        )
    )


def allow_egress(layer: Layer, ids: dict[str, GetAtt], group: Group) -> None:
    """HTTPS to any address, because the called services have no fixed addresses."""
    layer.add(
        SecurityGroupEgress(
            f"{group.title}ToInternet",
            GroupId=ids[group.title],
            IpProtocol=TCP,
            FromPort=ports.HTTPS,
            ToPort=ports.HTTPS,
            CidrIp=EVERYWHERE,
            Description="APIs and the image registry, HTTPS",
        )
    )
