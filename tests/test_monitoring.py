"""The monitoring layer: every metric exists, every alarm publishes to the topic, the dashboard is valid JSON and fits the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.checks.render import render_resource, rendered_template, scope_of
from templates_src.core.errors import TemplateError
from templates_src.core.json_text import Choice, ConditionalEntry, json_text
from templates_src.functions.database_storage.handler import METRIC
from templates_src.monitoring.template import monitoring

REGION = "eu-north-1"
GIVEN = {
    "KeyArn": "arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "LoadBalancerFullName": "app/balancer/50dc6c495c0c9188",
    "TargetGroupFullName": "targetgroup/targets/73e2d6bc24d8a067",
    "WebAclName": "carbon-connect-dev",
    "ClusterName": "cluster",
    "ApiServiceName": "api",
    "WorkerServiceName": "worker",
    "BeatServiceName": "beat",
    "QueueDepthFunctionName": "queue-depth",
    "DatabaseInstanceId": "database",
    "CacheName": "cache",
    "ReleaseBucket": "releases",
}
SERVERLESS = {"CacheMode": "serverless"}
TWO_NODES = {"CacheMode": "replication-group", "CacheNodes": "2"}
SIX_NODES = {"CacheMode": "replication-group", "CacheNodes": "6"}
MODES = pytest.mark.parametrize(
    "given", [SERVERLESS, TWO_NODES, SIX_NODES], ids=["serverless", "two nodes", "six nodes"]
)

# The metrics in AWS's documentation, by namespace and dimensions. They are listed here and not read from the code that
# they check.
TARGET_METRICS = {
    "RequestCount",
    "TargetResponseTime",
    "HealthyHostCount",
    "UnHealthyHostCount",
    "HTTPCode_Target_4XX_Count",
    "HTTPCode_Target_5XX_Count",
}
DOCUMENTED: dict[tuple[str, frozenset[str]], set[str]] = {
    ("AWS/WAFV2", frozenset({"WebACL", "Region", "Rule"})): {"AllowedRequests", "BlockedRequests"},
    ("AWS/ApplicationELB", frozenset({"LoadBalancer"})): {"RequestCount", "HTTPCode_ELB_5XX_Count"},
    ("AWS/ApplicationELB", frozenset({"LoadBalancer", "TargetGroup"})): TARGET_METRICS,
    ("AWS/ECS", frozenset({"ClusterName", "ServiceName"})): {
        "CPUUtilization",
        "MemoryUtilization",
    },
    ("ECS/ContainerInsights", frozenset({"ClusterName", "ServiceName"})): {"RunningTaskCount"},
    ("AWS/RDS", frozenset({"DBInstanceIdentifier"})): {
        "CPUUtilization",
        "FreeStorageSpace",
        "FreeableMemory",
        "DatabaseConnections",
        "ReadLatency",
        "WriteLatency",
    },
    ("AWS/ElastiCache", frozenset({"clusterId"})): {
        "ThrottledCmds",
        "BytesUsedForCache",
        "Evictions",
        "ElastiCacheProcessingUnits",
    },
    ("AWS/ElastiCache", frozenset({"CacheClusterId"})): {
        "EngineCPUUtilization",
        "DatabaseMemoryUsagePercentage",
        "Evictions",
    },
    # functions/queue_depth/handler.py: the function that measures the queues.
    ("carbon-connect/dev", frozenset({"ClusterName", "ServiceName"})): {
        "QueueDepth",
        "BacklogPerTask",
        "DelayedJobs",
        "QueueStalledSeconds",
        "BeatSilentSeconds",
        "SilentWorkers",
    },
    ("AWS/Lambda", frozenset({"FunctionName"})): {"Errors"},
    # functions/database_storage/handler.py: RDS publishes no metric of the allocation.
    ("carbon-connect/dev", frozenset({"DBInstanceIdentifier"})): {"AllocatedStorage"},
    # docs/search-server.md: the search server publishes them.
    ("carbon-connect/dev", frozenset({"Environment"})): {"SearchHealthy", "SearchVolumeUsed"},
}
# The alarm of each part of the system that is raised without data.
TELLS_OF_SILENCE = {
    "HealthyTargetsTooLow",
    "WorkerTasksTooLow",
    "BeatTasksTooLow",
    "QueueDepthMissing",
    "SearchUnhealthy",
    "DatabaseCpuTooHigh",
    "DatabaseStorageMissing",
}


def resources(**given: str) -> dict[str, Any]:
    """The rendered resources of the layer with the given parameters."""
    template = json.loads(json.dumps(monitoring().document()))
    defaults = {name: body.get("Default") for name, body in template["Parameters"].items()}
    scope = scope_of(template, {**defaults, **GIVEN, **given}, REGION, "carbon-connect-dev")
    rendered = {
        name: body
        for name, resource in template["Resources"].items()
        if (body := render_resource(scope, resource)) is not None
    }
    found: dict[str, Any] = rendered_template(scope, template, rendered)["Resources"]
    return found


def alarms(rendered: dict[str, Any]) -> dict[str, Any]:
    """Properties of every alarm, by logical ID."""
    return {
        name: body["Properties"]
        for name, body in rendered.items()
        if body["Type"] == "AWS::CloudWatch::Alarm"
    }


def completed(value: Any) -> str:
    """The text of Fn::Sub, with ``${LogicalId.Arn}`` as the logical ID."""
    if isinstance(value, str):
        return value
    text, parts = (value["Fn::Sub"], {}) if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"]
    return re.sub(
        r"\$\{([^}]+)\}",
        lambda name: (
            completed(parts[name[1]]) if name[1] in parts else name[1].removesuffix(".Arn")
        ),
        text,
    )


def dashboard(rendered: dict[str, Any]) -> dict[str, Any]:
    """The body of the dashboard."""
    body: dict[str, Any] = json.loads(
        completed(rendered["Dashboard"]["Properties"]["DashboardBody"])
    )
    return body


def metrics_of_alarm(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Namespace, MetricName and Dimensions of all metrics of an alarm."""
    if "MetricName" in alarm:
        yield alarm
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


