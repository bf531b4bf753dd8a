"""Faults between the queues and the scaling, each with the check that must find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.checks.render import Rendered
from tests import planted_faults
from tests.relations.planting import body, drop, put
from tests.relations.services.checks_queue import (
    FUNCTION,
    ROLE,
    Check,
    alarms_read_what_is_published,
    function_counts_what_workers_take,
    function_has_exactly_its_permissions,
    function_has_its_environment,
    function_runs_every_minute,
    workers_scale_by_what_is_published,
)

Fault = planted_faults.Fault[Rendered, Check]

VARIABLES = "Environment/Variables"
TRACKED = "TargetTrackingScalingPolicyConfiguration/CustomizedMetricSpecification"


def without_statement(sid: str) -> Callable[[Rendered], None]:
    def plant(rendered: Rendered) -> None:
        document = body(rendered, ROLE)["Properties"]["Policies"][0]["PolicyDocument"]
        kept = [each for each in document["Statement"] if each.get("Sid") != sid]
        assert len(kept) == len(document["Statement"]) - 1
        document["Statement"] = kept

    return plant


def change_statement(sid: str, key: str, value: Any) -> Callable[[Rendered], None]:
    def plant(rendered: Rendered) -> None:
        document = body(rendered, ROLE)["Properties"]["Policies"][0]["PolicyDocument"]
        (found,) = (each for each in document["Statement"] if each.get("Sid") == sid)
        found[key] = value

    return plant


FAULTS = (
    *(
        Fault(
            f"no {name}",
            function_has_its_environment,
            f"{name} is not set",
            drop(FUNCTION, f"{VARIABLES}/{name}"),
        )
        for name in (
            "CACHE_PORT",
            "CACHE_USER",
            "CACHE_KEY_PREFIX",
            "CLUSTER",
            "SERVICE",
            "CLUSTER_MODE",
        )
    ),
    Fault(
        "another service",
        function_has_its_environment,
        "The service BeatService is not in the cluster",
        put(FUNCTION, f"{VARIABLES}/SERVICE", {"Fn::GetAtt": ["BeatService", "Name"]}),
    ),
    Fault(
        "a serverless cache that is taken for a single node",
        function_has_its_environment,
        "CLUSTER_MODE is false",
        put(FUNCTION, f"{VARIABLES}/CLUSTER_MODE", "false"),
        "dev",
    ),
    Fault(
        "nodes that are taken for a cluster",
        function_has_its_environment,
        "CLUSTER_MODE is true",
        put(FUNCTION, f"{VARIABLES}/CLUSTER_MODE", "true"),
    ),
    Fault(
        "another port",
        function_has_its_environment,
        "Host and port are of different things",
        put(FUNCTION, f"{VARIABLES}/CACHE_PORT", "6380"),
    ),
    Fault(
        "another user",
        function_has_its_environment,
        "signs in as default",
        put(FUNCTION, f"{VARIABLES}/CACHE_USER", "default"),
    ),
    Fault(
        "a prefix that is not the containers'",
        function_counts_what_workers_take,
        "finds 0 of 3",
        put(FUNCTION, f"{VARIABLES}/CACHE_KEY_PREFIX", "{carbon-connect}:"),
    ),
    Fault(
        "a queue that the workers do not take from",
        function_counts_what_workers_take,
        "finds 0 of 3",
        put(FUNCTION, f"{VARIABLES}/QUEUES", "reports"),
    ),
    Fault(
        "a queue that is not measured",
        function_counts_what_workers_take,
        "finds 3 of 6",
        lambda rendered: body(rendered, "WorkerTaskDefinition")["Properties"][
            "ContainerDefinitions"
        ][0]["Command"].extend(["--queues", "celery,reports"]),
    ),
    Fault(
        "a policy on another metric",
        workers_scale_by_what_is_published,
        "tracks QueueDepth",
        put("WorkerBacklogScaling", f"{TRACKED}/MetricName", "QueueDepth"),
    ),
    Fault(
        "a policy in another namespace",
        workers_scale_by_what_is_published,
        "tracks BacklogPerTask",
        put("WorkerBacklogScaling", f"{TRACKED}/Namespace", "carbon-connect"),
    ),
    Fault(
        "a policy without a dimension",
        workers_scale_by_what_is_published,
        "tracks BacklogPerTask",
        drop("WorkerBacklogScaling", f"{TRACKED}/Dimensions/0"),
    ),
    Fault(
        "a policy on another service",
        workers_scale_by_what_is_published,
        "tracks BacklogPerTask",
        put(
            "WorkerBacklogScaling",
            f"{TRACKED}/Dimensions/1/Value",
            {"Fn::GetAtt": ["ApiService", "Name"]},
        ),
    ),
    Fault(
        "workers that scale on CPU",
        workers_scale_by_what_is_published,
        "tracks another metric",
        drop("WorkerBacklogScaling", TRACKED),
    ),
    Fault(
        "a function that publishes elsewhere",
        workers_scale_by_what_is_published,
        "tracks BacklogPerTask",
        put(FUNCTION, f"{VARIABLES}/METRIC_NAMESPACE", "elsewhere"),
    ),
    Fault(
        "an alarm under another dimension",
        alarms_read_what_is_published,
        "QueueDepthMissing reads QueueDepth",
        put("QueueDepthMissing", "Dimensions/0/Name", "Cluster"),
    ),
    Fault(
        "an alarm of a metric that is not there",
        alarms_read_what_is_published,
        "QueueDepthTooHigh reads QueueLength",
        put("QueueDepthTooHigh", "MetricName", "QueueLength"),
    ),
    Fault(
        "an alarm of beat under the name of another metric",
        alarms_read_what_is_published,
        "BeatSilent reads BeatSilence",
        put("BeatSilent", "MetricName", "BeatSilence"),
    ),
    Fault(
        "no alarm of silence",
        alarms_read_what_is_published,
        "No alarm is raised",
        put("QueueDepthMissing", "TreatMissingData", "notBreaching"),
    ),
    *(
        Fault(
            f"a role without {sid}",
            function_has_exactly_its_permissions,
            says,
            without_statement(sid),
        )
        for sid, says in (
            ("ReadTheCachePassword", "lacks secretsmanager:GetSecretValue"),
            ("DecryptThroughSecretsManagerOnly", "cannot decrypt"),
            ("CountTheWorkersTasks", "lacks ecs:DescribeServices"),
            ("PublishMetricsOfThisEnvironment", "lacks cloudwatch:PutMetricData"),
        )
    ),
    Fault(
        "a role that sees every service",
        function_has_exactly_its_permissions,
        "on more than WorkerService",
        change_statement("CountTheWorkersTasks", "Resource", ["*"]),
    ),
    Fault(
        "a role that decrypts everything",
        function_has_exactly_its_permissions,
        "decrypt more than secrets",
        change_statement("DecryptThroughSecretsManagerOnly", "Condition", {}),
    ),
    Fault(
        "a namespace that is not the function's",
        function_has_exactly_its_permissions,
        "lacks cloudwatch:PutMetricData",
        change_statement(
            "PublishMetricsOfThisEnvironment",
            "Condition",
            {"StringEquals": {"cloudwatch:namespace": "elsewhere"}},
        ),
    ),
    Fault(
        "a schedule of five minutes",
        function_runs_every_minute,
        "rate(5 minutes)",
        put("QueueDepthSchedule", "ScheduleExpression", "rate(5 minutes)"),
    ),
    Fault(
        "a permission for another schedule",
        function_runs_every_minute,
        "may be invoked by",
        put("QueueDepthSchedulePermission", "SourceArn", {"Fn::GetAtt": ["Cluster", "Arn"]}),
    ),
    Fault(
        "measurements that are repeated",
        function_runs_every_minute,
        "is repeated [2]",
        put("QueueDepthInvocations", "MaximumRetryAttempts", 2),
    ),
)
