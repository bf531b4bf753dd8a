"""Deployments of services that fail as `service_outcomes` registers it: tasks, events, target health, circuit breaker.

On AWS, CloudFormation waits for the deployment of a service. ECS starts tasks until the circuit breaker has counted enough
failures, rolls the service back, and CloudFormation reports that. Without capacity, no task exists that could fail, and
CloudFormation waits until it gives up, after hours.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
https://github.com/aws/copilot-cli/issues/5296 and https://github.com/aws/aws-cdk/issues/21991 quote the reasons of CloudFormation,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html the events.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.compute import service_deployments, target_health
from embedded_aws.resources.compute.service_outcomes import ServiceOutcome, outcome_of

_TRIGGERED = (
    'Resource handler returned message: "Error occurred during operation'
    " 'ECS Deployment Circuit Breaker was triggered'.\" (HandlerErrorCode: GeneralServiceException)"
)
_TIMED_OUT = (
    'Resource handler returned message: "Resource timed out waiting for completion"'
    " (HandlerErrorCode: NotStabilized)"
)
# No source quotes the reason of CloudFormation for an alarm.
_ALARM = (
    'Resource handler returned message: "Error occurred during operation'
    " 'ECS Deployment failed: alarm detected'.\" (HandlerErrorCode: GeneralServiceException)"
)
_NO_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
_MISMATCH = "Target.ResponseCodeMismatch"
# The private address of a task that fails its health check.
_ADDRESS = "10.0.48.{}"


def registered_outcome(properties: Mapping[str, Any]) -> ServiceOutcome | None:
    """The outcome that a test registered for a service with these properties of CloudFormation."""
    key = str(properties["TaskDefinition"]).rpartition("/")[2]
    definition = tables.TASK_DEFINITIONS.get(key)
    strategy = [
        {"capacityProvider": item["CapacityProvider"]}
        for item in properties.get("CapacityProviderStrategy") or []
    ]
    return outcome_of(definition, strategy) if definition else None


def service_record(arn: str) -> dict[str, Any]:
    """The record of a service, by its ARN. Raises LookupError."""
    for service in tables.ECS_SERVICES.values():
        if service["serviceArn"] == arn:
            found: dict[str, Any] = service
            return found
    raise LookupError(arn)


def fail_creation(arn: str, outcome: ServiceOutcome) -> None:
    """Fail the first deployment of a service. Always raises ValueError, with CloudFormation's reason."""
    service = service_record(arn)
    for task in _tasks_of(service):
        del tables.TASKS[task["taskArn"]]
    service["runningCount"] = 0
    deployment = service["deployments"][0]
    deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="", runningCount=0)
    _fail(service, deployment, outcome, previous=None)


def fail_update(arn: str, task_definition: str, outcome: ServiceOutcome) -> None:
    """Fail the deployment of another task definition; the previous one stays in service. Always raises ValueError."""
    service = service_record(arn)
    previous = service["deployments"][0]
    deployment = functions.ecs_deployment(task_definition, service["desiredCount"])
    deployment.update(rolloutState="IN_PROGRESS", rolloutStateReason="")
    previous["status"] = "ACTIVE"
    service["deployments"].insert(0, deployment)
    _fail(service, deployment, outcome, previous)


def _fail(
    service: dict[str, Any],
    deployment: dict[str, Any],
    outcome: ServiceOutcome,
    previous: dict[str, Any] | None,
) -> None:
    started = time.time()
    threshold = _threshold(service)
    if outcome.no_capacity:
        _event(service, f"was unable to place a task. Reason: {_NO_CAPACITY}.")
        time.sleep(outcome.seconds)
    if outcome.alarm:
        time.sleep(outcome.seconds)
    for number in range(0 if outcome.no_capacity or outcome.alarm else threshold):
        _fail_once(service, deployment, outcome, number)
    if not outcome.no_capacity:
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
        reason = "alarm detected." if outcome.alarm else "tasks failed to start."
        _event(service, f"(deployment {deployment['id']}) deployment failed: {reason}")
        deployment.update(
            rolloutState="FAILED",
            rolloutStateReason=f"ECS deployment {'failed' if outcome.alarm else 'circuit breaker'}: {reason}",
        )
    _record(service, deployment, threshold, started, outcome, previous)
    if previous:
        previous["status"] = "PRIMARY"
        service["deployments"] = [previous]
        if not outcome.no_capacity:
            _event(service, f"rolling back to deployment {previous['id']}.")
    for group in _target_groups(service):
        target_health.forget(group)
    raise ValueError(_TIMED_OUT if outcome.no_capacity else _ALARM if outcome.alarm else _TRIGGERED)


def _threshold(service: Mapping[str, Any]) -> int:
    configured = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    return int((configured.get("thresholdConfiguration") or {}).get("value", 3))


def _fail_once(
    service: dict[str, Any], deployment: dict[str, Any], outcome: ServiceOutcome, number: int
) -> None:
    """Start a task, let it fail after the time of an attempt, and count it."""
    task = _start(service, deployment, outcome)
    identity = task["taskArn"].rpartition("/")[2]
    if outcome.health_status:
        for group in _target_groups(service):
            description = f"Health checks failed with these codes: [{outcome.health_status}]"
            address = _ADDRESS.format(10 + number)
            target_health.set_unhealthy(group, address, _port(service), _MISMATCH, description)
            _event(
                service,
                f"(task {identity}) (port {_port(service)}) is unhealthy in (target-group {group})"
                f" due to (reason {description}).",
            )
    _write_log(task, outcome)
    time.sleep(outcome.seconds)
    _stop(task, service, outcome)
    deployment["failedTasks"] += 1
    deployment["updatedAt"] = functions.ecs_time()


