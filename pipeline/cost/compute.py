"""The charges of containers, functions and the search instance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipeline.cost import prices
from pipeline.cost.charge import Charge, Resource, Resources, Term, fixed, hours, used
from pipeline.cost.prices import Price

SERVICE = "AWS::ECS::Service"
TASK_DEFINITION = "AWS::ECS::TaskDefinition"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
RULE = "AWS::Events::Rule"
X86, ARM = "X86_64", "ARM64"
SPOT = "FARGATE_SPOT"
HOURS = prices.HOURS_A_MONTH
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_HOURS = {"minute": Decimal(1) / 60, "hour": Decimal(1), "day": Decimal(24)}
# Container Insights publishes these metrics at most for a cluster, a service and the family of a task definition on Fargate.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
CLUSTER_METRICS, SERVICE_METRICS, FAMILY_METRICS = 12, 15, 10


def service(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The vCPUs and the memory of the tasks of a service, on demand and on Spot."""
    task = every.target(resource.properties.get("TaskDefinition"))
    if task is None:
        yield Charge("its tasks, whose task definition is not in the templates", None, fixed())
        return
    least, more = tasks(resource, every)
    number = f"{'at least ' if more else ''}{least} {'task' if least == 1 else 'tasks'}"
    spot = spot_shares(resource.properties, least)
    for what, size, price in sizes(task.properties):
        hours_of = [
            (Term(size * HOURS * least), spot[0]),
            *([(Term(size * HOURS, (more,)), spot[1])] if more else []),
        ]
        on_demand = tuple(_part(term, 1 - share) for term, share in hours_of if share < 1)
        on_spot = [_part(term, share) for term, share in hours_of if share]
        off = [Term(-term.number, (*term.names, "spot_discount")) for term in on_spot]
        if on_demand:
            yield Charge(f"{what}, {number}", price, on_demand)
        if on_spot:
            yield Charge(f"{what}, {number}, on Spot", price, (*on_spot, *off))


def _part(term: Term, share: Decimal) -> Term:
    return Term(term.number * share, term.names)


def tasks(resource: Resource, every: Resources) -> tuple[Decimal, str]:
    """The least number of tasks of a service, and the assumption of what comes on top; empty if it does not scale."""
    for target in every.referring(resource, SCALABLE_TARGET):
        policies = every.referring(target, SCALING_POLICY)
        on_queue = any("CustomizedMetricSpecification" in str(each.properties) for each in policies)
        more = "worker_more_tasks" if on_queue else "api_more_tasks"
        return Decimal(str(target.properties["MinCapacity"])), more
    return Decimal(str(resource.properties.get("DesiredCount", 1))), ""


def spot_shares(properties: Mapping[str, Any], least: Decimal) -> tuple[Decimal, Decimal]:
    """The shares on Fargate Spot of the least number of tasks, and of the tasks above it.

    The bases of the capacity provider strategy are filled first; the weights divide the rest. A base is not above the least
    number of tasks here.
    """
    strategy = properties.get("CapacityProviderStrategy", ())
    weights = Decimal(sum(int(each.get("Weight", 0)) for each in strategy)) or Decimal(1)
    rest = max(Decimal(0), least - sum(int(each.get("Base", 0)) for each in strategy))
    spot = [each for each in strategy if each["CapacityProvider"] == SPOT]
    share = sum((Decimal(int(each.get("Weight", 0))) for each in spot), Decimal(0)) / weights
    base = sum((Decimal(int(each.get("Base", 0))) for each in spot), Decimal(0))
    return (min(least, base + rest * share) / least if least else Decimal(0)), share


def sizes(task: Mapping[str, Any]) -> Iterator[tuple[str, Decimal, Price | None]]:
    """The vCPUs and the GB of a task, with their prices."""
    platform = task.get("RuntimePlatform", {}).get("CpuArchitecture", X86)
    vcpus, memory = (Decimal(str(task[key])) / 1024 for key in ("Cpu", "Memory"))
    yield f"{vcpus.normalize():f} vCPU ({platform})", vcpus, prices.FARGATE_VCPU_HOUR.get(platform)
    yield f"{memory.normalize():f} GB ({platform})", memory, prices.FARGATE_GB_HOUR.get(platform)


def task_definition(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The tasks that run outside a service, such as migrations; a service has the charges of the tasks that it starts."""
    if not every.referring(resource, SERVICE):
        for what, size, price in sizes(resource.properties):
            yield Charge(f"{what} of tasks outside a service", price, used("one_off_hours", size))


def cluster(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The metrics and events of Container Insights."""
    settings = resource.properties.get("ClusterSettings", ())
    if not any(each["Value"] in {"enabled", "enhanced"} for each in settings):
        return
    services = every.referring(resource, SERVICE)
    metrics = CLUSTER_METRICS + len(services) * SERVICE_METRICS
    metrics += len(every.of_kind(TASK_DEFINITION)) * FAMILY_METRICS
    yield Charge("metrics of Container Insights, at most", prices.METRIC_MONTH, fixed(metrics))
    yield Charge("events of Container Insights", prices.LOG_GB, used("insights_logs"))


def function(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The runs of a function on a schedule; other functions run only when the stack changes."""
    runs = sum((runs_a_month(rule) for rule in every.referring(resource, RULE)), Decimal(0))
    if not runs:
        return
    architecture = ARM if "arm64" in resource.properties.get("Architectures", ()) else X86
    memory = Decimal(str(resource.properties.get("MemorySize", 128))) / 1024
    yield Charge("runs", prices.FUNCTION_MILLION_RUNS, fixed(runs / 1_000_000))
    yield Charge(
        f"duration with {memory.normalize():f} GB",
        prices.FUNCTION_GB_SECOND[architecture],
        used("function_seconds", runs * memory),
    )


def runs_a_month(rule: Resource) -> Decimal:
    """The runs of a rule with a rate; 0 for a rule without one."""
    found = _RATE.fullmatch(str(rule.properties.get("ScheduleExpression", "")))
    if found is None:
        return Decimal(0)
    return prices.HOURS_A_MONTH / (int(found.group(1)) * _HOURS[found.group(2)])


def scaling_group(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The instances of an Auto Scaling group at its minimum, with their root volumes."""
    template = every.target(resource.properties.get("LaunchTemplate"))
    if template is None:
        yield Charge("its instances, whose launch template is not in the templates", None, fixed())
        return
    number = int(resource.properties.get("DesiredCapacity", resource.properties["MinSize"]))
    data = template.properties["LaunchTemplateData"]
    kind = data["InstanceType"]
    yield Charge(f"hours of {number} {kind}", prices.INSTANCE_HOUR.get(kind), hours(number))
    for mapping in data.get("BlockDeviceMappings", ()):
        size = int(mapping.get("Ebs", {}).get("VolumeSize", 0))
        yield Charge("root volume", prices.VOLUME_GB_MONTH, fixed(size * number))
