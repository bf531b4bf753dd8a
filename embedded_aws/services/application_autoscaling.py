"""Application Auto Scaling: scalable targets, scaling policies, scheduled actions."""

import time
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid

from embedded_aws.services.records import (
    RecordService,
    Request,
    ServiceError,
    by_target,
    new_store,
    plug_in,
)

_targets = new_store()
_policies = new_store()
_actions = new_store()


def install() -> None:
    """Add the service to ministack."""
    operations = {
        "RegisterScalableTarget": _register,
        "DeregisterScalableTarget": _deregister,
        "DescribeScalableTargets": _describe_targets,
        "PutScalingPolicy": _put_policy,
        "DeleteScalingPolicy": _delete_policy,
        "DescribeScalingPolicies": _describe_policies,
        "PutScheduledAction": _put_action,
        "DeleteScheduledAction": _delete_action,
        "DescribeScheduledActions": _describe_actions,
        "DescribeScalingActivities": lambda _request: {"ScalingActivities": []},
    }
    stores = {"targets": _targets, "policies": _policies, "actions": _actions}
    service = RecordService("Application Auto Scaling", by_target(operations), stores)
    plug_in("application-autoscaling", service, target="AnyScaleFrontendService")


def _key(request: Request, *more: str) -> str:
    names = ("ServiceNamespace", "ResourceId", "ScalableDimension", *more)
    return "|".join(str(request[name]) for name in names)


def _register(request: Request) -> dict[str, Any]:
    known = _targets.get(_key(request))
    if known is None and not {"MinCapacity", "MaxCapacity"} <= request.keys():
        raise ServiceError(
            "ValidationException", "MinCapacity and MaxCapacity are required for a new target"
        )
    target = {**(known or _new_target(request)), **request}
    if target["MinCapacity"] > target["MaxCapacity"]:
        raise ServiceError(
            "ValidationException", "Maximum capacity cannot be less than minimum capacity"
        )
    _targets[_key(request)] = target
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _new_target(request: Request) -> dict[str, Any]:
    place = f"{get_region()}:{get_account_id()}"
    role = (
        f"arn:aws:iam::{get_account_id()}:role/aws-service-role/"
        f"{request['ServiceNamespace']}.application-autoscaling.amazonaws.com/"
        f"AWSServiceRoleForApplicationAutoScaling_{request['ServiceNamespace'].upper()}Service"
    )
    return {
        "ScalableTargetARN": (
            f"arn:aws:application-autoscaling:{place}:scalable-target/{new_uuid()[:32]}"
        ),
        "RoleARN": role,
        "CreationTime": time.time(),
    }


def _deregister(request: Request) -> dict[str, Any]:
    if _targets.pop(_key(request), None) is None:
        raise ServiceError(
            "ObjectNotFoundException", f"No scalable target found for {_key(request)}"
        )
    for store in (_policies, _actions):
        for key in [key for key in store if key.startswith(f"{_key(request)}|")]:
            del store[key]
    return {}


def _put_policy(request: Request) -> dict[str, Any]:
    _require_target(request)
    key = _key(request, "PolicyName")
    place = f"{get_region()}:{get_account_id()}"
    arn = (
        f"arn:aws:autoscaling:{place}:scalingPolicy:{new_uuid()}:resource/"
        f"{request['ServiceNamespace']}/{request['ResourceId']}:policyName/{request['PolicyName']}"
    )
    known = _policies.get(key, {"PolicyARN": arn, "CreationTime": time.time()})
    _policies[key] = {
        "PolicyType": "StepScaling",
        "PolicyARN": known["PolicyARN"],
        "CreationTime": known["CreationTime"],
        "Alarms": [],
        **request,
    }
    return {"PolicyARN": known["PolicyARN"], "Alarms": []}


def _require_target(request: Request) -> None:
    if _key(request) not in _targets:
        raise ServiceError(
            "ObjectNotFoundException", f"No scalable target registered for {_key(request)}"
        )


def _delete_policy(request: Request) -> dict[str, Any]:
    if _policies.pop(_key(request, "PolicyName"), None) is None:
        raise ServiceError("ObjectNotFoundException", f"No scaling policy {request['PolicyName']}")
    return {}


def _put_action(request: Request) -> dict[str, Any]:
    _require_target(request)
    place = f"{get_region()}:{get_account_id()}"
    key = _key(request, "ScheduledActionName")
    arn = f"arn:aws:autoscaling:{place}:scheduledAction:{new_uuid()}"
    known = _actions.get(key, {"ScheduledActionARN": arn, "CreationTime": time.time()})
    _actions[key] = {**known, **request}
    return {}


def _delete_action(request: Request) -> dict[str, Any]:
    if _actions.pop(_key(request, "ScheduledActionName"), None) is None:
        name = request["ScheduledActionName"]
        raise ServiceError("ObjectNotFoundException", f"No scheduled action {name}")
    return {}


def _describe_targets(request: Request) -> dict[str, Any]:
    wanted = request.get("ResourceIds")
    found = _matching(_targets, request)
    return {"ScalableTargets": [t for t in found if not wanted or t["ResourceId"] in wanted]}


def _describe_policies(request: Request) -> dict[str, Any]:
    wanted = request.get("PolicyNames")
    found = _matching(_policies, request)
    return {"ScalingPolicies": [p for p in found if not wanted or p["PolicyName"] in wanted]}


def _describe_actions(request: Request) -> dict[str, Any]:
    return {"ScheduledActions": _matching(_actions, request)}


def _matching(store: Any, request: Request) -> list[dict[str, Any]]:
    names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    return [
        record
        for record in store.values()
        if all(record[name] == request[name] for name in names if name in request)
    ]
