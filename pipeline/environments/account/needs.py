"""The number of resources that an environment needs of each kind, by its rendered templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

from pipeline.checks.regions.uses import Used, resources, zones_needed
from pipeline.checks.render import Rendered

CPU_UNITS = 1024
GIB_PER_TIB = 1024
SERVICE, TASK, TARGET = (
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ApplicationAutoScaling::ScalableTarget",
)
SPOT = "FARGATE_SPOT"


@dataclass(frozen=True)
class Need:
    """A number that a launch needs at once, and at the largest size that the parameters allow."""

    at_launch: float
    at_largest: float


def flat(number: float) -> Need:
    """A need that does not grow."""
    return Need(number, number)


class Needs:
    """The needs of a rendered environment."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self.used = list(resources(rendered))

    @cached_property
    def _counted(self) -> Counter[str]:
        return Counter(each.kind for each in self.used)

    def count(self, kind: str) -> int:
        """The number of resources of a type."""
        return self._counted[kind]

    def of(self, kind: str) -> list[Used]:
        """The resources of a type."""
        return [each for each in self.used if each.kind == kind]

    @property
    def stacks(self) -> int:
        """The root stack and its nested stacks."""
        return 1 + self.count("AWS::CloudFormation::Stack")

    @property
    def zones(self) -> int:
        """The number of availability zones."""
        return zones_needed(self.rendered)

    @property
    def gateway_endpoints(self) -> int:
        """VPC endpoints of the type Gateway, which is the default."""
        return sum(
            each.properties.get("VpcEndpointType", "Gateway") == "Gateway"
            for each in self.of("AWS::EC2::VPCEndpoint")
        )

    @property
    def rules(self) -> int:
        """The most rules in one direction of a security group."""
        counted: Counter[tuple[str, str]] = Counter()
        for direction in ("Ingress", "Egress"):
            for each in self.of(f"AWS::EC2::SecurityGroup{direction}"):
                counted[direction, str(each.properties["GroupId"])] += 1
            for each in self.of("AWS::EC2::SecurityGroup"):
                own = each.properties.get(f"SecurityGroup{direction}", [])
                counted[direction, each.logical_id] += len(own)
        return max(counted.values(), default=0)

    @property
    def nat_gateways_of_a_zone(self) -> int:
        """The most NAT gateways in one zone."""
        count = self.count("AWS::EC2::NatGateway")
        return ceil(count / max(self.zones, 1))

    @property
    def database_gib(self) -> Need:
        """The storage of the database: its size at launch, and the limit of its growth."""
        databases = self.of("AWS::RDS::DBInstance")
        first = sum(float(each.properties.get("AllocatedStorage", 0)) for each in databases)
        last = sum(
            float(each.properties.get("MaxAllocatedStorage", 0))
            or float(each.properties.get("AllocatedStorage", 0))
            for each in databases
        )
        return Need(first, max(first, last))

    @property
    def volume_tib(self) -> float:
        """The storage of gp3 volumes."""
        volumes = [
            each.properties
            for each in self.of("AWS::EC2::Volume")
            if each.properties.get("VolumeType") == "gp3"
        ]
        return sum(float(each["Size"]) for each in volumes) / GIB_PER_TIB

    @property
    def instance_vcpus(self) -> int:
        """The vCPUs of EC2 instances."""
        return sum(
            _vcpus(str(each.properties["LaunchTemplateData"]["InstanceType"]))
            for each in self.of("AWS::EC2::LaunchTemplate")
        )

    @property
    def cache_nodes(self) -> int:
        """The nodes of replication groups."""
        return sum(
            int(each.properties.get("NumCacheClusters", 1))
            for each in self.of("AWS::ElastiCache::ReplicationGroup")
        )

    def fargate(self, *, spot: bool) -> Need:
        """The vCPUs of the services: their fewest tasks, and their most tasks while a deployment replaces them."""
        first = last = 0.0
        tasks = {each.logical_id: int(each.properties["Cpu"]) / CPU_UNITS for each in self.of(TASK)}
        for service, fewest, most in self._services():
            size = tasks[service.properties["TaskDefinition"]["Ref"]]
            if _is_spot(service.properties) is spot:
                first += size * fewest
                last += size * most * _surge(service.properties)
        return Need(first, last)

    def _services(self) -> Iterator[tuple[Used, int, int]]:
        for service in self.of(SERVICE):
            wanted = int(service.properties.get("DesiredCount", 1))
            limits = [wanted, wanted]
            for target in self.of(TARGET):
                if repr(service.logical_id) in str(target.properties["ResourceId"]):
                    limits = [int(target.properties[key]) for key in ("MinCapacity", "MaxCapacity")]
            yield service, limits[0], limits[1]


def _vcpus(instance_type: str) -> int:
    """The most vCPUs of a Graviton type, by its size: two up to large, and four for each xlarge.

    https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html
    """
    size = instance_type.partition(".")[2]
    if not size.endswith("xlarge"):
        return 2
    return 4 * int(size.removesuffix("xlarge") or 1)


def _is_spot(service: Mapping[str, Any]) -> bool:
    return any(each["CapacityProvider"] == SPOT for each in service["CapacityProviderStrategy"])


def _surge(service: Mapping[str, Any]) -> float:
    """The number of tasks during a deployment, for each task of the service."""
    return int(service.get("DeploymentConfiguration", {}).get("MaximumPercent", 200)) / 100
