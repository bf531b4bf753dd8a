"""The charges of logs, metrics, alarms and dashboards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipeline.cost import prices
from pipeline.cost.charge import Charge, Resource, Resources, Term, fixed, used
from pipeline.cost.compute import SCALING_POLICY, TASK_DEFINITION

ALARM = "AWS::CloudWatch::Alarm"
# Who writes into a log group, and the assumption of what it writes.
WRITERS = (
    ("AWS::EC2::FlowLog", "flow_logs"),
    ("AWS::WAFv2::LoggingConfiguration", "firewall_logs"),
    (TASK_DEFINITION, "container_logs"),
)
# CloudWatch compresses what it stores; AWS's own examples count 15 %.
# https://aws.amazon.com/cloudwatch/pricing/
STORED_SHARE = Decimal("0.15")
DAYS_A_MONTH = Decimal(365) / 12
# Application Auto Scaling creates one alarm for scaling out and one for scaling in.
# https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
ALARMS_OF_A_POLICY = 2
# Metrics in these namespaces are those of AWS services; the cluster has the charge of Container Insights.
_OF_SERVICES = ("AWS/", "ECS/ContainerInsights")


def log_group(resource: Resource, every: Resources) -> Iterator[Charge]:
    """What is written into a log group, and what it stores until the end of its retention."""
    writers = (name for kind, name in WRITERS if every.referring(resource, kind))
    name = next(writers, "function_logs")
    yield Charge("log data written", prices.LOG_GB, used(name))
    days = Decimal(str(resource.properties.get("RetentionInDays", 365)))
    months = days / DAYS_A_MONTH
    yield Charge(
        "log data stored, compressed",
        prices.LOG_STORAGE_GB_MONTH,
        (Term((months * STORED_SHARE).quantize(Decimal("0.0001")), (name,)),),
    )


def alarm(resource: Resource, every: Resources) -> Iterator[Charge]:
    """An alarm, by the metrics that it reads, and the custom metrics that no alarm or policy before it reads."""
    metrics = list(metrics_of(resource.properties))
    yield Charge("metrics of the alarm", prices.ALARM_MONTH, fixed(len(metrics)))
    yield from custom_metrics(resource, every)


def scaling_policy(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The alarms that a target tracking policy creates, and its custom metric."""
    if resource.properties.get("PolicyType") == "TargetTrackingScaling":
        yield Charge("alarms that it creates", prices.ALARM_MONTH, fixed(ALARMS_OF_A_POLICY))
    yield from custom_metrics(resource, every)


def custom_metrics(resource: Resource, every: Resources) -> Iterator[Charge]:
    """The custom metrics that a resource is the first to read."""
    readers = [each for each in every if each.kind in {ALARM, SCALING_POLICY}]
    seen: set[str] = set()
    for reader in sorted(readers, key=lambda each: each.name):
        own = {
            json.dumps(metric, sort_keys=True)
            for metric in metrics_of(reader.properties)
            if not str(metric["Namespace"]).startswith(_OF_SERVICES)
        }
        if reader.name == resource.name:
            if own - seen:
                yield Charge("custom metrics", prices.METRIC_MONTH, fixed(len(own - seen)))
            return
        seen |= own


def metrics_of(value: Any) -> Iterator[Mapping[str, Any]]:
    """The metrics of an alarm or a policy: namespace, name and dimensions."""
    if isinstance(value, Mapping):
        if "Namespace" in value and "MetricName" in value:
            yield {key: value.get(key, []) for key in ("Namespace", "MetricName", "Dimensions")}
            return
        for part in value.values():
            yield from metrics_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from metrics_of(part)


def dashboard(_: Resource, _every: Resources) -> Iterator[Charge]:
    """A dashboard; the first three of an account are free if they are small, which is not counted."""
    yield Charge("dashboard", prices.DASHBOARD_MONTH, fixed())
