"""Scaling of a service between two numbers of tasks, by target tracking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import GetAtt, Join, Ref
from troposphere.applicationautoscaling import (
    CustomizedMetricSpecification,
    MetricDimension,
    PredefinedMetricSpecification,
    ScalableTarget,
    ScalingPolicy,
    TargetTrackingScalingPolicyConfiguration,
)
from troposphere.ecs import Cluster, Service

from templates_src.compute.queue_depth import BACKLOG_PER_TASK
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, number
from templates_src.core.parameters.shared import metric_namespace

MOST_TASKS = 100
CPU, MEMORY = "ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"
# Scale out as soon as the last tasks run; scale in only after the load stays low for a while.
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 60, 300


def tasks(service: str, bound: str, default: str) -> Declaration:
    """The smallest (``Min``) or largest (``Max``) number of a service's tasks."""
    extreme, other, limit = {
        "Min": ("Smallest", "Max", "at most"),
        "Max": ("Largest", "Min", "at least"),
    }[bound]
    return number(
        f"{service}{bound}Tasks",
        group=groups.of_service(service),
        label=f"{service}: {extreme.lower()} number of tasks",
        description=f"{extreme} number of running tasks of {service.lower()}; {limit} {service}{other}Tasks.",
        default=default,
        at_least=1,
        at_most=MOST_TASKS,
    )


def percentage(name: str, what: str, default: str) -> Declaration:
    """The target of target tracking: average use, in percent."""
    return number(
        name,
        group=groups.API,
        label=f"Api: {what} target (%)",
        description=f"Average {what} use of the api's tasks above which the service adds tasks.",
        default=default,
        at_least=10,
        at_most=90,
    )


API_CPU_TARGET = percentage("ApiCpuTarget", "CPU", "60")
API_MEMORY_TARGET = percentage("ApiMemoryTarget", "memory", "75")
WORKER_BACKLOG_TARGET = number(
    "WorkerBacklogTarget",
    group=groups.WORKERS,
    label="Worker: backlog target",
    description="Jobs that can be done now, waiting and running, for each worker task above which the service adds tasks; see docs/scaling.md.",
    default="10",
    at_least=1,
    at_most=1_000_000,
)


@dataclass(frozen=True)
class Tracked:
    """A metric of a service and its target value.

    The metric is a predefined one of Application Auto Scaling, or one that the environment publishes in its namespace
    with the dimensions ClusterName and ServiceName.
    """

    title: str
    metric: str
    target: Declaration
    predefined: bool = True


@dataclass(frozen=True)
class Scaling:
    """How a service scales."""

    smallest: Declaration
    largest: Declaration
    tracked: tuple[Tracked, ...]


API_SCALING = Scaling(
    tasks("Api", "Min", "2"),
    tasks("Api", "Max", "10"),
    (Tracked("Cpu", CPU, API_CPU_TARGET), Tracked("Memory", MEMORY, API_MEMORY_TARGET)),
)
WORKER_SCALING = Scaling(
    tasks("Worker", "Min", "2"),
    tasks("Worker", "Max", "10"),
    (Tracked("Backlog", BACKLOG_PER_TASK, WORKER_BACKLOG_TARGET, predefined=False),),
)


def add_scaling(layer: Layer, cluster: Cluster, service: Service, scaling: Scaling) -> None:
    """Scale the service. With several metrics, the one that requires most tasks decides."""
    title = service.title.removesuffix("Service")
    target = layer.add(
        ScalableTarget(
            f"{title}ScalableTarget",
            ServiceNamespace="ecs",
            ScalableDimension="ecs:service:DesiredCount",
            # This property needs names, and the Ref of a service is its ARN.
            ResourceId=Join("/", ["service", Ref(cluster), GetAtt(service, "Name")]),
            MinCapacity=layer.parameter(scaling.smallest),
            MaxCapacity=layer.parameter(scaling.largest),
        )
    )
    for tracked in scaling.tracked:
        # Keeps one metric at its target.
        layer.add(
            ScalingPolicy(
                f"{title}{tracked.title}Scaling",
                PolicyName=f"{title.lower()}-{tracked.title.lower()}",
                PolicyType="TargetTrackingScaling",
                ScalingTargetId=Ref(target),
                TargetTrackingScalingPolicyConfiguration=TargetTrackingScalingPolicyConfiguration(
                    TargetValue=layer.parameter(tracked.target),
                    ScaleOutCooldown=SCALE_OUT_SECONDS,
                    ScaleInCooldown=SCALE_IN_SECONDS,
                    **specification(tracked, cluster, service),
                ),
            )
        )


def specification(tracked: Tracked, cluster: Cluster, service: Service) -> dict[str, Any]:
    """The property that says which metric a policy tracks."""
    if tracked.predefined:
        known = PredefinedMetricSpecification(PredefinedMetricType=tracked.metric)
        return {"PredefinedMetricSpecification": known}
    dimensions = {"ClusterName": Ref(cluster), "ServiceName": GetAtt(service, "Name")}
    published = CustomizedMetricSpecification(
        Namespace=metric_namespace(),
        MetricName=tracked.metric,
        Dimensions=[MetricDimension(Name=name, Value=value) for name, value in dimensions.items()],
        Statistic="Average",
    )
    return {"CustomizedMetricSpecification": published}
