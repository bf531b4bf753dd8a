"""Alarms that roll a new version of the api back.

They are in this layer, because the service names them and the monitoring layer comes later. They publish nothing: the alarms of the
monitoring layer tell people. ECS reads their states during a deployment and for some minutes after it. An alarm that is
in ALARM at the beginning does not count, so that a version that corrects an error can be deployed. Missing data is no error.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
"""

from __future__ import annotations

from typing import Any

from troposphere import Ref
from troposphere.cloudwatch import Alarm, MetricDataQuery, MetricDimension, MetricStat
from troposphere.cloudwatch import Metric as AlarmMetric
from troposphere.ecs import DeploymentAlarms

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import TRUE, boolean, number
from templates_src.core.parameters.wiring.edge import (
    LOAD_BALANCER_FULL_NAME,
    TARGET_GROUP_FULL_NAME,
)

NAMESPACE = "AWS/ApplicationELB"
PERIOD_SECONDS = 60
# A few errors in a quiet minute would be a high percentage.
LEAST_ERRORS, MOST_ERRORS_PERCENT = 5, 5
# Two of three minutes: one bad minute, as when the database fails over, is no fault of the version.
MINUTES, BAD_MINUTES = 3, 2
# Longer than the grace period of the service, in which a task that starts slowly can count as unhealthy.
UNHEALTHY_MINUTES = 5

API_ROLLBACK_ALARMS = boolean(
    "ApiRollbackAlarms",
    group=groups.API,
    label="Api: roll back on alarms",
    description="Roll a new version of the api back when errors, response times or unhealthy targets raise an alarm during its deployment.",
    default=TRUE,
)
API_RESPONSE_TIME_THRESHOLD = number(
    "ApiResponseTimeThreshold",
    group=groups.ALARMS,
    label="Response time (s)",
    description="Response time in seconds of the slowest 1 % of requests above which an alarm is raised; during a deployment, of the slowest 5 %.",
    default="3",
    at_least=1,
    at_most=4000,
)


def add_deployment_alarms(layer: Layer) -> DeploymentAlarms:
    """The alarms, and the setting of the service that reads them."""
    alarms = (add_errors_alarm(layer), add_response_time_alarm(layer), add_unhealthy_alarm(layer))
    return DeploymentAlarms(
        AlarmNames=[Ref(alarm) for alarm in alarms],
        Enable=layer.parameter(API_ROLLBACK_ALARMS),
        Rollback=True,
    )


def add_errors_alarm(layer: Layer) -> Alarm:
    """Too many of the api's answers are 5xx."""
    formula = f"IF(errors >= {LEAST_ERRORS}, 100 * errors / requests, 0)"
    counts = {"errors": "HTTPCode_Target_5XX_Count", "requests": "RequestCount"}
    return layer.add(
        Alarm(
            "ApiDeploymentErrorsTooHigh",
            AlarmDescription=f"More than {MOST_ERRORS_PERCENT} in 100 requests end in an error of the api; a deployment in progress is rolled back. See the api's log.",
            Metrics=[
                MetricDataQuery(Id="result", Expression=formula, ReturnData=True),
                *(
                    MetricDataQuery(
                        Id=name,
                        MetricStat=MetricStat(
                            Metric=AlarmMetric(
                                Namespace=NAMESPACE, MetricName=metric, Dimensions=dimensions(layer)
                            ),
                            Period=PERIOD_SECONDS,
                            Stat="Sum",
                        ),
                        ReturnData=False,
                    )
                    for name, metric in counts.items()
                ),
            ],
            Threshold=MOST_ERRORS_PERCENT,
            **raised_after(MINUTES, BAD_MINUTES),
        )
    )


def add_response_time_alarm(layer: Layer) -> Alarm:
    """The slowest requests wait too long; with too few requests for a percentile, the state does not change."""
    return layer.add(
        Alarm(
            "ApiDeploymentResponseTimeTooHigh",
            AlarmDescription="The slowest 5 % of requests wait longer than ApiResponseTimeThreshold; a deployment in progress is rolled back.",
            Namespace=NAMESPACE,
            MetricName="TargetResponseTime",
            Dimensions=dimensions(layer),
            ExtendedStatistic="p95",
            EvaluateLowSampleCountPercentile="ignore",
            Period=PERIOD_SECONDS,
            Threshold=layer.parameter(API_RESPONSE_TIME_THRESHOLD),
            **raised_after(MINUTES, MINUTES),
        )
    )


def add_unhealthy_alarm(layer: Layer) -> Alarm:
    """A task does not pass its health check for longer than a slow start takes."""
    return layer.add(
        Alarm(
            "ApiDeploymentUnhealthyTargetsTooHigh",
            AlarmDescription="A task of the api fails its health check; a deployment in progress is rolled back. See the service's events and the task's log.",
            Namespace=NAMESPACE,
            MetricName="UnHealthyHostCount",
            Dimensions=dimensions(layer),
            Statistic="Maximum",
            Period=PERIOD_SECONDS,
            Threshold=0,
            **raised_after(UNHEALTHY_MINUTES, UNHEALTHY_MINUTES),
        )
    )


def raised_after(minutes: int, bad: int) -> dict[str, Any]:
    """The properties of an alarm that is raised above its threshold in ``bad`` of ``minutes`` minutes."""
    return {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": minutes,
        "DatapointsToAlarm": bad,
        "TreatMissingData": "notBreaching",
    }


def dimensions(layer: Layer) -> list[MetricDimension]:
    """The dimensions of the metrics of the api's target group."""
    return [
        MetricDimension(Name="LoadBalancer", Value=layer.parameter(LOAD_BALANCER_FULL_NAME)),
        MetricDimension(Name="TargetGroup", Value=layer.parameter(TARGET_GROUP_FULL_NAME)),
    ]
