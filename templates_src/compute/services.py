"""The three services: api behind the load balancer, worker, and exactly one beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from troposphere import Ref
from troposphere.ecs import (
    AwsvpcConfiguration,
    Cluster,
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
    LoadBalancer,
    NetworkConfiguration,
    Service,
    TaskDefinition,
    ThresholdConfiguration,
)

from templates_src.compute.capacity import on_demand, worker_capacity
from templates_src.compute.deployment_alarms import add_deployment_alarms
from templates_src.compute.execute_command import EXECUTE_COMMAND
from templates_src.compute.tasks.workloads import API, BEAT, WORKER, Workload
from templates_src.core.layer import Layer, follow_if_created
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.wiring.edge import TARGET_GROUP_ARN
from templates_src.core.parameters.wiring.network import PRIVATE_SUBNET_IDS
from templates_src.core.parameters.wiring.security import (
    API_SECURITY_GROUP_ID,
    BEAT_SECURITY_GROUP_ID,
    WORKER_SECURITY_GROUP_ID,
)

# Time for the application to start before health checks count, in seconds.
GRACE_SECONDS = 120


@dataclass(frozen=True)
class ServiceSpec:
    """How a workload runs as a service.

    ``minimum`` and ``maximum`` are the tasks during a deployment, in percent of the desired ones; ``count`` is None
    for a service that scales: a number in the template would undo the scaling with every update. ``failures`` is the number
    of failed tasks that ends a deployment and rolls it back; a healthy task resets it only with ``forgives``. A service that
    ``rebalances`` moves tasks to the zones that have too few.
    """

    workload: Workload
    capacity: Callable[[Layer], Any]
    security_group: Declaration
    minimum: int
    maximum: int
    failures: int
    count: int | None = None
    forgives: bool = False
    rebalances: bool = False


API_SERVICE = ServiceSpec(
    API, on_demand, API_SECURITY_GROUP_ID, minimum=100, maximum=200, failures=3, rebalances=True
)
# Half of the workers can stop first: jobs wait in the queue. Spot reclaims leave zones uneven, and rebalancing would stop
# tasks in the middle of a job for it. A reclaimed task is no fault of the version, so that a healthy task resets the count.
WORKER_SERVICE = ServiceSpec(
    WORKER,
    worker_capacity,
    WORKER_SECURITY_GROUP_ID,
    minimum=50,
    maximum=200,
    failures=5,
    forgives=True,
)
# Never two: everything would be scheduled twice. So the old task stops before the new one starts. ECS rebalances zones by
# starting the successor of a task first, and rejects that with a maximum of 100 %.
BEAT_SERVICE = ServiceSpec(
    BEAT, on_demand, BEAT_SECURITY_GROUP_ID, minimum=0, maximum=100, failures=3, count=1
)


def optional_properties(layer: Layer, running: ServiceSpec) -> dict[str, Any]:
    """The number of tasks of a service without scaling, and the target group of a service with a port."""
    found: dict[str, Any] = {}
    if running.count is not None:
        found["DesiredCount"] = running.count
    if running.workload.port is not None:
        found["HealthCheckGracePeriodSeconds"] = GRACE_SECONDS
        found["LoadBalancers"] = [
            LoadBalancer(
                ContainerName=running.workload.name,
                ContainerPort=running.workload.port,
                TargetGroupArn=layer.parameter(TARGET_GROUP_ARN),
            )
        ]
    return found


def add_service(
    layer: Layer,
    running: ServiceSpec,
    cluster: Cluster,
    task: TaskDefinition,
    after: list[str],
    after_if_created: Mapping[str, str],
) -> Service:
    """The service of a workload, which depends on the resources named in ``after`` and ``after_if_created``."""
    optional = optional_properties(layer, running)
    return layer.add(
        Service(
            f"{running.workload.title}Service",
            DependsOn=after,
            Metadata=follow_if_created(after_if_created),
            Cluster=Ref(cluster),
            TaskDefinition=Ref(task),
            CapacityProviderStrategy=running.capacity(layer),
            DeploymentConfiguration=deployment(layer, running),
            AvailabilityZoneRebalancing="ENABLED" if running.rebalances else "DISABLED",
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


def deployment(layer: Layer, running: ServiceSpec) -> DeploymentConfiguration:
    """How a new version replaces the old one, and when it is rolled back.

    By default the circuit breaker counts up to half of the desired tasks, at least 3, and starts again with each task that
    becomes healthy: a version whose tasks pass their first health check and then crash would never end.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
    """
    alarms = {"Alarms": add_deployment_alarms(layer)} if running.workload.port else {}
    return DeploymentConfiguration(
        MinimumHealthyPercent=running.minimum,
        MaximumPercent=running.maximum,
        DeploymentCircuitBreaker=DeploymentCircuitBreaker(
            Enable=True,
            Rollback=True,
            ResetOnHealthyTask=running.forgives,
            ThresholdConfiguration=ThresholdConfiguration(Type="COUNT", Value=running.failures),
        ),
        **alarms,
    )
