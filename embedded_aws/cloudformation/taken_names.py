"""Refuse a name that another resource has, where ministack's handlers would take the other over.

Queues, topics and log groups are often named by hand or made by a service first, so this is a
failure that a rehearsal should find.
"""

from collections.abc import Callable, Iterable
from typing import Any

from ministack.services import (
    alb,
    cloudwatch,
    cloudwatch_logs,
    ecr,
    iam,
    kms,
    lambda_svc,
    rds,
    sns,
    sqs,
    ssm,
)
from ministack.services.cloudformation import provisioners

from embedded_aws.bridge.registry import Create, Created, Properties

Names = Callable[[], Iterable[Any]]


def install() -> None:
    """Look for the name before a named resource is created."""
    for resource_type, (name_property, names) in _TAKEN.items():
        handler = provisioners._RESOURCE_HANDLERS[resource_type]
        handler["create"] = _unless_taken(resource_type, name_property, names, handler["create"])


def _unless_taken(resource_type: str, name_property: str, names: Names, create: Create) -> Create:
    def guarded(logical_id: str, properties: Properties, stack_name: str) -> Created:
        name = properties.get(name_property)
        if name and name in names():
            # CloudFormation's words for an AlreadyExists error of any type.
            raise ValueError(
                f"Resource of type '{resource_type}' with identifier '{name}' already exists."
            )
        return create(logical_id, properties, stack_name)

    return guarded


def _alarms() -> set[str]:
    return {*cloudwatch._alarms, *cloudwatch._composite_alarms}


def _last_part(arns: Iterable[str]) -> set[str]:
    return {arn.rsplit(":", 1)[-1] for arn in arns}


_TAKEN: dict[str, tuple[str, Names]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", _alarms),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", _alarms),
    "AWS::CloudWatch::Dashboard": ("DashboardName", lambda: cloudwatch._dashboards),
    "AWS::ECR::Repository": ("RepositoryName", lambda: ecr._repositories),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "Name",
        lambda: {balancer["LoadBalancerName"] for balancer in alb._lbs.values()},
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "Name",
        lambda: {group["TargetGroupName"] for group in alb._tgs.values()},
    ),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", lambda: iam._instance_profiles),
    "AWS::IAM::Role": ("RoleName", lambda: iam._roles),
    "AWS::KMS::Alias": ("AliasName", lambda: _last_part(kms._aliases)),
    "AWS::Lambda::Function": ("FunctionName", lambda: lambda_svc._functions),
    "AWS::Logs::LogGroup": ("LogGroupName", lambda: cloudwatch_logs._log_groups),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier", lambda: rds._instances),
    "AWS::RDS::DBParameterGroup": ("DBParameterGroupName", lambda: rds._param_groups),
    "AWS::RDS::DBSubnetGroup": ("DBSubnetGroupName", lambda: rds._subnet_groups),
    "AWS::SNS::Topic": ("TopicName", lambda: _last_part(sns._topics)),
    "AWS::SQS::Queue": ("QueueName", lambda: sqs._queue_name_to_url),
    "AWS::SSM::Parameter": ("Name", lambda: ssm._parameters),
}
