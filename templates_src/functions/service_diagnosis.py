"""What ECS, load balancing and CloudWatch Logs know about a service that does not become stable, as sentences.

`build.py` shows them while it follows a launch or an update, and for `build.py why`; the function image_update returns them to a
workflow. A call that the caller may not make is left out, and its permission is named once.

Permissions: ``ecs:DescribeServices``, ``ecs:ListTasks``, ``ecs:DescribeTasks``, ``ecs:ListServiceDeployments``,
``ecs:DescribeServiceDeployments``, ``elasticloadbalancing:DescribeTargetHealth``, ``logs:FilterLogEvents``.

ECS keeps stopped tasks for at least an hour, the last 100 events of a service, and service deployments for 90 days.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-errors.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
# The cluster, the service, the target group or the log does not exist (any more).
GONE = frozenset(
    {
        "ClusterNotFoundException",
        "ResourceNotFoundException",
        "ServiceNotFoundException",
        "ServiceNotActiveException",
        "TargetGroupNotFound",
        "TargetGroupNotFoundException",
    }
)
SPOT = "FARGATE_SPOT"
# How many log lines of a stopped task are shown, and how many characters of each; how many pages of its last minute are read.
LOG_LINES, LINE_LENGTH, MOST_PAGES = 10, 300, 5
LAST_MINUTE = timedelta(minutes=1)
# How many different events of a service are shown.
MOST_EVENTS = 5
_TROUBLE = re.compile(r"unable to|is unhealthy in|deployment failed|rolling back|rolled back")
# The service and the task at the beginning of a message of an event.
_SUBJECT = re.compile(r"^(?:service \S+|\(service [^)]*\))\s*(?:\(task [^)]*\)\s*)?")
# The name of a target group in its ARN.
_TARGET_GROUP = re.compile(r"arn:\S+?:targetgroup/([^/]+)/\w+")
# The reason of a task that a deployment or a scale-in stopped.
_SCALED_IN = "Scaling activity"
_ENDED_WELL = frozenset({"PENDING", "IN_PROGRESS", "SUCCESSFUL"})


@dataclass(frozen=True)
class ServiceLocation:
    """A service: its workload, such as api, the names of its cluster and service, and its log group, empty if not known."""

    workload: str
    cluster: str
    service: str
    log_group: str = ""


@dataclass(frozen=True)
class Finding:
    """A sentence about a service, and the last lines of the log that belong to it."""

    text: str
    log: tuple[str, ...] = ()


@dataclass
class Reader:
    """Read-only calls. ``client`` makes a boto3 client; ``denied`` are the permissions that the caller lacks, as they were found."""

    client: Callable[[str], Any]
    denied: list[str] = field(default_factory=list)

    def ask(self, api: str, operation: str, permission: str, /, **arguments: Any) -> Any:
        """The answer of a call; empty if the caller lacks the permission, or if the resource does not exist.

        Raises botocore's ClientError for another error.
        """
        if permission in self.denied:
            return {}
        try:
            return getattr(self.client(api), operation)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in DENIED:
                self.denied.append(permission)
            elif code not in GONE:
                raise
            return {}


def diagnose(
    reader: Reader, services: Iterable[ServiceLocation], since: datetime, *, history: bool
) -> list[Finding]:
    """What is wrong with services of one cluster since a time; empty if nothing is.

    With ``history`` also the deployments that ended badly, which a rollback has replaced.
    """
    known = {location.service: location for location in services}
    found: list[Finding] = []
    for cluster in sorted({location.cluster for location in known.values()}):
        names = [each.service for each in known.values() if each.cluster == cluster]
        described = reader.ask(
            *("ecs", "describe_services", "ecs:DescribeServices"), cluster=cluster, services=names
        )
        for service in described.get("services", ()):
            location = known[service["serviceName"]]
            found += _of_service(reader, location, service, since, history=history)
    return found


def _of_service(
    reader: Reader,
    location: ServiceLocation,
    service: Mapping[str, Any],
    since: datetime,
    *,
    history: bool,
) -> Iterator[Finding]:
    deployments = list(_deployments(location, service))
    ended = list(_ended_deployments(reader, location, since)) if history else []
    events = list(_events(location, service, since))
    yield from map(Finding, (*deployments, *ended, *events))
    if not (deployments or ended or events):
        return
    yield from map(Finding, _unhealthy_targets(reader, location, service))
    yield from _stopped_tasks(reader, location, since)


def _deployments(location: ServiceLocation, service: Mapping[str, Any]) -> Iterator[str]:
    """The deployments that have not reached their tasks, or whose tasks have failed."""
    if service["status"] != "ACTIVE":
        return
    breaker = service.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker") or {}
    threshold = breaker.get("thresholdConfiguration") or {}
    limit = threshold.get("value") if threshold.get("type") == "COUNT" else None
    for deployment in service["deployments"]:
        running, desired = deployment["runningCount"], deployment["desiredCount"]
        failed = deployment.get("failedTasks", 0)
        is_failed = deployment.get("rolloutState") == "FAILED"
        waits = deployment["status"] == "PRIMARY" and running < desired
        if not (failed or is_failed or waits):
            continue
        text = f"{location.workload}: {running} of {desired} tasks run"
        if deployment["pendingCount"]:
            text += f", {deployment['pendingCount']} are starting"
        if failed or is_failed:
            text += f"; {_failed_tasks(failed, limit)}"
        if is_failed:
            text += f"; it has failed: {deployment.get('rolloutStateReason', '')}"
        yield _sentence(text)


def _failed_tasks(failed: int, limit: int | None) -> str:
    tasks = "1 failed task" if failed == 1 else f"{failed} failed tasks"
    return f"{tasks}, and {limit} end the deployment" if limit else tasks


def _ended_deployments(reader: Reader, location: ServiceLocation, since: datetime) -> Iterator[str]:
    """The deployments since a time that ECS stopped or rolled back."""
    listed = reader.ask(
        *("ecs", "list_service_deployments", "ecs:ListServiceDeployments"),
        cluster=location.cluster,
        service=location.service,
        createdAt={"after": since},
    )
    arns = [
        each["serviceDeploymentArn"]
        for each in listed.get("serviceDeployments", ())
        if each["status"] not in _ENDED_WELL
    ]
    if not arns:
        return
    described = reader.ask(
        *("ecs", "describe_service_deployments", "ecs:DescribeServiceDeployments"),
        serviceDeploymentArns=arns[:MOST_EVENTS],
    )
    for each in described.get("serviceDeployments", ()):
        text = f"{location.workload}: the deployment of {_time(each['createdAt'])} ended in {each['status']}"
        breaker = each.get("deploymentCircuitBreaker") or {}
        if breaker.get("failureCount"):
            text += f"; {_failed_tasks(breaker['failureCount'], breaker.get('threshold'))}"
        if alarms := (each.get("alarms") or {}).get("triggeredAlarmNames"):
            text += f"; alarms: {', '.join(alarms)}"
        if each.get("statusReason"):
            text += f": {each['statusReason']}"
        yield _sentence(text)


def _events(
    location: ServiceLocation, service: Mapping[str, Any], since: datetime
) -> Iterator[str]:
    """The newest different events since a time that name a problem."""
    shown: list[str] = []
    for event in service.get("events", ()):
        message = _SUBJECT.sub("", event["message"])
        if event["createdAt"] < since or not _TROUBLE.search(message) or message in shown:
            continue
        if len(shown) == MOST_EVENTS:
            return
        shown.append(message)
        advice = ""
        if "apacity is unavailable" in message and _uses_spot(service):
            advice = " The service uses Fargate Spot: wait for capacity, or change WorkerCapacity."
        yield f"{location.workload}: ECS: {_sentence(message)}{advice}"


def _uses_spot(service: Mapping[str, Any]) -> bool:
    strategy = service.get("capacityProviderStrategy") or ()
    return any(item["capacityProvider"] == SPOT for item in strategy)


def _unhealthy_targets(
    reader: Reader, location: ServiceLocation, service: Mapping[str, Any]
) -> Iterator[str]:
    """The targets that fail their health checks, with the status that they answer."""
    for balancer in service.get("loadBalancers") or ():
        described = reader.ask(
            *("elbv2", "describe_target_health", "elasticloadbalancing:DescribeTargetHealth"),
            TargetGroupArn=balancer["targetGroupArn"],
        )
        targets: dict[str, list[str]] = defaultdict(list)
        for each in described.get("TargetHealthDescriptions", ()):
            health, target = each["TargetHealth"], each["Target"]
            if health["State"] not in {"unhealthy", "unavailable"}:
                continue
            reason = f"{health.get('Description', health['State'])} ({health.get('Reason', '')})"
            targets[reason].append(f"{target['Id']}:{target['Port']}")
        for reason, addresses in targets.items():
            yield f"{location.workload}: unhealthy targets {', '.join(addresses)}: {_sentence(reason)}"


def _stopped_tasks(reader: Reader, location: ServiceLocation, since: datetime) -> Iterator[Finding]:
    """The tasks that stopped since a time without being asked to: by reason, each with the newest task's log."""
    listed = reader.ask(
        *("ecs", "list_tasks", "ecs:ListTasks"),
        cluster=location.cluster,
        serviceName=location.service,
        desiredStatus="STOPPED",
    )
    if not listed.get("taskArns"):
        return
    described = reader.ask(
        *("ecs", "describe_tasks", "ecs:DescribeTasks"),
        cluster=location.cluster,
        tasks=listed["taskArns"],
    )
    by_reason: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for task in described.get("tasks", ()):
        stopped = task.get("stoppedAt") or task.get("stoppingAt")
        if stopped and stopped >= since and not _was_intended(task):
            by_reason[_why_stopped(task)].append(task)
    for reason, tasks in by_reason.items():
        newest = max(tasks, key=lambda task: task.get("stoppedAt") or task["stoppingAt"])
        count = f"{len(tasks)} tasks" if len(tasks) > 1 else "1 task"
        at = _time(newest.get("stoppedAt") or newest["stoppingAt"])
        yield Finding(
            f"{location.workload}: {count} stopped, the last one at {at}: {_sentence(reason)}",
            last_lines(reader, location, newest),
        )


