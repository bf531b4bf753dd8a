"""Refuse database classes, cache nodes and instance types that a region does not have.

Services have the same API in every region but different machines, so a template that fits its schemas fails in some regions.
The offers come from cfn-lint's lists; if these say nothing about a region or an engine, nothing is refused.
"""

from typing import Any

from embedded_aws.errors import ServiceCallError
from embedded_aws.schemas.provider_schemas import regional_extension

Properties = dict[str, Any]

_DATABASE_CLASSES = "aws_rds_dbinstance/dbinstanceclass_enum"
_CACHE_NODE_TYPES = "aws_elasticache_cachecluster/cachenodetype_enum"
_INSTANCE_TYPES = "aws_ec2_instance/instancetype_enum"


def refuse_missing(resource_type: str, properties: Properties, region: str) -> None:
    """Raise ServiceCallError with the service's message if the region lacks what a resource requests."""
    if resource_type == "AWS::RDS::DBInstance":
        _refuse_missing_database_class(properties, region)
    elif resource_type in ("AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::CacheCluster"):
        _refuse_missing_node_type(properties.get("CacheNodeType"), region)


def refuse_missing_instance_type(instance_type: str | None, region: str) -> None:
    """Raise ServiceCallError with Auto Scaling's message for an instance type that the region does not offer.

    The check is for groups and not for launch templates, whose values EC2 checks only at a launch:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-template-restrictions.html
    https://github.com/eksctl-io/eksctl/issues/1670 quotes the message.
    """
    offer = regional_extension(_INSTANCE_TYPES, region)
    if instance_type and offer and instance_type not in offer["enum"]:
        raise ServiceCallError(
            "autoscaling",
            "ValidationError",
            "You must use a valid fully-formed launch template. The requested configuration is"
            " currently not supported. Please check the documentation for supported"
            f" configurations. {_absence(instance_type, region)}",
        )


def _refuse_missing_database_class(properties: Properties, region: str) -> None:
    """https://github.com/aws-quickstart/quickstart-awx/issues/47 quotes the message."""
    wanted = properties.get("DBInstanceClass")
    offer = regional_extension(_DATABASE_CLASSES, region)
    if not wanted or not offer:
        return
    lists = [
        rule["then"]["properties"]["DBInstanceClass"]["enum"]
        for rule in offer["allOf"]
        if _is_about(rule["if"]["properties"], properties)
    ]
    # An engine has several price lists in a region; cfn-lint requires the class in each of them.
    if all(wanted in classes for classes in lists):
        return
    combination = [
        f"{name}={properties[name]}"
        for name in ("DBInstanceClass", "Engine", "EngineVersion", "LicenseModel")
        if name in properties
    ]
    raise ServiceCallError(
        "rds",
        "InvalidParameterCombination",
        "RDS does not support creating a DB instance with the following combination:"
        f" {', '.join(combination)}. For supported combinations of instance class and database"
        f" engine version, see the documentation. {_absence(wanted, region)}",
    )


def _is_about(condition: Properties, properties: Properties) -> bool:
    """Whether a list of classes is about the engine and licence of a database.

    A condition with the licence `False` is that of an engine with only one licence.
    """
    if condition["Engine"]["const"] != str(properties.get("Engine")).lower():
        return False
    licence = condition["LicenseModel"]
    return licence is False or bool(licence["const"] == properties.get("LicenseModel"))


def _refuse_missing_node_type(node_type: str | None, region: str) -> None:
    """Users of Terraform quote the message of CreateReplicationGroup."""
    offer = regional_extension(_CACHE_NODE_TYPES, region)
    if node_type and offer and node_type not in offer["enum"]:
        raise ServiceCallError(
            "elasticache",
            "InvalidParameterValue",
            f"Invalid Cache Node Type: {node_type}. {_absence(node_type, region)}",
        )


def _absence(wanted: str, region: str) -> str:
    """The reason, which the services leave out and a rehearsal of several regions needs."""
    return f"{wanted} is not offered in {region}."
