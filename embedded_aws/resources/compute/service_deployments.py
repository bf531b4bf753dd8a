"""ListServiceDeployments and DescribeServiceDeployments, and times of ECS in milliseconds.

ministack has stubs of both, which answer with nothing, and cuts every time to a whole second. The operations have the deployments that failed; AWS keeps all of the last 90 days.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from embedded_aws.bridge import functions, tables

_KEPT = "_service_deployments"
# The members of a ServiceDeploymentBrief.
_BRIEF = (
    *("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt"),
    *("status", "statusReason"),
)


def install() -> None:
    """Answer both operations, and keep the milliseconds."""
    functions.ecs_epoch.replace(_epoch)
    tables.ECS_ACTIONS["ListServiceDeployments"] = _list
    tables.ECS_ACTIONS["DescribeServiceDeployments"] = _describe


def _epoch(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        # A number, or the empty text of a time that does not exist.
        return value


def keep(service: dict[str, Any], deployment: Mapping[str, Any]) -> None:
    """Keep a deployment of a service, as DescribeServiceDeployments has it; the newest is the first."""
    service.setdefault(_KEPT, []).insert(0, deployment)


def _list(request: Mapping[str, Any]) -> Any:
    name = str(request["service"]).rpartition("/")[2]
    cluster = str(request.get("cluster", "default")).rpartition("/")[2]
    after = (request.get("createdAt") or {}).get("after") or 0
    found = [
        {key: each[key] for key in _BRIEF}
        for each in _all()
        if each["serviceArn"].endswith(f":service/{cluster}/{name}") and each["createdAt"] >= after
    ]
    return functions.json_answer({"serviceDeployments": found})


def _describe(request: Mapping[str, Any]) -> Any:
    wanted = set(request["serviceDeploymentArns"])
    found = [each for each in _all() if each["serviceDeploymentArn"] in wanted]
    return functions.json_answer({"serviceDeployments": found, "failures": []})


def _all() -> Iterator[Mapping[str, Any]]:
    for service in tables.ECS_SERVICES.values():
        yield from service.get(_KEPT, [])