def _was_intended(task: Mapping[str, Any]) -> bool:
    reason = task.get("stoppedReason", "")
    return task.get("stopCode") == "UserInitiated" or reason.startswith(_SCALED_IN)


def _why_stopped(task: Mapping[str, Any]) -> str:
    """The reason of ECS for a stopped task, and the exit codes of its containers."""
    parts = [
        str(task.get("stoppedReason") or task.get("stopCode") or "no reason given").rstrip(".")
    ]
    for container in task.get("containers", ()):
        if container.get("reason"):
            parts.append(f"container {container['name']}: {container['reason'].rstrip('.')}")
        if container.get("exitCode") is not None:
            parts.append(f"container {container['name']} exited with {container['exitCode']}")
    return "; ".join(parts)


def last_lines(
    reader: Reader, location: ServiceLocation, task: Mapping[str, Any]
) -> tuple[str, ...]:
    """The last log lines of a stopped task; none without its log group. awslogs names the stream PREFIX/CONTAINER/TASK.

    FilterLogEvents, because a policy can limit it to the log groups of some environments. It lists the oldest line first: the
    last minute is read, and the whole log if that minute has none.
    """
    if not location.log_group:
        return ()
    name, identity = location.workload, task["taskArn"].rpartition("/")[2]
    ended = task.get("stoppingAt") or task["stoppedAt"]
    for start in (ended - LAST_MINUTE, task["createdAt"]):
        messages: list[str] = []
        position: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            page = reader.ask(
                *("logs", "filter_log_events", "logs:FilterLogEvents"),
                logGroupName=location.log_group,
                logStreamNames=[f"{name}/{name}/{identity}"],
                startTime=int(start.timestamp() * 1000),
                **position,
            )
            messages += [event["message"] for event in page.get("events", ())]
            if not page.get("nextToken"):
                break
            position = {"nextToken": page["nextToken"]}
        if messages:
            return tuple(message.rstrip()[:LINE_LENGTH] for message in messages[-LOG_LINES:])
    return ()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def _sentence(text: str) -> str:
    named = _TARGET_GROUP.sub(r"\1", text)
    return f"{' '.join(named.split()).rstrip('.:;')}."