def _start(
    service: Mapping[str, Any], deployment: Mapping[str, Any], outcome: ServiceOutcome
) -> dict[str, Any]:
    """A task of the deployment, as DescribeTasks has it."""
    cluster = service["clusterArn"].rpartition("/")[2]
    arn = service["serviceArn"].split(":service/")[0] + f":task/{cluster}/{uuid.uuid4().hex}"
    definition = _definition(deployment)
    now = functions.ecs_time()
    task = {
        "taskArn": arn,
        "clusterArn": service["clusterArn"],
        "taskDefinitionArn": deployment["taskDefinition"],
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment["id"],
        "launchType": "FARGATE",
        "lastStatus": "PENDING" if outcome.start_error else "RUNNING",
        "desiredStatus": "RUNNING",
        "createdAt": now,
        "startedAt": None if outcome.start_error else now,
        "containers": [
            {
                "containerArn": arn.replace(":task/", ":container/") + f"/{uuid.uuid4()}",
                "taskArn": arn,
                "name": container["name"],
                "image": container["image"],
                "lastStatus": "PENDING" if outcome.start_error else "RUNNING",
            }
            for container in definition["containerDefinitions"]
        ],
        "attachments": [],
        "tags": [],
        "_deployment_id": deployment["id"],
    }
    tables.TASKS[arn] = task
    return task


def _stop(task: dict[str, Any], service: Mapping[str, Any], outcome: ServiceOutcome) -> None:
    """Stop the task with the reason and the code that ECS gives.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
    """
    now = functions.ecs_time()
    if outcome.start_error:
        code, reason = "TaskFailedToStart", outcome.start_error
    elif outcome.health_status:
        groups = ", ".join(_target_groups(service))
        code = "ServiceSchedulerInitiated"
        reason = f"Task failed ELB health checks in (target-group {groups})"
    else:
        code, reason = "EssentialContainerExited", "Essential container in task exited"
    task.update(
        lastStatus="STOPPED",
        desiredStatus="STOPPED",
        stoppingAt=now,
        stoppedAt=now,
        stopCode=code,
        stoppedReason=reason,
    )
    for container in task["containers"]:
        container["lastStatus"] = "STOPPED"
        if outcome.exit_code is not None:
            container["exitCode"] = outcome.exit_code
        elif outcome.health_status:
            container["exitCode"] = 143


def _write_log(task: Mapping[str, Any], outcome: ServiceOutcome) -> None:
    """Write the lines of the container into its stream, as the driver awslogs does."""
    if not outcome.log:
        return
    definition = tables.TASK_DEFINITIONS[task["taskDefinitionArn"].rpartition("/")[2]]
    for container in definition["containerDefinitions"]:
        if container["name"] != outcome.container:
            continue
        options = container["logConfiguration"]["options"]
        prefix, identity = options["awslogs-stream-prefix"], task["taskArn"].rpartition("/")[2]
        stream = {
            "logGroupName": options["awslogs-group"],
            "logStreamName": f"{prefix}/{container['name']}/{identity}",
        }
        call("logs", "CreateLogStream", **stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in outcome.log]
        call("logs", "PutLogEvents", **stream, logEvents=events)


def _record(
    service: dict[str, Any],
    deployment: Mapping[str, Any],
    threshold: int,
    started: float,
    outcome: ServiceOutcome,
    previous: Mapping[str, Any] | None,
) -> None:
    """Keep the service deployment, which ListServiceDeployments still has after the rollback."""
    arn = service["serviceArn"].replace(":service/", ":service-deployment/")
    kept = {
        "serviceDeploymentArn": f"{arn}/{uuid.uuid4().hex[:21]}",
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": started,
        "startedAt": started,
        "finishedAt": time.time(),
        "status": "ROLLBACK_SUCCESSFUL" if previous else "STOPPED",
        "statusReason": deployment["rolloutStateReason"],
        "deploymentCircuitBreaker": {
            "status": "MONITORING_COMPLETE"
            if outcome.no_capacity or outcome.alarm
            else "TRIGGERED",
            "failureCount": deployment["failedTasks"],
            "threshold": threshold,
        },
    }
    service_deployments.keep(service, kept)


def _event(service: dict[str, Any], text: str) -> None:
    message = f"(service {service['serviceName']}) {text}"
    event = {"id": str(uuid.uuid4()), "createdAt": functions.ecs_time(), "message": message}
    service["events"].insert(0, event)


def _tasks_of(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    group = f"service:{service['serviceName']}"
    return [
        task
        for task in list(tables.TASKS.values())
        if task.get("group") == group and task["clusterArn"] == service["clusterArn"]
    ]


def _definition(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tables.TASK_DEFINITIONS[
        deployment["taskDefinition"].rpartition("/")[2]
    ]
    return found


def _target_groups(service: Mapping[str, Any]) -> list[str]:
    return [each["targetGroupArn"] for each in service.get("loadBalancers") or []]


def _port(service: Mapping[str, Any]) -> int:
    return int(service["loadBalancers"][0]["containerPort"])
