"""The three services: api behind the load balancer, worker on Spot, and exactly one beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import Ref
from troposphere.ecs import (
    AwsvpcConfiguration,
    CapacityProviderStrategyItem,
    Cluster,
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    LoadBalancer,
    NetworkConfiguration,
    Service,
    TaskDefinition,
)

from templates_src.compute.execute_command import EXECUTE_COMMAND
from templates_src.compute.workloads import API, BEAT, WORKER, Workload
from templates_src.core.declaration import Declaration
from templates_src.core.layer import Layer
from templates_src.core.wiring import (
    API_SECURITY_GROUP_ID,
    BEAT_SECURITY_GROUP_ID,
    PRIVATE_SUBNET_IDS,
    TARGET_GROUP_ARN,
    WORKER_SECURITY_GROUP_ID,
)

FARGATE, FARGATE_SPOT = "FARGATE", "FARGATE_SPOT"
# Time for the application to start before health checks count, in seconds.
GRACE_SECONDS = 120


@dataclass(frozen=True)
class ServiceSpec:
    """How a workload runs as a service.

    ``minimum`` and ``maximum`` are the tasks during a deployment, in percent of the desired ones; ``count`` is None
    for a service that scales: a number in the template would undo the scaling with every update.
    """

    workload: Workload
    provider: str
    security_group: Declaration
    minimum: int
    maximum: int
    count: int | None = None


API_SERVICE = ServiceSpec(API, FARGATE, API_SECURITY_GROUP_ID, minimum=100, maximum=200)
# Half of the workers can stop first: tasks wait in the queue.
WORKER_SERVICE = ServiceSpec(
    WORKER, FARGATE_SPOT, WORKER_SECURITY_GROUP_ID, minimum=50, maximum=200
)
# Never two, which would schedule every job twice: the old task stops before the new one starts.
BEAT_SERVICE = ServiceSpec(BEAT, FARGATE, BEAT_SECURITY_GROUP_ID, minimum=0, maximum=100, count=1)


def add_service(
    layer: Layer, running: ServiceSpec, cluster: Cluster, task: TaskDefinition, after: list[str]
) -> Service:
    """The service of a workload, which depends on the resources named in ``after``."""
    optional: dict[str, Any] = {}
    if running.count is not None:
        optional["DesiredCount"] = running.count
    if running.workload.port is not None:
        optional["HealthCheckGracePeriodSeconds"] = GRACE_SECONDS
        optional["LoadBalancers"] = [
            LoadBalancer(
                ContainerName=running.workload.name,
                ContainerPort=running.workload.port,
                TargetGroupArn=layer.parameter(TARGET_GROUP_ARN),
            )
        ]
    return layer.add(
        Service(
            f"{running.workload.title}Service",
            DependsOn=after,
            Cluster=Ref(cluster),
            TaskDefinition=Ref(task),
            CapacityProviderStrategy=[
                CapacityProviderStrategyItem(CapacityProvider=running.provider, Weight=1)
            ],
            DeploymentConfiguration=DeploymentConfiguration(
                MinimumHealthyPercent=running.minimum,
                MaximumPercent=running.maximum,
                DeploymentCircuitBreaker=DeploymentCircuitBreaker(Enable=True, Rollback=True),
            ),
            # To rebalance zones, ECS starts the new task first. It rejects that for a service that can have only one
            # task.
            AvailabilityZoneRebalancing="ENABLED" if running.maximum > 100 else "DISABLED",
            NetworkConfiguration=NetworkConfiguration(
                AwsvpcConfiguration=AwsvpcConfiguration(
                    Subnets=layer.parameter(PRIVATE_SUBNET_IDS),
                    SecurityGroups=[layer.parameter(running.security_group)],
                    AssignPublicIp="DISABLED",
                )
            ),
            EnableExecuteCommand=layer.parameter(EXECUTE_COMMAND),
            EnableECSManagedTags=True,
            PropagateTags="SERVICE",
            **optional,
        )
    )