@MODES
def test_alarms_read_documented_metrics(given: dict[str, str]) -> None:
    for name, alarm in alarms(resources(**given)).items():
        read = list(metrics_of_alarm(alarm))
        assert read, name
        for metric in read:
            dimensions = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
            published = DOCUMENTED[metric["Namespace"], frozenset(dimensions)]
            assert metric["MetricName"] in published, name
            assert all(isinstance(value, str) and value for value in dimensions.values()), name


@MODES
def test_graphs_read_documented_metrics(given: dict[str, str]) -> None:
    lines = [
        line
        for widget in dashboard(resources(**given))["widgets"]
        for line in widget["properties"].get("metrics", [])
    ]
    assert len(lines) > 20
    for namespace, metric, *dimensions, options in lines:
        assert metric in DOCUMENTED[namespace, frozenset(dimensions[::2])]
        assert options["stat"]


@MODES
def test_every_alarm_publishes_alarm_and_ok(given: dict[str, str]) -> None:
    for name, alarm in alarms(resources(**given)).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name
        assert len(alarm["AlarmDescription"]) > 60, name
        assert "AlarmName" not in alarm, name


@MODES
def test_missing_data(given: dict[str, str]) -> None:
    treatment = {
        name: alarm["TreatMissingData"] for name, alarm in alarms(resources(**given)).items()
    }
    assert {name for name, how in treatment.items() if how == "breaching"} == TELLS_OF_SILENCE
    assert set(treatment.values()) == {"breaching", "notBreaching"}


def is_raised(alarm: dict[str, Any], **readings: float) -> bool:
    """Whether an alarm is raised by these numbers, of which no period lacks one."""
    (formula,) = (query["Expression"] for query in alarm["Metrics"] if "Expression" in query)
    known: dict[str, Any] = {
        **readings,
        "FILL": lambda number, _: number,
        "REPEAT": None,
        "__builtins__": {},
    }
    value = eval(formula, known)  # noqa: S307 - metric math of this repository
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    return bool(value < alarm["Threshold"])


@pytest.mark.parametrize(
    ("allocated", "free", "raised"),
    [
        # As launched; RDS grows the storage below 10 %.
        (50, 5.0, False),
        (50, 4.1, False),
        (50, 3.9, True),
        # Grown to DatabaseMaxAllocatedStorage: 3.9 GiB are 2 %, and 15 GiB are 7.5 %.
        (200, 17.0, False),
        (200, 15.0, True),
        (200, 3.9, True),
        (200, 0.0, True),
    ],
)
def test_free_storage_alarm_is_a_share_of_the_current_allocation(
    allocated: int, free: float, raised: bool
) -> None:
    # The parameter is the size of the first day, and must not matter.
    for rendered in (resources(), resources(DatabaseAllocatedStorage="50")):
        alarm = alarms(rendered)["DatabaseFreeStorageTooLow"]
        assert is_raised(alarm, free=free * 2**30, allocated=allocated * 2**30) is raised


def test_free_storage_alarm_reads_what_the_function_publishes() -> None:
    """Every five minutes, in one period of the alarm, under the namespace and the dimension of the function."""
    rendered = resources()
    alarm = alarms(rendered)["DatabaseFreeStorageTooLow"]
    (read,) = (query["MetricStat"] for query in alarm["Metrics"] if query.get("Id") == "allocated")
    variables = rendered["DatabaseStorageFunction"]["Properties"]["Environment"]["Variables"]
    assert read["Metric"] == {
        "Namespace": variables["METRIC_NAMESPACE"],
        "MetricName": METRIC,
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": variables["DATABASE"]}],
    }
    schedule = rendered["DatabaseStorageSchedule"]["Properties"]["ScheduleExpression"]
    assert schedule == f"rate({read['Period'] // 60} minutes)"


@MODES
def test_expressions_return_one_result_of_known_metrics(given: dict[str, str]) -> None:
    formulas = {
        name: alarm["Metrics"]
        for name, alarm in alarms(resources(**given)).items()
        if "Metrics" in alarm
    }
    assert formulas
    for name, queries in formulas.items():
        (result,) = (query for query in queries if query["ReturnData"])
        readings = {query["Id"] for query in queries if "MetricStat" in query}
        used = set(re.findall(r"\b[a-z]\w*", result["Expression"]))
        assert used == readings, name
        assert len({q["MetricStat"]["Period"] for q in queries if "MetricStat" in q}) == 1, name
        # The limit of CloudWatch.
        assert len(readings) <= 10, name


