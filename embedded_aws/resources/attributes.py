"""Values of Ref and Fn::GetAtt that ministack's handlers leave out."""

import os
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Created, Properties
from embedded_aws.settings import DATABASE_VARIABLE

# (physical id, properties, attributes from the handler) -> attributes to add.
Addition = Callable[[str, Properties, dict[str, Any]], dict[str, Any]]


def install() -> None:
    """Add the attributes to creations and updates."""
    for resource_type, addition in _ADDITIONS.items():
        handler = tables.RESOURCE_HANDLERS[resource_type]
        for action, position in (("create", 1), ("update", 2)):
            if action in handler:
                handler[action] = _with_addition(handler[action], position, addition)


def _with_addition(
    handle: Callable[..., Created], position: int, addition: Addition
) -> Callable[..., Created]:
    def complete(*arguments: Any) -> Created:
        physical_id, attributes = handle(*arguments)
        added = addition(physical_id, arguments[position], attributes)
        return physical_id, {**attributes, **added}

    return complete


def _vpc(_physical_id: str, properties: Properties, _known: dict[str, Any]) -> dict[str, Any]:
    return {"CidrBlock": properties.get("CidrBlock", ""), "Ipv6CidrBlocks": []}


def _bucket(physical_id: str, _properties: Properties, _known: dict[str, Any]) -> dict[str, Any]:
    return {"DualStackDomainName": f"{physical_id}.s3.dualstack.{get_region()}.amazonaws.com"}


def _id(physical_id: str, _properties: Properties, _known: dict[str, Any]) -> dict[str, Any]:
    return {"Id": physical_id}


def _target_group(
    physical_id: str, _properties: Properties, _known: dict[str, Any]
) -> dict[str, Any]:
    # ministack leaves the first word out: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
    # aws-resource-elasticloadbalancingv2-targetgroup.html gives targetgroup/my-target-group/cbf133c568e0d028.
    full_name = physical_id.partition(":targetgroup/")[2]
    return {"LoadBalancerArns": [], "TargetGroupFullName": f"targetgroup/{full_name}"}


def _web_acl(physical_id: str, _properties: Properties, _known: dict[str, Any]) -> dict[str, Any]:
    name, acl, _ = physical_id.split("|")
    return {
        "Capacity": (tables.WEB_ACLS.get(acl) or {}).get("Capacity", 0),
        "LabelNamespace": f"awswaf:{get_account_id()}:webacl:{name}:",
    }


def _database(physical_id: str, properties: Properties, _known: dict[str, Any]) -> dict[str, Any]:
    record = tables.DATABASES[physical_id]
    # DescribeDBInstances reports it; ministack's handler drops it.
    if "EnableCloudwatchLogsExports" in properties:
        record["EnabledCloudwatchLogsExports"] = list(properties["EnableCloudwatchLogsExports"])
    real, _, port = os.environ.get(DATABASE_VARIABLE, "").rpartition(":")
    if real:
        record["Endpoint"].update(Address=real, Port=int(port))
    return {
        "Endpoint.Address": record["Endpoint"]["Address"],
        "Endpoint.Port": str(record["Endpoint"]["Port"]),
        "Endpoint.HostedZoneId": record["Endpoint"]["HostedZoneId"],
        "DBInstanceStatus": record["DBInstanceStatus"],
    }


def _function(physical_id: str, properties: Properties, _known: dict[str, Any]) -> dict[str, Any]:
    # ministack's handler drops it; its Lambda API has it.
    settings = tables.LAMBDA_FUNCTIONS[physical_id]["config"]
    settings["VpcConfig"] = functions.vpc_config_with_id(properties.get("VpcConfig"))
    return {}


def _replication_group(
    physical_id: str, properties: Properties, _known: dict[str, Any]
) -> dict[str, Any]:
    record = tables.REPLICATION_GROUPS[physical_id]
    port = int(properties.get("Port") or 6379)
    for group in record.get("NodeGroups") or []:
        group["PrimaryEndpoint"] = {
            "Address": cache_address(f"master.{physical_id}.embedded"),
            "Port": port,
        }
        group["ReaderEndpoint"] = {
            "Address": cache_address(f"replica.{physical_id}.embedded"),
            "Port": port,
        }
    attributes: dict[str, Any] = functions.replication_group_attributes(physical_id)
    return attributes


def cache_address(prefix: str) -> str:
    """Return an ElastiCache host name in this region, such as PREFIX.eun1.cache.amazonaws.com."""
    area, *middle, number = get_region().split("-")
    directions = {"southeast": "se", "southwest": "sw", "northeast": "ne", "northwest": "nw"}
    code = area + "".join(directions.get(part, part[:1]) for part in middle) + number
    return f"{prefix}.{code}.cache.amazonaws.com"


_ADDITIONS: dict[str, Addition] = {
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::SecurityGroup": _id,
    "AWS::EC2::SubnetRouteTableAssociation": _id,
    "AWS::Lambda::Permission": _id,
    "AWS::SecretsManager::SecretTargetAttachment": _id,
    "AWS::S3::Bucket": _bucket,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::WAFv2::WebACL": _web_acl,
    "AWS::RDS::DBInstance": _database,
    "AWS::Lambda::Function": _function,
    "AWS::ElastiCache::ReplicationGroup": _replication_group,
}
