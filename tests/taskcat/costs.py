"""The cost of a run of taskcat.yml in US dollars an hour, and its use of quotas. For docs/testing.md."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipeline.checks.render import Rendered, render
from pipeline.cost import prices
from pipeline.release.assemble import Release
from templates_src.environment import ROOT
from tests.rendering import Resource, resources, resources_of_type
from tests.seed.rendered_architecture import is_true, service
from tests.taskcat.definition import Case
from tests.taskcat.existing_vpc import NESTED, existing_vpc

VPCS, ADDRESSES = "AWS::EC2::VPC", "AWS::EC2::EIP"
INSTANCES, FARGATE = "vCPUs of instances", "vCPUs of Fargate"
# The default quotas of a region; older accounts mostly have more.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
# https://docs.aws.amazon.com/general/latest/gr/ec2-service.html
# https://docs.aws.amazon.com/general/latest/gr/ecs-service.html
QUOTAS: Mapping[str, int] = {VPCS: 5, ADDRESSES: 5, INSTANCES: 5, FARGATE: 6}
VCPUS: Mapping[str, int] = {"t4g.small": 2}
# Groups of tests that fit the quotas together.
TURNS = (("dev", "staging", "network", "data", "layers"), ("prod", "prod-two"))
SERVICES = ("Api", "Worker", "Beat")
OWN = "own"


def launched(release: Release, case: Case, region: str) -> Rendered:
    """The resources that a test launches in a region."""
    whole = render(release, case.environment, region)
    if case.name in NESTED:
        own = {OWN: json.loads(existing_vpc(case.name))}
        nested = {name: whole.layers[name] for name in NESTED[case.name]}
        return Rendered(case.environment, region, own | nested)
    (name,) = [name for name in whole.layers if f"/{name}." in case.template]
    if name == ROOT:
        return whole
    return Rendered(case.environment, region, {name: whole.layers[name]})


def quota_use(rendered: Rendered) -> Counter[str]:
    """The use of each quota."""
    used = Counter(kind for kind, _ in resources(rendered) if kind in (VPCS, ADDRESSES))
    for found in resources_of_type(rendered, "AWS::EC2::LaunchTemplate"):
        used[INSTANCES] += VCPUS[found.properties["LaunchTemplateData"]["InstanceType"]]
    if any(resources_of_type(rendered, "AWS::ECS::Service")):
        # Spot has a separate quota.
        on_demand = [t for t in SERVICES if "FARGATE_SPOT" not in service(rendered, t).providers]
        cpu = sum(
            least_tasks(rendered, t) * int(service(rendered, t).task["Cpu"]) for t in on_demand
        )
        used[FARGATE] += math.ceil(cpu / 1024)
    return used


def hourly(rendered: Rendered) -> Decimal:
    """US dollars an hour, without traffic; a monthly price is divided into hours, and Spot counts with the on-demand price."""
    return sum(charges(rendered), Decimal(0))


def charges(rendered: Rendered) -> Iterator[Decimal]:
    """The price per hour of all resources."""
    for kind, found in resources(rendered):
        yield charge(kind, found)
    if any(resources_of_type(rendered, "AWS::ECS::Service")):
        yield from (tasks(rendered, title) for title in SERVICES)


def charge(kind: str, found: Resource) -> Decimal:
    """The price per hour of one resource; 0 for most."""
    properties = found.properties
    match kind:
        case "AWS::EC2::NatGateway":
            return prices.NAT_GATEWAY_HOUR.usd
        case "AWS::EC2::EIP":
            return prices.PUBLIC_IPV4_HOUR.usd
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            addresses = len(properties["Subnets"])
            return prices.LOAD_BALANCER_HOUR.usd + addresses * prices.PUBLIC_IPV4_HOUR.usd
        case "AWS::RDS::DBInstance":
            return database(properties)
        case "AWS::ElastiCache::ReplicationGroup":
            node = prices.CACHE_NODE_HOUR[properties["CacheNodeType"], "valkey"]
            return int(properties["NumCacheClusters"]) * node.usd
        case "AWS::ElastiCache::ServerlessCache":
            return prices.SERVERLESS_CACHE_LEAST_GB * prices.SERVERLESS_CACHE_GB_HOUR.usd
        case "AWS::EC2::LaunchTemplate":
            return prices.INSTANCE_HOUR[properties["LaunchTemplateData"]["InstanceType"]].usd
        case "AWS::EC2::Volume":
            return monthly(int(properties["Size"]) * prices.VOLUME_GB_MONTH.usd)
        case "AWS::WAFv2::WebACL":
            rules = len(properties["Rules"]) * prices.WEB_ACL_RULE_MONTH.usd
            return monthly(prices.WEB_ACL_MONTH.usd + rules)
    return monthly(BY_MONTH.get(kind, Decimal(0)))


BY_MONTH: Mapping[str, Decimal] = {
    "AWS::SecretsManager::Secret": prices.SECRET_MONTH.usd,
    "AWS::KMS::Key": prices.KEY_MONTH.usd,
    "AWS::CloudWatch::Alarm": prices.ALARM_MONTH.usd,
}


def monthly(usd: Decimal) -> Decimal:
    """A monthly price per hour."""
    return usd / prices.HOURS_A_MONTH


def database(properties: Mapping[str, Any]) -> Decimal:
    """The price of a database instance and its storage."""
    standby = is_true(properties["MultiAZ"])
    storage = int(properties["AllocatedStorage"]) * prices.DATABASE_STORAGE_GB_MONTH[standby].usd
    return prices.DATABASE_HOUR[properties["DBInstanceClass"], standby].usd + monthly(storage)


def tasks(rendered: Rendered, title: str) -> Decimal:
    """The price of an idle service."""
    task = service(rendered, title).task
    platform = task["RuntimePlatform"]["CpuArchitecture"]
    vcpu, memory = Decimal(task["Cpu"]) / 1024, Decimal(task["Memory"]) / 1024
    one = (
        vcpu * prices.FARGATE_VCPU_HOUR[platform].usd
        + memory * prices.FARGATE_GB_HOUR[platform].usd
    )
    return least_tasks(rendered, title) * one


def least_tasks(rendered: Rendered, title: str) -> int:
    """The number of tasks of an idle service."""
    for found in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalableTarget"):
        if found.logical_id == f"{title}ScalableTarget":
            return int(found.properties["MinCapacity"])
    return int(service(rendered, title).properties["DesiredCount"])
