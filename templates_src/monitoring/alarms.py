"""Alarms: from alarm specifications to CloudWatch resources, which all publish to one topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from troposphere import Ref, Sub
from troposphere.cloudwatch import Alarm, MetricDataQuery, MetricStat
from troposphere.cloudwatch import Metric as AlarmMetric

from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.monitoring.metrics import Metric

ABOVE, BELOW = "GreaterThanThreshold", "LessThanThreshold"
BREACHING, NOT_BREACHING = "breaching", "notBreaching"
SECONDS_PER_MINUTE = 60
# The ID of the query with the expression, which the alarm compares with the threshold.
RESULT = "result"


@dataclass(frozen=True)
class MetricStatistic:
    """A statistic of a metric; a percentile has a name such as p99."""

    metric: Metric
    statistic: str


@dataclass(frozen=True)
class MetricMath:
    """A metric math expression over metrics, whose IDs begin with a lower-case letter; it can contain parameters as ``${Name}``."""

    expression: str
    readings: Mapping[str, MetricStatistic]


@dataclass(frozen=True, kw_only=True)
class AlarmSpec:
    """One alarm.

    It is raised when the comparison with ``threshold``, a number or a parameter, is true for ``periods`` consecutive
    periods of ``minutes`` minutes. ``action`` is the description: what the alarm means and what to do. ``missing`` says
    how missing data is treated. ``condition`` names the condition under which the alarm exists.
    """

    title: str
    reads: MetricStatistic | MetricMath
    threshold: float | Declaration
    periods: int
    action: str
    compare: str = ABOVE
    minutes: int = 1
    missing: str = NOT_BREACHING
    condition: str | None = None


def add_alarm(layer: Layer, topic: Ref, alarm_spec: AlarmSpec) -> Alarm:
    """The alarm of a specification; it publishes to the topic in the states ALARM and OK.

    It has no explicit name: CloudFormation's name, which every message shows, contains the stack and the logical ID,
    and two environments cannot overwrite each other's alarms.
    """
    threshold = alarm_spec.threshold
    return layer.add(
        Alarm(
            alarm_spec.title,
            AlarmDescription=alarm_spec.action,
            ComparisonOperator=alarm_spec.compare,
            Threshold=layer.parameter(threshold)
            if isinstance(threshold, Declaration)
            else threshold,
            EvaluationPeriods=alarm_spec.periods,
            TreatMissingData=alarm_spec.missing,
            AlarmActions=[topic],
            OKActions=[topic],
            **what_is_read(alarm_spec),
            **({"Condition": alarm_spec.condition} if alarm_spec.condition else {}),
        )
    )


def what_is_read(alarm_spec: AlarmSpec) -> dict[str, Any]:
    """The properties of an alarm for its metric or expression."""
    period = alarm_spec.minutes * SECONDS_PER_MINUTE
    if isinstance(alarm_spec.reads, MetricMath):
        return {"Metrics": queries(alarm_spec.reads, period)}
    metric, statistic = alarm_spec.reads.metric, alarm_spec.reads.statistic
    return {
        "Namespace": metric.alarm_namespace(),
        "MetricName": metric.name,
        "Dimensions": metric.alarm_dimensions(),
        "Period": period,
        "ExtendedStatistic" if statistic.startswith("p") else "Statistic": statistic,
    }


def queries(formula: MetricMath, period: int) -> list[MetricDataQuery]:
    """The metrics of an alarm with metric math; CloudWatch accepts up to ten, all with one period (in seconds)."""
    expression = formula.expression
    result = MetricDataQuery(
        Id=RESULT,
        Expression=Sub(expression) if "${" in expression else expression,
        ReturnData=True,
    )
    return [
        result,
        *(
            MetricDataQuery(
                Id=name,
                MetricStat=MetricStat(
                    Metric=AlarmMetric(
                        Namespace=reading.metric.alarm_namespace(),
                        MetricName=reading.metric.name,
                        Dimensions=reading.metric.alarm_dimensions(),
                    ),
                    Period=period,
                    Stat=reading.statistic,
                ),
                ReturnData=False,
            )
            for name, reading in formula.readings.items()
        ),
    ]
