"""Faults in what alarms, dashboard and schedules watch together."""

from __future__ import annotations

import json

from pipeline.checks.render import Rendered
from tests.relations.monitoring import checks_alarms as alarms
from tests.relations.monitoring import checks_monitoring as monitoring
from tests.relations.monitoring import checks_schedules as schedules
from tests.relations.monitoring import checks_watching as watching
from tests.relations.planting import Plant, body, drop, put
from tests.relations.registry import Fault
from tests.relations.text import text_of


def watch_worker_as_api(rendered: Rendered) -> None:
    """The alarm of the api's CPU reads the worker."""
    worker = body(rendered, "WorkerCpuTooHigh")["Properties"]["Dimensions"]
    body(rendered, "ApiCpuTooHigh")["Properties"]["Dimensions"] = worker


def forget_latency(rendered: Rendered) -> None:
    """A dashboard without its last widget."""
    properties = body(rendered, "Dashboard")["Properties"]
    document = json.loads(text_of(properties["DashboardBody"]))
    document["widgets"].pop()
    properties["DashboardBody"] = json.dumps(document)


def replace_on_dashboard(text: str, other: str) -> Plant:
    """Another text on the dashboard, wherever the first one is."""

    def plant(rendered: Rendered) -> None:
        properties = body(rendered, "Dashboard")["Properties"]
        properties["DashboardBody"] = text_of(properties["DashboardBody"]).replace(text, other)

    return plant


def forget_states(rendered: Rendered) -> None:
    """A dashboard with a text in place of the states of the alarms."""
    properties = body(rendered, "Dashboard")["Properties"]
    document = json.loads(text_of(properties["DashboardBody"]))
    for widget in document["widgets"]:
        if widget["type"] == "alarm":
            widget.update(type="text", properties={"title": "1 Alarms"})
    properties["DashboardBody"] = json.dumps(document)


