"""Custom resource: runs the migration of the image as one ECS task, and answers CloudFormation when the task has stopped.

Handler: ``functions.run_migration.handler.handler``. Needs no VPC. Memory 256 MB is ample.

Properties of the resource (``Custom::Migration``):

Cluster, TaskDefinition, SubnetIds, SecurityGroupIds
    What RunTask needs. The task runs on demand on Fargate, without a public IP.
LogGroup
    The log group of the task definition's container.
RunsFor
    A list of the image and the command. An Update starts a task only if one of them changes: a new task definition alone is no
    new migration.

Environment: WAIT_SECONDS is how long a migration may take. It is less than the resource's ServiceTimeout, for which 3,600 is
CloudFormation's maximum.

Create and Update start the task and wait until it has stopped. Each request starts at most one task, because its ID is the
client token of RunTask, and none while another task of the family runs. A task that takes longer than WAIT_SECONDS is stopped.

Lambda ends a function after 15 minutes. Before that, the function invokes itself asynchronously with the same event and the ARN
of the task under ``Migration``. So the response URL, which is a credential, is in no store, and there is no event that could
be lost: Lambda repeats an invocation that fails. An hour takes five invocations; Lambda stops a function that invokes itself 16
times in a row (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).

The rollback of an update starts nothing. It stops a task that still runs, because the update was cancelled, and so does Delete.
Both always succeed, so that a migration never blocks a rollback or a deletion.

Answers SUCCESS; FAILED with the exit code and the last log lines, or why ECS did not start the task (`reasons.py`).

Permissions: ``ecs:RunTask`` on the task definition's family, ``ecs:TagResource`` with it, ``iam:PassRole`` on the roles of the
task definition, ``ecs:ListTasks`` and ``ecs:DescribeTasks`` in the cluster, ``ecs:StopTask`` on tasks with the tag that this
function sets; ``logs:GetLogEvents`` on the log group; ``lambda:InvokeFunction`` on the function itself;
``cloudformation:DescribeStacks`` on the stack and its root; its own log group.
"""

import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from ..custom_resource import (
    AnswerLaterError,
    LambdaContext,
    ProvisioningError,
    Request,
    Result,
    serve,
)
from ..stack_status import is_rolled_back
from .reasons import last_lines, why_failed
from .tasks import Tasks, identity

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PHYSICAL_ID = "migration"
"""Always the same: another one would make CloudFormation send a Delete during an update."""

CONTINUED = "Migration"
"""The member of the event with which the function continues."""

HANDOVER_SECONDS = 30.0
"""How long before the end of its time the function invokes itself; it tries again until 5 seconds before."""

LONGEST_PAUSE_SECONDS = 10.0

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
)


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation, or continue it; see the module's docstring."""
    serve(event, context, lambda request: provision(request, event), PHYSICAL_ID)


def provision(request: Request, event: Mapping[str, Any]) -> Result:
    """Run the migration if the request asks for one. Raises ProvisioningError, or AnswerLaterError if another invocation goes on."""
    tasks = Tasks(boto3.client("ecs", config=CLIENT), request.properties)
    continued = event.get(CONTINUED)
    if isinstance(continued, Mapping):
        return _wait(request, event, tasks, str(continued["Task"]), float(continued["Until"]))
    if request.type == "Delete" or _is_rollback(request.stack_id):
        _stop_what_runs(tasks, request)
        return Result(PHYSICAL_ID)
    if request.type == "Update" and not _is_new(request):
        return Result(PHYSICAL_ID)
    until = time.time() + float(os.environ["WAIT_SECONDS"])
    tasks.require_none_but(request.id)
    return _wait(request, event, tasks, tasks.start(request.id, request.deadline), until)


def _is_new(request: Request) -> bool:
    return bool(request.properties.get("RunsFor") != request.old_properties.get("RunsFor"))


def _is_rollback(stack_id: str) -> bool:
    """Whether this is a rollback. An unknown status stops the update, before it changes services."""
    try:
        return is_rolled_back(stack_id)
    except (BotoCoreError, ClientError) as error:
        raise ProvisioningError(
            f"The status of the stack cannot be read, so no migration was started: {_code(error)}."
        ) from error


def _stop_what_runs(tasks: Tasks, request: Request) -> None:
    try:
        tasks.stop_all("The update of the environment ended.", request.deadline)
    except (ProvisioningError, BotoCoreError, ClientError) as error:
        LOGGER.warning("a migration may still run: %s", error)


def _wait(
    request: Request, event: Mapping[str, Any], tasks: Tasks, task: str, until: float
) -> Result:
    """The result once the task has stopped. Raises ProvisioningError if it failed or took too long."""
    LOGGER.info("waiting for task %s", identity(task))
    pause = 0.5
    while True:
        described = tasks.describe(task)
        if described and described["lastStatus"] == "STOPPED":
            break
        if time.time() >= until:
            _stop_late(tasks, task, request)
        if request.deadline.remaining() < HANDOVER_SECONDS:
            _hand_over(request, event, tasks, task, until)
        time.sleep(min(pause, request.deadline.remaining()))
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    reason = why_failed(described, request.properties, lambda: _lines(request, task))
    if reason:
        raise ProvisioningError(reason)
    return Result(PHYSICAL_ID)


def _stop_late(tasks: Tasks, task: str, request: Request) -> None:
    minutes = float(os.environ["WAIT_SECONDS"]) / 60
    tasks.stop_all("The migration took too long.", request.deadline)
    raise ProvisioningError(
        f"The migration did not end within {minutes:.0f} minutes and was stopped; no service was changed."
        f" Its log stream is {tasks.stream(task)}."
    )


def _hand_over(
    request: Request, event: Mapping[str, Any], tasks: Tasks, task: str, until: float
) -> None:
    """Continue in another invocation. Raises AnswerLaterError when Lambda has accepted it."""
    following = {**event, CONTINUED: {"Task": task, "Until": until}}
    try:
        boto3.client("lambda", config=CLIENT).invoke(
            FunctionName=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
            InvocationType="Event",
            Payload=json.dumps(following).encode(),
        )
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the function could not invoke itself: %s", _code(error))
        if request.deadline.remaining() > 5:
            return
        tasks.stop_all("The function that waits for it could not continue.", request.deadline)
        raise ProvisioningError(
            f"The migration was stopped, because the function could not invoke itself to wait for it: {_code(error)}."
        ) from error
    raise AnswerLaterError(f"another invocation waits for task {identity(task)}")


def _lines(request: Request, task: str) -> list[str]:
    logs = boto3.client("logs", config=CLIENT)
    group = request.properties["LogGroup"]
    return last_lines(logs, group, Tasks.stream(task), request.deadline)


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code") or type(error).__name__)
