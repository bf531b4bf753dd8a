"""One-off tasks: a command in a task of an environment's image, on demand, in the network of a service."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.errors import PipelineError
from pipeline.stacks.diagnosis.logs import polling_interval
from pipeline.stacks.diagnosis.resources import compute_resources, service_locations
from pipeline.stacks.reading import values_of
from templates_src.compute.capacity import FARGATE
from templates_src.compute.repository import IMAGE_TAG
from templates_src.functions.service_diagnosis import DENIED, ServiceLocation

# The driver awslogs sends the last lines some seconds after the end; so many reads without a line end the log.
QUIET_READS = 3
STARTED_BY = "build.py"

Show = Callable[[str], None]


class TaskNotStartedError(PipelineError):
    """The command did not run. The exit status is that of `docker run` for it, which few commands have."""

    exit_status = 125


class FollowingStoppedError(PipelineError):
    """Ctrl-C ended the output of a task that goes on."""

    exit_status = 130


@dataclass(frozen=True)
class OneOffTask:
    """A started task; ``service`` is the service whose task definition, network and log it has."""

    service: ServiceLocation
    arn: str
    task_definition: str

    @property
    def id(self) -> str:
        """Its ID."""
        return self.arn.rpartition("/")[2]


def start_task(
    aws: Aws, stack: Mapping[str, Any], workload: str, command: Sequence[str]
) -> OneOffTask:
    """Start a command in a task with the image, the variables, the roles and the network of a service.

    The task runs on demand: a Spot interruption would end it. Raises TaskNotStartedError.
    """
    name = stack["StackName"]
    if not values_of(stack).get(IMAGE_TAG.name):
        raise TaskNotStartedError(
            f"{name} runs the placeholder image; push an image, and set {IMAGE_TAG.name} first."
        )
    try:
        service = _service_of(aws, stack, workload)
        with aws_errors(f"start a task of {name}"):
            return _run(aws, service, command)
    except TaskNotStartedError:
        raise
    except PipelineError as error:
        raise TaskNotStartedError(str(error)) from error


def _service_of(aws: Aws, stack: Mapping[str, Any], workload: str) -> ServiceLocation:
    resources = compute_resources(aws, stack["StackId"])
    existing = {name: each.physical_id for name, each in resources.items() if each.exists}
    for location in service_locations(existing, existing):
        if location.workload == workload:
            return location
    raise TaskNotStartedError(
        f"{stack['StackName']} has no service {workload}; run `why` for the reason."
    )


def _run(aws: Aws, service: ServiceLocation, command: Sequence[str]) -> OneOffTask:
    ecs = aws.client("ecs")
    (described,) = ecs.describe_services(cluster=service.cluster, services=[service.service])[
        "services"
    ]
    answer = ecs.run_task(
        cluster=service.cluster,
        taskDefinition=described["taskDefinition"],
        capacityProviderStrategy=[{"capacityProvider": FARGATE, "weight": 1}],
        networkConfiguration=described["networkConfiguration"],
        overrides={"containerOverrides": [{"name": service.workload, "command": list(command)}]},
        startedBy=STARTED_BY,
        enableECSManagedTags=True,
        propagateTags="TASK_DEFINITION",
        # The SDK repeats the request if it misses the response.
        clientToken=str(uuid.uuid4()),
    )
    for failure in answer["failures"]:
        detail = f": {failure['detail']}" if failure.get("detail") else ""
        raise TaskNotStartedError(
            f"ECS did not start the task: {failure.get('reason', 'no reason given')}{detail}."
        )
    return OneOffTask(service, answer["tasks"][0]["taskArn"], described["taskDefinition"])


@dataclass
class _Log:
    """The stream of the task's container, from its beginning."""

    aws: Aws
    task: OneOffTask
    show: Show
    note: Show
    token: str = ""
    is_readable: bool = True

    def read(self) -> bool:
        """Show the new lines; returns whether there were any. A stream appears with its first line."""
        from botocore.exceptions import ClientError

        service, found = self.task.service, False
        while self.is_readable:
            position: dict[str, Any] = {"startFromHead": True}
            if self.token:
                position = {"nextToken": self.token}
            try:
                page = self.aws.client("logs").get_log_events(
                    logGroupName=service.log_group,
                    logStreamName=f"{service.workload}/{service.workload}/{self.task.id}",
                    **position,
                )
            except ClientError as error:
                if code_of(error) in DENIED:
                    self.is_readable = False
                    self.note(
                        "The log is not shown, because these credentials lack logs:GetLogEvents."
                    )
                elif code_of(error) != "ResourceNotFoundException":
                    raise
                return found
            for event in page["events"]:
                found = True
                self.show(event["message"].rstrip("\n"))
            if page["nextForwardToken"] == self.token or not page["events"]:
                return found
            self.token = page["nextForwardToken"]
        return found


def follow_task(
    aws: Aws,
    task: OneOffTask,
    show: Show,
    note: Show,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Show the log of a task until it stops, and return the exit code of its container.

    Raises TaskNotStartedError for a container that did not start, PipelineError for an error of AWS.
    """
    interval = polling_interval(aws)
    log = _Log(aws, task, show, note)
    with aws_errors(f"follow task {task.id}"):
        while True:
            described = aws.client("ecs").describe_tasks(
                cluster=task.service.cluster, tasks=[task.arn]
            )["tasks"]
            log.read()
            if not described or described[0]["lastStatus"] == "STOPPED":
                break
            wait(interval)
        quiet = 0
        while log.is_readable and quiet < QUIET_READS and _has_started(described):
            wait(interval)
            quiet = 0 if log.read() else quiet + 1
    return _exit_code(task, described)


def _has_started(described: Sequence[Mapping[str, Any]]) -> bool:
    return bool(described) and "exitCode" in described[0]["containers"][0]


def _exit_code(task: OneOffTask, described: Sequence[Mapping[str, Any]]) -> int:
    if not described:
        raise TaskNotStartedError(f"ECS does not know task {task.id} any more.")
    container = described[0]["containers"][0]
    if _has_started(described):
        return int(container["exitCode"])
    reasons = dict.fromkeys(
        reason.rstrip(".")
        for reason in (described[0].get("stoppedReason"), container.get("reason"))
        if reason
    )
    raise TaskNotStartedError(
        f"Task {task.id} did not start: {'; '.join(reasons) or 'ECS gives no reason'}."
    )


def still_running(aws: Aws, task: OneOffTask, follow: str) -> FollowingStoppedError:
    """What Ctrl-C leaves, and how to stop the task or to follow it again."""
    stop = (
        f"aws ecs stop-task --region {aws.region} --cluster {task.service.cluster} --task {task.id}"
    )
    return FollowingStoppedError(
        f"Task {task.id} continues; stop it with `{stop}`, or follow its log with `{follow}`."
    )