FAULTS = (
    Fault(
        "an alarm of another service under the api's name",
        watching.each_part_is_watched,
        "No alarm reads CPUUtilization of ApiService",
        watch_worker_as_api,
    ),
    Fault(
        "an alarm of every target group",
        watching.each_part_is_watched,
        "ApiResponseTimeTooHigh reads TargetResponseTime of every target group",
        drop("ApiResponseTimeTooHigh", "Dimensions/1"),
    ),
    Fault(
        "errors of the api in percent of the requests of the load balancer",
        watching.each_part_is_watched,
        "ApiErrorsTooHigh compares metrics of different things",
        drop("ApiErrorsTooHigh", "Metrics/2/MetricStat/Metric/Dimensions/1"),
    ),
    Fault(
        "a quiet night that raises an alarm",
        watching.silence_raises_one_alarm_of_each_part,
        "WafBlockedTooHigh treats missing data of BlockedRequests not as notBreaching",
        put("WafBlockedTooHigh", "TreatMissingData", "breaching"),
    ),
    Fault(
        "an api without a task that raises no alarm",
        watching.silence_raises_one_alarm_of_each_part,
        "HealthyTargetsTooLow treats missing data of HealthyHostCount not as breaching",
        put("HealthyTargetsTooLow", "TreatMissingData", "notBreaching"),
    ),
    Fault(
        "an alarm that counts the samples of unhealthy and healthy targets alike",
        watching.counted_metrics_are_also_read,
        "HealthyTargetsTooLow counts HealthyHostCount, and no alarm reads its values",
        put("HealthyTargetsTooLow", "Statistic", "SampleCount"),
    ),
    Fault(
        "a period without data",
        watching.each_period_has_data,
        "DatabaseFreeStorageTooLow reads AllocatedStorage every 60 seconds, which is published every 300",
        put("DatabaseFreeStorageTooLow", "Metrics/2/MetricStat/Period", 60),
    ),
    Fault(
        "a period of seconds for a metric of minutes",
        watching.each_period_has_data,
        "CacheNode1EvictionsTooHigh reads Evictions every 30 seconds",
        put("CacheNode1EvictionsTooHigh", "Period", 30),
    ),
    Fault(
        "an alarm of data in another unit",
        watching.each_period_has_data,
        "DatabaseCpuTooHigh reads only data in ['Bytes']",
        put("DatabaseCpuTooHigh", "Unit", "Bytes"),
    ),
    Fault(
        "an alarm of a metric that its service does not have",
        monitoring.alarms_read_what_is_published,
        "DatabaseCpuTooHigh reads CpuUtilization of AWS/RDS, which the service does not publish",
        put("DatabaseCpuTooHigh", "MetricName", "CpuUtilization"),
    ),
    Fault(
        "a graph of a metric that its service does not have",
        watching.graphs_read_what_is_published,
        "Dashboard shows FreeMemory of AWS/RDS, which the service does not publish",
        replace_on_dashboard("FreeableMemory", "FreeMemory"),
    ),
    Fault(
        "a graph under another dimension",
        watching.graphs_read_what_is_published,
        "under which nothing publishes",
        replace_on_dashboard("ServiceName", "Service"),
    ),
    Fault(
        "a graph of an unknown statistic",
        watching.graphs_read_what_is_published,
        "as Total, which is no statistic",
        replace_on_dashboard('"Sum"', '"Total"'),
    ),
    Fault(
        "a graph of another region",
        watching.graphs_read_what_is_published,
        "of eu-west-1",
        replace_on_dashboard('"region": "eu-north-1"', '"region": "eu-west-1"'),
    ),
    Fault(
        "a dashboard without the latency of the database",
        watching.the_dashboard_has_no_hole,
        "Dashboard has a hole",
        forget_latency,
    ),
    Fault(
        "a dashboard without the states of the alarms",
        watching.the_dashboard_has_no_hole,
        "Dashboard does not show the states of the alarms",
        forget_states,
    ),
    Fault(
        "a metric of ours without one of its dimensions",
        monitoring.alarms_read_what_is_published,
        "QueueDepth of carbon-connect/prod under ['ClusterName'], under which nothing publishes",
        drop("QueueDepthTooHigh", "Dimensions/1"),
    ),
    Fault(
        "scaling by a metric without one of its dimensions",
        monitoring.scaling_reads_what_is_published,
        "under ['ClusterName'], under which nothing publishes",
        drop(
            "WorkerBacklogScaling",
            "TargetTrackingScalingPolicyConfiguration/CustomizedMetricSpecification/Dimensions/1",
        ),
    ),
    Fault(
        "an application that is down for half an hour before its alarm",
        alarms.alarms_are_raised_in_time,
        "HealthyTargetsTooLow is raised 1800 seconds after users have noticed",
        put("HealthyTargetsTooLow", "EvaluationPeriods", 30),
    ),
    Fault(
        "an alarm of a load that scaling corrects",
        alarms.alarms_are_raised_in_time,
        "WorkerCpuTooHigh is raised after 180 seconds, before scaling has an effect",
        put("WorkerCpuTooHigh", "EvaluationPeriods", 3),
    ),
    Fault(
        "a share of errors that one request in a hundred reaches",
        alarms.alarms_are_raised_by_their_fault,
        "ApiErrorsTooHigh is raised by 1",
        put("ApiErrorsTooHigh", "Threshold", 0.5),
    ),
    Fault(
        "an alarm that comes after the deployment",
        alarms.deployments_read_alarms_in_time,
        "ApiDeploymentErrorsTooHigh is raised 1800 seconds after a deployment",
        put("ApiDeploymentErrorsTooHigh", "EvaluationPeriods", 30),
    ),
    Fault(
        "a bad version that one good minute hides",
        alarms.deployments_read_alarms_in_time,
        "ApiDeploymentErrorsTooHigh is not raised if one of 3 minutes has no error",
        drop("ApiDeploymentErrorsTooHigh", "DatapointsToAlarm"),
    ),
    Fault(
        "a rollback for one slow request",
        alarms.deployments_read_alarms_in_time,
        "ApiDeploymentResponseTimeTooHigh compares the percentile of a few requests",
        drop("ApiDeploymentResponseTimeTooHigh", "EvaluateLowSampleCountPercentile"),
    ),
    Fault(
        "a schedule that calls nothing",
        schedules.schedules_call_their_function,
        "QueueDepthSchedule calls []",
        put("QueueDepthSchedule", "Targets", []),
    ),
    Fault(
        "a renewal without the certificate",
        schedules.schedules_call_their_function,
        "DevelopmentCertificateRenewal gives [] to DevelopmentCertificateFunction, which reads ['Renew']",
        drop("DevelopmentCertificateRenewal", "Targets/0/Input"),
        variant="dev",
    ),
    Fault(
        "a measurement of an hour ago",
        schedules.measurements_are_of_their_minute,
        "QueueDepthSchedule delivers an event for 86400 seconds",
        drop("QueueDepthSchedule", "Targets/0/RetryPolicy/MaximumEventAgeInSeconds"),
    ),
    Fault(
        "a measurement that is repeated",
        schedules.measurements_are_of_their_minute,
        "QueueDepthSchedule repeats a measurement that has failed",
        drop("QueueDepthSchedule", "Targets/0/RetryPolicy/MaximumRetryAttempts"),
    ),
)
