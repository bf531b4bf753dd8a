"""Alarms on sample data: none is raised in a healthy environment, each is raised by the fault that it watches for, and in time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.checks.render import Rendered
from tests.relations.monitoring.checks_monitoring import read_by_deployments
from tests.relations.registry import relation
from tests.rendering import Resource, named, resources_of_type, single

ALARM = "AWS::CloudWatch::Alarm"
GIB = 1024**3


class Sample(NamedTuple):
    """Values of a metric in a healthy environment and in a fault; sums are those of five minutes."""

    healthy: float
    faulty: float
    statistics: frozenset[str]


SUMS, HIGHEST, LOWEST = frozenset({"Sum"}), frozenset({"Maximum"}), frozenset({"Minimum"})
LEVELS = frozenset({"Average", "Maximum"})
# The maximum of a moment is no shortage: a task, or a thread, may use all of its CPU for a second.
AVERAGES = frozenset({"Average"})
# Shares are in percent, times in seconds, sizes in bytes.
SAMPLES = {
    "AllocatedStorage": Sample(50 * GIB, 50 * GIB, HIGHEST),
    "BeatSilentSeconds": Sample(120, 3600, HIGHEST),
    "BlockedRequests": Sample(200, 5000, SUMS),
    "CPUUtilization": Sample(50, 100, AVERAGES),
    "DatabaseMemoryUsagePercentage": Sample(50, 95, LEVELS),
    "EngineCPUUtilization": Sample(40, 95, AVERAGES),
    "Errors": Sample(1, 5, SUMS),
    "Evictions": Sample(0, 10, SUMS),
    "FreeStorageSpace": Sample(20 * GIB, 1 * GIB, LOWEST),
    "FreeableMemory": Sample(GIB, GIB / 10, LOWEST),
    "HTTPCode_ELB_5XX_Count": Sample(2, 50, SUMS),
    # One error in a hundred requests: a client that ends its connection, a call that is tried again.
    "HTTPCode_Target_5XX_Count": Sample(50, 1000, SUMS),
    "HealthyHostCount": Sample(2, 0, LOWEST),
    "MemoryUtilization": Sample(60, 100, AVERAGES),
    "QueueDepth": Sample(200, 5000, LOWEST),
    "QueueStalledSeconds": Sample(600, 3600, HIGHEST),
    "RequestCount": Sample(5000, 5000, SUMS),
    "RunningTaskCount": Sample(2, 0, HIGHEST),
    "SearchHealthy": Sample(1, 0, LOWEST),
    "SearchVolumeUsed": Sample(50, 95, HIGHEST),
    # A worker that restarts is silent for a moment.
    "SilentWorkers": Sample(0, 1, LOWEST),
    "TargetResponseTime": Sample(0.5, 10, frozenset({"p95", "p99"})),
    "ThrottledCmds": Sample(0, 10, SUMS),
    "UnHealthyHostCount": Sample(0, 1, HIGHEST),
}
STATISTICS = {metric: each.statistics for metric, each in SAMPLES.items()}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
# A deployment or the start of a task moves these for minutes.
LASTING = frozenset(
    {"CPUUtilization", "EngineCPUUtilization", "HealthyHostCount", "MemoryUtilization"}
    | {"QueueDepth", "RunningTaskCount", "SearchHealthy", "SilentWorkers", "UnHealthyHostCount"}
)
SOONEST, LATEST = 180, 2700
# Target tracking waits three minutes, and a task needs two to start: an alarm that is sooner tells of what scaling corrects.
# https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
SCALES_WITHIN = 600
CORRECTED_BY_SCALING = frozenset({"CPUUtilization", "MemoryUtilization", "QueueDepth"})
# Users notice an application that is down at once. A metric of seconds already contains the time that has passed.
AT_ONCE = 300
DOWN = frozenset({"HealthyHostCount", "BeatSilentSeconds", "QueueStalledSeconds"})
# ECS reads the alarms for some minutes after the last new task is healthy: a later alarm rolls nothing back.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
DURING_DEPLOYMENT = 600
SAMPLE_COUNT = "SampleCount"
FUNCTIONS = re.compile(r"\b(IF|FILL)\b")


@relation
def alarms_are_raised_by_their_fault(rendered: Rendered) -> Iterator[str]:
    """On sample data, each alarm is quiet in a healthy environment and raised in the fault; its threshold has the unit of its metric."""
    for alarm in resources_of_type(rendered, ALARM):
        compare = COMPARISONS[alarm.properties["ComparisonOperator"]]
        threshold = float(alarm.properties["Threshold"])
        healthy, faulty = (value_of(rendered, alarm, faulty=fault) for fault in (False, True))
        if compare(healthy, threshold):
            yield f"{alarm.logical_id} is raised by {healthy:g}, which is usual, with the threshold {threshold:g}."
        if not compare(faulty, threshold):
            yield f"{alarm.logical_id} is not raised by {faulty:g}, which is a fault, with the threshold {threshold:g}."


@relation
def alarms_are_raised_in_time(rendered: Rendered) -> Iterator[str]:
    """An alarm is raised within 45 minutes, and not by the minutes in which a deployment moves its metric; each recovery is told."""
    for alarm in resources_of_type(rendered, ALARM):
        read = list(statistics_of(alarm))
        period = max(period for _, _, period in read)
        lasts = period * int(
            alarm.properties.get("DatapointsToAlarm", alarm.properties["EvaluationPeriods"])
        )
        if period * int(alarm.properties["EvaluationPeriods"]) > LATEST:
            yield f"{alarm.logical_id} is raised only after {lasts} seconds."
        metrics = {metric for metric, _, _ in read}
        if metrics & DOWN and lasts > AT_ONCE:
            yield f"{alarm.logical_id} is raised {lasts} seconds after users have noticed."
        values = {metric for metric, statistic, _ in read if statistic != SAMPLE_COUNT}
        if values & CORRECTED_BY_SCALING and lasts < SCALES_WITHIN:
            yield f"{alarm.logical_id} is raised after {lasts} seconds, before scaling has an effect."
        if lasts < SOONEST and any(metric in LASTING for metric, _, _ in read):
            yield f"{alarm.logical_id} is raised after {lasts} seconds, as a deployment raises it."
        for metric, statistic, _ in read:
            if statistic not in STATISTICS.get(metric, HIGHEST) | {SAMPLE_COUNT}:
                yield f"{alarm.logical_id} reads the {statistic} of {metric}, which is not what users notice."
        silent = alarm.properties["TreatMissingData"]
        count = {statistic for _, statistic, _ in read} == {SAMPLE_COUNT}
        if silent not in ("breaching", "notBreaching") or (count and silent != "breaching"):
            yield f"{alarm.logical_id} treats missing data as {silent}."
        actions, ended = (alarm.properties.get(key, ()) for key in ("AlarmActions", "OKActions"))
        if actions and actions != ended:
            yield f"{alarm.logical_id} does not tell that it is over."


@relation
def deployments_read_alarms_in_time(rendered: Rendered) -> Iterator[str]:
    """A bad version raises its alarm while ECS reads it, also with a good minute in between; too few requests for a percentile raise none."""
    for name in sorted(read_by_deployments(rendered)):
        alarm = named(rendered, name)
        periods = int(alarm.properties["EvaluationPeriods"])
        read = list(statistics_of(alarm))
        lasts = periods * max(period for _, _, period in read)
        if lasts > DURING_DEPLOYMENT:
            yield f"{name} is raised {lasts} seconds after a deployment, which has then ended."
        sums = {statistic for _, statistic, _ in read} == {"Sum"}
        if sums and int(alarm.properties.get("DatapointsToAlarm", periods)) >= periods:
            yield f"{name} is not raised if one of {periods} minutes has no error."
        percentile = "ExtendedStatistic" in alarm.properties
        if percentile and alarm.properties.get("EvaluateLowSampleCountPercentile") != "ignore":
            yield f"{name} compares the percentile of a few requests."


def value_of(rendered: Rendered, alarm: Resource, *, faulty: bool) -> float:
    """The value that an alarm compares, from the samples; the result of its expression if it has one."""
    if "MetricName" in alarm.properties:
        ((metric, statistic, period),) = statistics_of(alarm)
        return sample(rendered, metric, statistic, period, faulty=faulty)
    values: dict[str, float] = {}
    returned = (query for query in alarm.properties["Metrics"] if query.get("ReturnData"))
    expression = single(returned, f"the values that {alarm.logical_id} compares")["Expression"]
    for query in alarm.properties["Metrics"]:
        if "MetricStat" in query:
            stat = query["MetricStat"]
            values[query["Id"]] = sample(
                rendered,
                stat["Metric"]["MetricName"],
                stat["Stat"],
                int(stat["Period"]),
                faulty=faulty,
            )
    return evaluated(expression, values)


def evaluated(expression: str, values: Mapping[str, float]) -> float:
    """The value of an expression of metric math with IF and FILL."""
    functions = {
        "IF": lambda condition, yes, no: yes if condition else no,
        "FILL": lambda value, _how: value,
        "REPEAT": None,
    }
    code = compile(expression, "metric math", "eval")
    return float(eval(code, {"__builtins__": {}}, {**functions, **values}))  # noqa: S307 our own templates


def statistics_of(alarm: Resource) -> Iterator[tuple[str, str, int]]:
    """Metric, statistic and period in seconds of everything that an alarm reads."""
    if "MetricName" in alarm.properties:
        one = alarm.properties
        yield (
            one["MetricName"],
            str(one.get("Statistic") or one.get("ExtendedStatistic")),
            int(one["Period"]),
        )
    for query in alarm.properties.get("Metrics", ()):
        if "MetricStat" in query:
            stat: Any = query["MetricStat"]
            yield stat["Metric"]["MetricName"], stat["Stat"], int(stat["Period"])


def sample(rendered: Rendered, metric: str, statistic: str, period: int, *, faulty: bool) -> float:
    """A sample of a metric; sums grow with the period, and limits come from the resource."""
    if statistic == SAMPLE_COUNT:
        return 0 if faulty else 1
    if metric == "BytesUsedForCache":
        (cache,) = resources_of_type(rendered, "AWS::ElastiCache::ServerlessCache")
        most = int(cache.properties["CacheUsageLimits"]["DataStorage"]["Maximum"]) * 1_000_000_000
        return most * (0.95 if faulty else 0.5)
    if metric == "DatabaseConnections":
        accepted = connections(rendered)
        return accepted * (0.95 if faulty else 0.3)
    found = SAMPLES[metric]
    value = found.faulty if faulty else found.healthy
    return value * period / 300 if statistic == "Sum" else value


def connections(rendered: Rendered) -> float:
    """The connections that the database accepts, from the memory of its class.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
    """
    (database,) = resources_of_type(rendered, "AWS::RDS::DBInstance")
    size = database.properties["DBInstanceClass"].rpartition(".")[2]
    return MEMORY[size] * GIB / 9_531_392


MEMORY = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
