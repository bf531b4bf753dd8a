"""Queue depth, from the queues to the scaling: the function's configuration matches its users."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.checks.render import Rendered
from tests.relations.identity.iam import allows
from tests.relations.monitoring.checks_monitoring import ALARM, metrics, own_namespace
from tests.relations.secrets.checks_rotation import in_use
from tests.rendering import containers, id_of, named, origin_of, resources_of_type

FUNCTION, ROLE = "QueueDepthFunction", "QueueDepthRole"
CLUSTER, SERVICE = "Cluster", "WorkerService"
JOBS = 3
# The service of each of the function's calls.
TARGETS = {
    "secretsmanager:GetSecretValue": "CacheSecret",
    "ecs:DescribeServices": SERVICE,
    # Metrics have no ARN.
    "cloudwatch:PutMetricData": "",
}


class Metric(NamedTuple):
    """A metric by everything that identifies it; values that exist only after a launch are logical IDs."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Measurement:
    """The result of one run of the function: published metrics, found depth, and calls."""

    published: frozenset[Metric] = frozenset()
    depth: float = -1
    calls: frozenset[str] = frozenset()
    refusal: str = ""


Check = Callable[[Rendered, Measurement], Iterator[str]]


def variables(rendered: Rendered) -> dict[str, str]:
    """The function's environment, with logical IDs for values that exist only after a launch."""
    function = named(rendered, FUNCTION)
    return {
        name: id_of(rendered, function.layer, value)
        for name, value in function.properties["Environment"]["Variables"].items()
    }


def listened_to(rendered: Rendered) -> list[str]:
    """The queues of the worker's command."""
    (command,) = (
        container["Command"]
        for task, container in containers(rendered)
        if task == "WorkerTaskDefinition"
    )
    for option, value in itertools.pairwise(command):
        if option in {"-Q", "--queues"}:
            return str(value).split(",")
    return ["celery"]


def key_prefix(rendered: Rendered) -> str:
    """The prefix of Celery's keys in the worker's variables."""
    return next(
        str(variable["Value"])
        for task, container in containers(rendered)
        for variable in container["Environment"]
        if task == "WorkerTaskDefinition" and variable["Name"] == "CELERY_KEY_PREFIX"
    )


def function_has_its_environment(rendered: Rendered, measurement: Measurement) -> Iterator[str]:
    """The function's environment is complete, and each variable comes from its resource."""
    if measurement.refusal:
        yield f"The function says: {measurement.refusal}"
    function, given = named(rendered, FUNCTION), variables(rendered)
    host, port = (
        origin_of(
            rendered, function.layer, function.properties["Environment"]["Variables"].get(name)
        )
        for name in ("CACHE_HOST", "CACHE_PORT")
    )
    if host is None or port is None or host.logical_id != port.logical_id:
        yield f"Host and port are of different things: {host}, {port}."
        return
    kind = rendered.layers[host.layer]["Resources"][host.logical_id]["Type"]
    serverless = kind == "AWS::ElastiCache::ServerlessCache"
    if (given.get("CLUSTER_MODE") == "true") != serverless:
        yield f"CLUSTER_MODE is {given.get('CLUSTER_MODE')} for {host.logical_id}."
    secret, _ = in_use(rendered, "CacheCredentials")
    users = {"CacheSecret": "CacheUser", "CacheSecondSecret": "CacheSecondUser"}
    user = named(rendered, users[secret]).properties["UserName"]
    if (given.get("CACHE_USER"), given.get("CACHE_SECRET_ARN")) != (user, secret):
        yield f"The function signs in as {given.get('CACHE_USER')} with {given.get('CACHE_SECRET_ARN')}."


def function_counts_what_workers_take(
    rendered: Rendered, measurement: Measurement
) -> Iterator[str]:
    """The function measures every queue of the worker's command, with the prefix of its container."""
    jobs = JOBS * len(listened_to(rendered))
    if measurement.depth != jobs:
        yield f"The function finds {measurement.depth:g} of {jobs} jobs in {listened_to(rendered)}."