@pytest.mark.parametrize("count", range(1, 7))
def test_each_node_of_the_group_is_watched(count: int) -> None:
    rendered = resources(CacheMode="replication-group", CacheNodes=str(count))
    watched = {
        pair["Value"]
        for alarm in alarms(rendered).values()
        for metric in metrics_of_alarm(alarm)
        for pair in metric["Dimensions"]
        if pair["Name"] == "CacheClusterId"
    }
    assert watched == {f"cache-00{number}" for number in range(1, count + 1)}
    assert not any(name.startswith(("CacheStorage", "CacheThrottles")) for name in rendered)


def test_serverless_cache_has_no_node_alarms() -> None:
    assert not any(name.startswith("CacheNode") for name in resources(**SERVERLESS))


@MODES
def test_dashboard_shows_every_alarm(given: dict[str, str]) -> None:
    rendered = resources(**given)
    (status,) = (w for w in dashboard(rendered)["widgets"] if w["type"] == "alarm")
    assert status["properties"]["alarms"] == list(alarms(rendered))


@MODES
def test_dashboard_fits_a_screen(given: dict[str, str]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard(resources(**given))["widgets"]:
        cells = {
            (widget["x"] + column, widget["y"] + row)
            for column in range(widget["width"])
            for row in range(widget["height"])
        }
        assert not cells & taken, widget["properties"]["title"]
        taken |= cells
    assert max(column for column, _ in taken) == 23
    assert max(row for _, row in taken) < 18


def test_names_are_left_to_cloudformation() -> None:
    rendered = resources(**SERVERLESS)
    assert "DashboardName" not in rendered["Dashboard"]["Properties"]
    assert "TopicName" not in rendered["AlarmTopic"]["Properties"]


def test_subscription_exists_only_with_an_address() -> None:
    assert "AlarmEmailSubscription" not in resources(**SERVERLESS)
    mail = resources(AlarmEmail="ops@example.com")["AlarmEmailSubscription"]["Properties"]
    assert (mail["Protocol"], mail["Endpoint"]) == ("email", "ops@example.com")


def test_only_alarms_of_this_account_publish() -> None:
    rendered = resources(**SERVERLESS)
    statements = rendered["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == ["sns:Publish"]
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert rendered["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == GIVEN["KeyArn"]


@pytest.mark.parametrize("holds", [True, False])
def test_json_text_under_conditions(holds: bool) -> None:
    """Both values of a choice, and a conditional entry, produce valid JSON."""

    def decided(text: Any) -> Any:
        if not isinstance(text, dict):
            return text
        if "Fn::If" in text:
            return decided(text["Fn::If"][1 if holds else 2])
        whole, parts = (
            (text["Fn::Sub"], {}) if isinstance(text["Fn::Sub"], str) else text["Fn::Sub"]
        )
        return {"Fn::Sub": [whole, {name: decided(part) for name, part in parts.items()}]}

    value = {
        "list": [1, ConditionalEntry("C", {"a": "${P}"})],
        "choice": Choice("C", [1], {"b": 2}),
    }
    text = json_text(value)
    plain = json.loads(json.dumps(text, default=lambda helper: helper.to_dict()))
    found = json.loads(completed(decided(plain)))
    expected = [1, {"a": "P"}] if holds else [1]
    assert found == {"list": expected, "choice": [1] if holds else {"b": 2}}


def test_list_must_not_begin_with_a_conditional_entry() -> None:
    with pytest.raises(TemplateError, match="put an entry first that always exists"):
        json_text([ConditionalEntry("HasAlarmEmail", 1), 2])


@pytest.mark.parametrize(
    ("name", "minutes", "raised"),
    [
        # A worker that starts shows its first sign within two minutes.
        ("WorkersSilent", [0.0] * 10 + [1, 1, 0, 0, 0], False),
        ("WorkersSilent", [1.0] * 15, True),
        ("WorkersSilent", [1.0] * 14, False),
        # A deployment of beat takes about a minute; a cache that fails over, some.
        ("BeatSilent", [20, 50, 80, 300, 10], False),
        ("BeatSilent", [840, 900], False),
        ("BeatSilent", [900, 960], True),
        # Every process of the workers can have a job of half an hour.
        ("QueueStalled", [0, 600, 1800, 2400], False),
        ("QueueStalled", [2400, 2460], True),
    ],
)
def test_alarms_of_processes_and_queues_without_progress(
    name: str, minutes: list[float], raised: bool
) -> None:
    alarm = alarms(resources())[name]
    periods = int(alarm["EvaluationPeriods"])
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm["TreatMissingData"] == "notBreaching", "without signs of life there is no metric"
    last = minutes[-periods:] if len(minutes) >= periods else [0.0]
    assert all(value > float(alarm["Threshold"]) for value in last) is raised
