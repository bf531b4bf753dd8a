"""Faults in functions."""

from __future__ import annotations

from pipeline.checks.render import Rendered
from tests.relations.functions import checks_functions as functions
from tests.relations.monitoring import checks_monitoring as monitoring
from tests.relations.planting import body, drop, put, remove
from tests.relations.registry import Fault

SCALED = "TargetTrackingScalingPolicyConfiguration/CustomizedMetricSpecification"


def without_statement(rendered: Rendered, role: str, action: str) -> None:
    """A role loses the statements of an action."""
    for policy in body(rendered, role)["Properties"]["Policies"]:
        document = policy["PolicyDocument"]
        document["Statement"] = [
            each for each in document["Statement"] if action not in each["Action"]
        ]


def hand_the_password(rendered: Rendered) -> None:
    """The custom resource passes the password itself."""
    password = body(rendered, "Database")["Properties"]["MasterUserPassword"]
    body(rendered, "DatabaseExtensions")["Properties"]["Password"] = password


FAULTS = (
    Fault(
        "a schedule that may not call",
        functions.schedules_may_call_their_function,
        "QueueDepthSchedule may not call QueueDepthFunction",
        remove("QueueDepthSchedulePermission"),
    ),
    Fault(
        "a function that everybody's rules may call",
        functions.schedules_may_call_their_function,
        "of every account call QueueDepthFunction",
        drop("QueueDepthSchedulePermission", "SourceArn"),
    ),
    Fault(
        "a function that may not read its secret",
        functions.functions_can_read_their_secrets,
        "QueueDepthRole may not read CacheSecret",
        lambda rendered: without_statement(
            rendered, "QueueDepthRole", "secretsmanager:GetSecretValue"
        ),
    ),
    Fault(
        "a function that may not decrypt the secret of its custom resource",
        functions.functions_can_read_their_secrets,
        "DatabaseExtensionsRole may not decrypt with Key",
        lambda rendered: without_statement(rendered, "DatabaseExtensionsRole", "kms:Decrypt"),
    ),
    Fault(
        "a password in a custom resource",
        functions.functions_contain_no_password,
        "DatabaseExtensionsFunction gets a password",
        hand_the_password,
    ),
    Fault(
        "a password in a function's environment",
        functions.functions_contain_no_password,
        "QueueDepthFunction gets a password",
        put("QueueDepthFunction", "Environment/Variables/PASSWORD", "{{resolve:secretsmanager:x}}"),
    ),
    Fault(
        "a function of another release",
        functions.functions_come_from_the_release,
        "QueueDepthFunction runs",
        put("QueueDepthFunction", "Code/S3Key", "functions/queue_depth.zip"),
    ),
    Fault(
        "a handler of another package",
        functions.functions_come_from_the_release,
        "ZoneCleanupFunction has the handler functions.queue_depth.handler.handler, which the package zone_cleanup does not contain",
        put("ZoneCleanupFunction", "Handler", "functions.queue_depth.handler.handler"),
    ),
    Fault(
        "scaling by a metric that nothing publishes",
        monitoring.scaling_reads_what_is_published,
        "WorkerBacklogScaling scales by Backlog",
        put("WorkerBacklogScaling", f"{SCALED}/MetricName", "Backlog"),
    ),
    Fault(
        "scaling by the backlog of another service",
        monitoring.scaling_reads_what_is_published,
        "for ServiceName",
        put("WorkerBacklogScaling", f"{SCALED}/Dimensions/1/Value", "worker"),
    ),
    Fault(
        "an alarm of the queue of another service",
        monitoring.alarms_read_what_is_published,
        "QueueDepthTooHigh reads QueueDepth of carbon-connect/prod for ServiceName worker",
        put("QueueDepthTooHigh", "Dimensions/1/Value", "worker"),
    ),
)
