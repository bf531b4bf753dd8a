"""The cost of a run of taskcat.yml in US dollars an hour, and its use of quotas. For docs/testing.md."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from pipeline.checks.render import Rendered, render
from pipeline.checks.rendered_resources import rendered_resources
from pipeline.cost.assumptions import DEFAULT, without_use
from pipeline.cost.prices import HOURS_A_MONTH, REGION
from pipeline.cost.table import monthly_cost
from pipeline.release.assemble import Release
from templates_src.environment import ROOT
from tests.rendering import resources, resources_of_type
from tests.seed.rendered_architecture import service
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
    """US dollars an hour in eu-north-1, without any use; Spot counts with the on-demand price."""
    unused = replace(without_use(DEFAULT), spot_discount=Decimal(0))
    return monthly_cost(rendered_resources(rendered), REGION, unused).known() / HOURS_A_MONTH


def least_tasks(rendered: Rendered, title: str) -> int:
    """The number of tasks of an idle service."""
    for found in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalableTarget"):
        if found.logical_id == f"{title}ScalableTarget":
            return int(found.properties["MinCapacity"])
    return int(service(rendered, title).properties["DesiredCount"])
