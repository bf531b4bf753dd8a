"""RunTask and StopTask with what ministack leaves out: refusals, iam:PassRole, client tokens, and the end of a task.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, json_response

from embedded_aws.bridge import functions, tables
from embedded_aws.services.records import ServiceError, new_store
from embedded_aws.services.tasks import runs
from embedded_aws.services.tasks.policies import allows

Record = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[Record], Answer]
_tokens = new_store()


def install() -> None:
    """Put the additions around ministack's actions. Its services start their tasks without them."""
    actions = tables.ECS_ACTIONS
    actions["RunTask"] = _answering(_starting(actions["RunTask"]))
    actions["StopTask"] = _answering(_stopping(actions["StopTask"]))


def _answering(action: Action) -> Action:
    def answer(request: Record) -> Answer:
        try:
            return action(request)
        except ServiceError as error:
            refused: Answer = error_response_json(error.code, str(error), error.status)
            return refused

    return answer


def _starting(action: Action) -> Action:
    def start(request: Record) -> Answer:
        definition = _definition(request)
        _check(request, definition)
        if known := _known(request):
            return known
        status, headers, body = action({"group": f"family:{definition['family']}", **request})
        if status >= 400:
            return status, headers, body
        overrides = (request.get("overrides") or {}).get("containerOverrides") or []
        answered = json.loads(body)
        records = [tables.TASKS[each["taskArn"]] for each in answered["tasks"]]
        for record in records:
            _provision(record, definition)
            functions.start_background(
                runs.run, record, definition, overrides, thread_name="embedded-task"
            )
        if request.get("clientToken"):
            _tokens[_token(request)] = {
                "request": request,
                "tasks": [each["taskArn"] for each in records],
            }
        return _answer(records)

    return start


def _provision(record: Record, definition: Record) -> None:
    """Return a task that ministack calls RUNNING to the start of its life."""
    record.update(lastStatus="PROVISIONING", startedAt=None, pullStartedAt=None, pullStoppedAt=None)
    record["_task_role"] = definition.get("taskRoleArn") or ""
    for container in record["containers"]:
        container["lastStatus"] = "PENDING"


def _answer(records: list[Record]) -> Answer:
    shown = [functions.shown_record(record) for record in records]
    answer: Answer = json_response({"tasks": shown, "failures": []})
    return answer


def _known(request: Record) -> Answer | None:
    """The tasks of an earlier request with the same client token."""
    earlier = _tokens.get(_token(request))
    if earlier is None:
        return None
    if earlier["request"] != request:
        raise ServiceError(
            "ConflictException", "The clientToken was used with other parameters in an earlier call"
        )
    return _answer([tables.TASKS[arn] for arn in earlier["tasks"] if arn in tables.TASKS])


def _token(request: Record) -> str:
    """The client token of a request in its cluster: another cluster has its own tokens."""
    cluster = functions.resolve_cluster_name(request.get("cluster", "default"))
    return f"{cluster}/{request.get('clientToken', '')}"


def _definition(request: Record) -> Record:
    if functions.resolve_cluster_name(request.get("cluster", "default")) not in tables.ECS_CLUSTERS:
        raise ServiceError("ClusterNotFoundException", "Cluster not found.")
    reference = request.get("taskDefinition", "")
    definition: Record | None = tables.TASK_DEFINITIONS.get(
        functions.resolve_task_definition(reference)
    )
    if definition is None:
        raise ServiceError("ClientException", f"Unable to find task definition: {reference}")
    if definition["status"] != "ACTIVE":
        raise ServiceError("ClientException", "TaskDefinition is inactive")
    return definition


def _check(request: Record, definition: Record) -> None:
    """Refuse what RunTask refuses."""
    network = (request.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if definition.get("networkMode") == "awsvpc" and not network.get("subnets"):
        raise ServiceError(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    containers = {each["name"] for each in definition["containerDefinitions"]}
    for override in (request.get("overrides") or {}).get("containerOverrides") or []:
        if override.get("name") not in containers:
            raise ServiceError(
                "InvalidParameterException",
                f"Override for container named {override.get('name')} is not a container in the TaskDefinition.",
            )
    for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")):
        if role:
            _require_pass_role(role)


def _require_pass_role(role: str) -> None:
    """RunTask passes the roles of the task definition to ECS, so that the caller needs iam:PassRole."""
    caller = iam_evaluator.caller_arn()
    if not allows(caller, "iam:PassRole", role, {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}):
        raise ServiceError(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: iam:PassRole on resource: {role} because no identity-based"
            " policy allows the iam:PassRole action",
        )


def _stopping(action: Action) -> Action:
    def stop(request: Record) -> Answer:
        cluster = functions.resolve_cluster_name(request.get("cluster", "default"))
        task = functions.resolve_task(request.get("task", ""), cluster)
        if not task or "_task_role" not in task or task["lastStatus"] == "STOPPED":
            return action(request)
        runs.request_stop(task, request.get("reason") or "Task stopped by user")
        answer: Answer = json_response({"task": functions.shown_record(task)})
        return answer

    return stop
