"""Refuse a name that another resource has; ministack's handlers would take over the other resource.

Users name queues, topics and log groups, and services create log groups first, so a rehearsal must find this failure.
"""

from collections.abc import Callable, Iterable
from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Create, Created, Properties

Names = Callable[[], Iterable[Any]]


def install() -> None:
    """Look for the name before a named resource is created."""
    for resource_type, (name_property, names) in _TAKEN.items():
        handler = tables.RESOURCE_HANDLERS[resource_type]
        handler["create"] = _unless_taken(resource_type, name_property, names, handler["create"])


def _unless_taken(resource_type: str, name_property: str, names: Names, create: Create) -> Create:
    def guarded(logical_id: str, properties: Properties, stack_name: str) -> Created:
        name = properties.get(name_property)
        if name and name in names():
            # CloudFormation's text for an AlreadyExists error of any type.
            raise ValueError(
                f"Resource of type '{resource_type}' with identifier '{name}' already exists."
            )
        return create(logical_id, properties, stack_name)

    return guarded


def _alarms() -> set[str]:
    return {*tables.ALARMS, *tables.COMPOSITE_ALARMS}


def _last_part(arns: Iterable[str]) -> set[str]:
    return {arn.rsplit(":", 1)[-1] for arn in arns}


_TAKEN: dict[str, tuple[str, Names]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", _alarms),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", _alarms),
    "AWS::CloudWatch::Dashboard": ("DashboardName", lambda: tables.DASHBOARDS),
    "AWS::ECR::Repository": ("RepositoryName", lambda: tables.REPOSITORIES),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "Name",
        lambda: {balancer["LoadBalancerName"] for balancer in tables.LOAD_BALANCERS.values()},
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "Name",
        lambda: {group["TargetGroupName"] for group in tables.TARGET_GROUPS.values()},
    ),
    "AWS::IAM::InstanceProfile": ("InstanceProfileName", lambda: tables.INSTANCE_PROFILES),
    "AWS::IAM::Role": ("RoleName", lambda: tables.ROLES),
    "AWS::KMS::Alias": ("AliasName", lambda: _last_part(tables.KEY_ALIASES)),
    "AWS::Lambda::Function": ("FunctionName", lambda: tables.LAMBDA_FUNCTIONS),
    "AWS::Logs::LogGroup": ("LogGroupName", lambda: tables.LOG_GROUPS),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier", lambda: tables.DATABASES),
    "AWS::RDS::DBParameterGroup": (
        "DBParameterGroupName",
        lambda: tables.DATABASE_PARAMETER_GROUPS,
    ),
    "AWS::RDS::DBSubnetGroup": ("DBSubnetGroupName", lambda: tables.DATABASE_SUBNET_GROUPS),
    "AWS::SNS::Topic": ("TopicName", lambda: _last_part(tables.TOPICS)),
    "AWS::SQS::Queue": ("QueueName", lambda: tables.QUEUE_URLS),
    "AWS::SSM::Parameter": ("Name", lambda: tables.SSM_PARAMETERS),
}
