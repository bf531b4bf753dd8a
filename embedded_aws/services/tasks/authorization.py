"""The resources and condition keys of ECS, against which the policies of a caller are evaluated.

ministack takes the cluster for the resource of every request that names one.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions

# The kind of resource of an action, and the member of the request that names it.
_RESOURCES = {
    "RunTask": ("task-definition", "taskDefinition"),
    "StopTask": ("task", "task"),
    "DescribeTasks": ("task", "tasks"),
    "ExecuteCommand": ("task", "task"),
    "UpdateTaskProtection": ("task", "tasks"),
    "GetTaskProtection": ("task", "tasks"),
    "DescribeServices": ("service", "services"),
    "ListServiceDeployments": ("service", "service"),
    "DescribeServiceDeployments": ("service-deployment", "serviceDeploymentArns"),
    "UpdateService": ("service", "service"),
    "ListTasks": ("container-instance", ""),
}
_IN_CLUSTER = ("task", "service", "container-instance")


def install() -> None:
    """Name the resources, and add ecs:cluster to the request's keys."""
    functions.request_resource.replace(_naming(functions.request_resource.current))
    functions.request_tags.replace(_with_cluster(functions.request_tags.current))


def _naming(extract: Callable[..., Any]) -> Callable[..., str]:
    def resource(service: str, *request: Any) -> str:
        found = str(extract(service, *request))
        if service != "ecs":
            return found
        *sent, region, account = request
        action = (functions.request_action(service, *sent) or "").removeprefix("ecs:")
        if action not in _RESOURCES:
            return found
        kind, member = _RESOURCES[action]
        body = _document(sent[-2])
        named = body.get(member) or "*"
        name = str(named[0] if isinstance(named, list) else named)
        if name.startswith("arn:"):
            return name
        if kind in _IN_CLUSTER:
            name = f"{_cluster(body)}/{name}"
        return f"arn:aws:ecs:{region}:{account}:{kind}/{name}"

    return resource


def _with_cluster(tags: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def request_context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        found = tags(service, action, body, parameters)
        if service != "ecs":
            return found
        cluster = (
            f"arn:aws:ecs:{get_region()}:{get_account_id()}:cluster/{_cluster(_document(body))}"
        )
        return {**found, "ecs:cluster": cluster}

    return request_context


def _cluster(body: dict[str, Any]) -> str:
    return str(body.get("cluster") or "default").rpartition("/")[2]


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
