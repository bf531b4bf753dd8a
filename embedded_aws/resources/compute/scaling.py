"""Application Auto Scaling: scalable targets and scaling policies."""

from embedded_aws.bridge.registry import Created, Properties, ignoring, register
from embedded_aws.bridge.service_calls import call

_SERVICE = "application-autoscaling"
_TARGET = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def install() -> None:
    """Register the types of this module."""
    register(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        create=_register_target,
        update=_update_target,
        delete=_deregister_target,
    )
    register(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        create=_put_policy,
        update=_update_policy,
        delete=_delete_policy,
    )


def _register_target(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    settings = {
        name: properties.get(name)
        for name in (*_TARGET, "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState")
    }
    call(_SERVICE, "RegisterScalableTarget", **settings)
    for action in properties.get("ScheduledActions") or []:
        target = {name: properties[name] for name in _TARGET}
        call(_SERVICE, "PutScheduledAction", **target, **action)
    target_id = "|".join(properties[name] for name in _TARGET)
    return target_id, {"Id": target_id}


def _update_target(
    _physical_id: str, _old: Properties, new: Properties, stack_name: str
) -> Created:
    return _register_target("", new, stack_name)


def _deregister_target(physical_id: str, _properties: Properties) -> None:
    with ignoring("ObjectNotFoundException"):
        call(_SERVICE, "DeregisterScalableTarget", **_named(physical_id))


def _named(target_id: str) -> dict[str, str]:
    return dict(zip(_TARGET, target_id.split("|"), strict=True))


def _target_of(properties: Properties) -> dict[str, str]:
    if "ScalingTargetId" in properties:
        return _named(properties["ScalingTargetId"])
    return {name: properties[name] for name in _TARGET}


def _put_policy(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    settings = {
        name: properties.get(name)
        for name in (
            "PolicyName",
            "PolicyType",
            "TargetTrackingScalingPolicyConfiguration",
            "StepScalingPolicyConfiguration",
            "PredictiveScalingPolicyConfiguration",
        )
    }
    arn = call(_SERVICE, "PutScalingPolicy", **_target_of(properties), **settings)["PolicyARN"]
    return arn, {"Arn": arn}


def _update_policy(
    _physical_id: str, _old: Properties, new: Properties, stack_name: str
) -> Created:
    return _put_policy("", new, stack_name)


def _delete_policy(_physical_id: str, properties: Properties) -> None:
    with ignoring("ObjectNotFoundException"):
        name = properties["PolicyName"]
        call(_SERVICE, "DeleteScalingPolicy", PolicyName=name, **_target_of(properties))
