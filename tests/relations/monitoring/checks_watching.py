"""What alarms and dashboard watch together: each part of the environment, its silence, and data in each period."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.monitoring.checks_alarms import SAMPLE_COUNT, statistics_of
from tests.relations.monitoring.checks_monitoring import (
    ALARM,
    metrics,
    own_namespace,
    publishers_of,
    read_by_deployments,
    unpublished,
)
from tests.relations.monitoring.published import STATISTIC
from tests.relations.registry import relation
from tests.relations.text import text_of
from tests.rendering import Resource, id_of, resources_of_type

SERVICE, FUNCTION = "AWS::ECS::Service", "AWS::Lambda::Function"
SCALED = ("CPUUtilization", "MemoryUtilization")
# What users lose first when a part of a type fails.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("HTTPCode_ELB_5XX_Count",),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        *("HealthyHostCount", "UnHealthyHostCount"),
        *("TargetResponseTime", "HTTPCode_Target_5XX_Count"),
    ),
    "AWS::RDS::DBInstance": (
        *("CPUUtilization", "FreeStorageSpace"),
        *("FreeableMemory", "DatabaseConnections"),
    ),
    "AWS::ElastiCache::ServerlessCache": ("ThrottledCmds", "BytesUsedForCache", "Evictions"),
}
# The metrics of targets; the load balancer publishes some of them also for all of its target groups together.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
OF_TARGETS = re.compile(r"(Un)?HealthyHostCount|TargetResponseTime|HTTPCode_Target_\dXX_Count")
# Published as long as the part works; every other metric is absent without traffic or without a task.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html
CONSTANT = frozenset(
    {
        ("AWS/ApplicationELB", "HealthyHostCount"),
        ("AWS/RDS", "CPUUtilization"),
        ("ECS/ContainerInsights", "RunningTaskCount"),
    }
)
OWN_CONSTANT = frozenset({"SearchHealthy"})
# The services used here publish each metric once a minute: an alarm with a shorter period finds no data in most periods.
MINUTE = 60
RATE = re.compile(r"rate\((?P<number>\d+) (?P<unit>minute|hour|day)s?\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
COLUMNS = 24


def alarms_for_people(rendered: Rendered) -> Iterator[Resource]:
    """The alarms that no deployment reads."""
    read = read_by_deployments(rendered)
    return (each for each in resources_of_type(rendered, ALARM) if each.logical_id not in read)


@relation
def each_part_is_watched(rendered: Rendered) -> Iterator[str]:
    """Each service, target group, engine and publisher of a scaling metric has an alarm of what it can lack, and alarms of targets name their target group."""
    watched: set[tuple[str, str]] = set()
    for alarm in alarms_for_people(rendered):
        for _, metric, dimensions in metrics(alarm):
            watched |= {
                (id_of(rendered, alarm.layer, value), metric) for value in dimensions.values()
            }
            if OF_TARGETS.fullmatch(metric) and "TargetGroup" not in dimensions:
                yield f"{alarm.logical_id} reads {metric} of every target group."
        together = [set(dimensions) for _, _, dimensions in metrics(alarm)]
        if any(names != together[0] for names in together):
            yield f"{alarm.logical_id} compares metrics of different things."
    for part, metric in _needed(rendered):
        if (part, metric) not in watched:
            yield f"No alarm reads {metric} of {part}."


def _needed(rendered: Rendered) -> Iterator[tuple[str, str]]:
    """The parts with the metrics that an alarm must read."""
    for kind, names in NEEDED.items():
        for part in resources_of_type(rendered, kind):
            yield from ((part.logical_id, name) for name in names)
    for service in resources_of_type(rendered, SERVICE):
        if "DesiredCount" not in service.properties:
            yield from ((service.logical_id, metric) for metric in SCALED)
        if not service.properties.get("LoadBalancers"):
            yield service.logical_id, "RunningTaskCount"
    for policy in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalingPolicy"):
        tracking = policy.properties["TargetTrackingScalingPolicyConfiguration"]
        followed = tracking.get("CustomizedMetricSpecification")
        if followed:
            keys = [each["Name"] for each in followed.get("Dimensions", ())]
            for program in publishers_of(rendered, followed["MetricName"], keys):
                yield program.logical_id, "Errors"


@relation
def silence_raises_one_alarm_of_each_part(rendered: Rendered) -> Iterator[str]:
    """Missing data is a fault only for a metric that its part publishes without interruption: a quiet night raises no alarm, and a dead part one."""
    namespace = own_namespace(rendered)
    for alarm in alarms_for_people(rendered):
        read = [(space, metric) for space, metric, _ in metrics(alarm)]
        counted = {statistic for _, statistic, _ in statistics_of(alarm)} == {SAMPLE_COUNT}
        constant = all(
            each in CONSTANT or (each[0] == namespace and each[1] in OWN_CONSTANT) for each in read
        )
        wanted = "breaching" if counted or constant else "notBreaching"
        if alarm.properties.get("TreatMissingData", "missing") != wanted:
            yield f"{alarm.logical_id} treats missing data of {read[0][1]} not as {wanted}."


@relation
def counted_metrics_are_also_read(rendered: Rendered) -> Iterator[str]:
    """An alarm of the number of samples notices silence only: another alarm reads the values of the metric."""
    counted, valued = {}, set()
    for alarm in alarms_for_people(rendered):
        for metric, statistic, _ in statistics_of(alarm):
            if statistic == SAMPLE_COUNT:
                counted[metric] = alarm.logical_id
            else:
                valued.add(metric)
    for metric in sorted(counted.keys() - valued):
        yield f"{counted[metric]} counts {metric}, and no alarm reads its values."


@relation
def each_period_has_data(rendered: Rendered) -> Iterator[str]:
    """An alarm reads data in every unit, and its period is not shorter than the interval at which its metric is published, or most periods are empty."""
    for alarm in resources_of_type(rendered, ALARM):
        units = [alarm.properties.get("Unit")]
        units += [
            each["MetricStat"].get("Unit")
            for each in alarm.properties.get("Metrics", ())
            if "MetricStat" in each
        ]
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        if any(units):
            yield f"{alarm.logical_id} reads only data in {units}: data with another unit does not count."
        names = {metric: (space, list(keys)) for space, metric, keys in metrics(alarm)}
        for metric, _, period in statistics_of(alarm):
            space, keys = names[metric]
            interval = MINUTE
            if space == own_namespace(rendered):
                interval = max(
                    interval_of(rendered, each.logical_id)
                    for each in publishers_of(rendered, metric, keys)
                )
            if period < interval or period % MINUTE:
                yield f"{alarm.logical_id} reads {metric} every {period} seconds, which is published every {interval}."


def interval_of(rendered: Rendered, program: str) -> int:
    """Seconds between two runs of a function by its schedule; a program without a schedule runs every minute."""
    for rule in resources_of_type(rendered, "AWS::Events::Rule"):
        called = {
            id_of(rendered, rule.layer, each["Arn"]) for each in rule.properties.get("Targets", ())
        }
        if program in called:
            return seconds_of(rule.properties["ScheduleExpression"])
    return MINUTE


def seconds_of(schedule: str) -> int:
    """The seconds of a rate."""
    found = RATE.fullmatch(schedule)
    assert found, schedule
    return int(found["number"]) * SECONDS[found["unit"]]


def widgets(dashboard: Resource) -> list[dict[str, Any]]:
    """The widgets of a dashboard, with ``<LogicalId>`` in place of references."""
    found: list[dict[str, Any]] = json.loads(text_of(dashboard.properties["DashboardBody"]))[
        "widgets"
    ]
    return found


@relation
def graphs_read_what_is_published(rendered: Rendered) -> Iterator[str]:
    """Each line of a graph is a statistic of a metric that a resource of the environment publishes; otherwise it stays empty without an error."""
    for dashboard in resources_of_type(rendered, "AWS::CloudWatch::Dashboard"):
        for widget in widgets(dashboard):
            shown = widget["properties"]
            if widget["type"] != "alarm" and shown.get("region") != rendered.region:
                yield f"{dashboard.logical_id} shows {shown.get('title')} of {shown.get('region')}."
            for space, metric, *dimensions, options in shown.get("metrics", ()):
                values = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
                what = f"{dashboard.logical_id} shows {metric} of {space}"
                yield from unpublished(rendered, dashboard.layer, what, (space, metric), values)
                if not re.fullmatch(STATISTIC, str(options.get("stat"))):
                    yield f"{what} as {options.get('stat')}, which is no statistic."


@relation
def the_dashboard_has_no_hole(rendered: Rendered) -> Iterator[str]:
    """The widgets cover the grid of the dashboard completely and once, and their numbers follow the way of a request without a gap."""
    for dashboard in resources_of_type(rendered, "AWS::CloudWatch::Dashboard"):
        found = widgets(dashboard)
        cells = [
            (each["x"] + column, each["y"] + row)
            for each in found
            for column in range(each["width"])
            for row in range(each["height"])
        ]
        height = max(row for _, row in cells) + 1
        if len(set(cells)) != len(cells) or len(cells) != COLUMNS * height:
            yield f"{dashboard.logical_id} has a hole, or two widgets in one place."
        numbers = [
            int(each["properties"]["title"].split()[0]) for each in found if each["type"] != "alarm"
        ]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{dashboard.logical_id} has the widgets {numbers}."
        if [each["type"] for each in found].count("alarm") != 1:
            yield f"{dashboard.logical_id} does not show the states of the alarms."
