"""Deletions that AWS refuses and ministack's CloudFormation carries out."""

from collections.abc import Callable, Mapping

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Delete, Properties

# (physical ID, properties) -> why the service does not delete the resource, or None.
Objection = Callable[[str, Properties], str | None]


def install() -> None:
    """Check each deletion first."""
    object_to(
        {
            "AWS::S3::Bucket": _holds_objects,
            "AWS::RDS::DBInstance": _database_is_protected,
            "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer_is_protected,
        }
    )


def object_to(objections: Mapping[str, Objection]) -> None:
    """Check deletions and final snapshots of these resource types first."""
    for resource_type, objection in objections.items():
        handler = tables.RESOURCE_HANDLERS[resource_type]
        # The final snapshot too: on AWS it is part of the deletion.
        for action in {"delete", "snapshot"} & handler.keys():
            handler[action] = _unless(objection, handler[action])


def _unless(objection: Objection, delete: Delete) -> Delete:
    def guarded(physical_id: str, properties: Properties) -> None:
        reason = objection(physical_id, properties)
        if reason:
            raise ValueError(reason)
        delete(physical_id, properties)

    return guarded


def _holds_objects(bucket: str, _properties: Properties) -> str | None:
    versions = [
        v for (name, _), kept in tables.OBJECT_VERSIONS.items() if name == bucket for v in kept
    ]
    if (tables.BUCKETS.get(bucket) or {}).get("objects") or versions:
        return (
            f"The bucket you tried to delete is not empty: {bucket}. You must delete all versions"
            " in the bucket. (Service: S3, Code: BucketNotEmpty)"
        )
    return None


def _database_is_protected(instance: str, _properties: Properties) -> str | None:
    if (tables.DATABASES.get(instance) or {}).get("DeletionProtection"):
        return (
            f"Cannot delete protected DB Instance {instance}, please disable deletion protection"
            " and try again. (Service: Rds, Code: InvalidParameterCombination)"
        )
    return None


def _balancer_is_protected(arn: str, _properties: Properties) -> str | None:
    attributes = {
        item["Key"]: item["Value"] for item in tables.LOAD_BALANCER_ATTRIBUTES.get(arn) or []
    }
    if str(attributes.get("deletion_protection.enabled")).lower() == "true":
        return (
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            " (Service: ElasticLoadBalancingV2, Code: OperationNotPermitted)"
        )
    return None