def workers_scale_by_what_is_published(
    rendered: Rendered, measurement: Measurement
) -> Iterator[str]:
    """The scaling policy reads a metric that the function publishes, with equal dimensions; otherwise nothing scales."""
    policies = [
        policy
        for policy in resources_of_type(rendered, "AWS::ApplicationAutoScaling::ScalingPolicy")
        if id_of(rendered, policy.layer, policy.properties["ScalingTargetId"])
        == "WorkerScalableTarget"
    ]
    if not policies:
        yield "Nothing scales the worker."
    for policy in policies:
        tracking = policy.properties["TargetTrackingScalingPolicyConfiguration"]
        tracked = tracking.get("CustomizedMetricSpecification", {})
        metric = Metric(
            tracked.get("Namespace", ""),
            tracked.get("MetricName", ""),
            frozenset(
                (pair["Name"], id_of(rendered, policy.layer, pair["Value"]))
                for pair in tracked.get("Dimensions", ())
            ),
        )
        if metric.name != "BacklogPerTask" or metric not in measurement.published:
            yield f"{policy.logical_id} tracks {metric.name or 'another metric'}, which the function does not publish so."


def alarms_read_what_is_published(rendered: Rendered, measurement: Measurement) -> Iterator[str]:
    """Alarms read published metrics, and one of them is raised when no data arrives."""
    silence = False
    for alarm in resources_of_type(rendered, ALARM):
        for namespace, name, dimensions in metrics(alarm):
            if namespace != own_namespace(rendered) or not name.startswith(
                ("Queue", "Backlog", "Beat", "Silent")
            ):
                continue
            read = Metric(
                namespace,
                name,
                frozenset(
                    (key, id_of(rendered, alarm.layer, value)) for key, value in dimensions.items()
                ),
            )
            if read not in measurement.published:
                yield f"{alarm.logical_id} reads {name}, which the function does not publish so."
            silence |= alarm.properties["TreatMissingData"] == "breaching"
    if not silence:
        yield "No alarm is raised when the queues are not measured."


def function_has_exactly_its_permissions(
    rendered: Rendered, measurement: Measurement
) -> Iterator[str]:
    """The role allows exactly the calls of the function, on their resources and with their conditions."""
    context = {
        "cloudwatch:namespace": own_namespace(rendered),
        # The value in a condition: the ARN of the cluster.
        "ecs:cluster": f"<{CLUSTER}.Arn>",
        "kms:ViaService": f"secretsmanager.{rendered.region}.amazonaws.com",
    }
    for call in sorted(measurement.calls):
        if not allows(rendered, ROLE, call, TARGETS[call], context):
            yield f"{ROLE} lacks {call} on {TARGETS[call] or 'its metrics'}."
        if TARGETS[call] and allows(rendered, ROLE, call, "BeatService", context):
            yield f"{ROLE} may {call} on more than {TARGETS[call]}."
    if not allows(rendered, ROLE, "kms:Decrypt", "Key", context):
        yield f"{ROLE} cannot decrypt the password."
    if allows(rendered, ROLE, "kms:Decrypt", "Key", {}):
        yield f"{ROLE} may decrypt more than secrets."


def function_runs_every_minute(rendered: Rendered, _measurement: Measurement) -> Iterator[str]:
    """A schedule with permission invokes the function once a minute."""
    schedules = {
        rule.logical_id: rule.properties
        for rule in resources_of_type(rendered, "AWS::Events::Rule")
        if FUNCTION in {id_of(rendered, rule.layer, at["Arn"]) for at in rule.properties["Targets"]}
    }
    for name, rule in schedules.items():
        if (rule["ScheduleExpression"], rule.get("State", "ENABLED")) != (
            "rate(1 minute)",
            "ENABLED",
        ):
            yield f"{name} runs at {rule['ScheduleExpression']} and is {rule.get('State')}."
    admitted = {
        id_of(rendered, permission.layer, permission.properties["SourceArn"])
        for permission in resources_of_type(rendered, "AWS::Lambda::Permission")
        if id_of(rendered, permission.layer, permission.properties["FunctionName"]) == FUNCTION
        and permission.properties["Principal"] == "events.amazonaws.com"
    }
    if not schedules or admitted != schedules.keys():
        yield f"{FUNCTION} is scheduled by {sorted(schedules)} and may be invoked by {sorted(admitted)}."
    retries = [
        int(found.properties["MaximumRetryAttempts"])
        for found in resources_of_type(rendered, "AWS::Lambda::EventInvokeConfig")
        if id_of(rendered, found.layer, found.properties["FunctionName"]) == FUNCTION
    ]
    if retries != [0]:
        yield f"A failed measurement is repeated {retries or 'twice'}: late numbers next to new ones."


CHECKS: tuple[Check, ...] = (
    function_has_its_environment,
    function_counts_what_workers_take,
    workers_scale_by_what_is_published,
    alarms_read_what_is_published,
    function_has_exactly_its_permissions,
    function_runs_every_minute,
)
