"""What IAM, ECR, RDS, ACM, load balancing, ECS and WAF do not delete while something uses it.

ministack's CloudFormation deletes it, or reports success and leaves it. The words are those of the APIs:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html (DeleteConflict)
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html (DeleteConflict)
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html (RepositoryNotEmptyException)
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSubnetGroup.html (InvalidDBSubnetGroupStateFault)
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBParameterGroup.html (InvalidDBParameterGroupState)
https://docs.aws.amazon.com/acm/latest/APIReference/API_DeleteCertificate.html (ResourceInUseException)
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html (ResourceInUse)
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html (ClusterContainsServicesException)
https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html (WAFAssociatedItemException)
"""

from typing import Any

from ministack.core.responses import get_account_id

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.cloudformation.deletion.protections import object_to


def install() -> None:
    """Refuse the deletion of what is in use."""
    object_to(
        {
            "AWS::IAM::Role": _role,
            "AWS::IAM::ManagedPolicy": _managed_policy,
            "AWS::ECR::Repository": _repository,
            "AWS::RDS::DBSubnetGroup": _database_subnet_group,
            "AWS::RDS::DBParameterGroup": _database_parameter_group,
            "AWS::ElastiCache::SubnetGroup": _cache_subnet_group,
            "AWS::CertificateManager::Certificate": _certificate,
            "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
            "AWS::ECS::Cluster": _cluster,
            "AWS::WAFv2::WebACL": _web_acl,
        }
    )


def _role(name: str, properties: Properties) -> str | None:
    """CloudFormation removes the policies of the template; other policies and instance profiles block the deletion."""
    role = tables.ROLES.get(name)
    if role is None:
        return None
    conflict = "(Service: Iam, Code: DeleteConflict)"
    attached = set(role.get("AttachedPolicies") or []) - set(
        properties.get("ManagedPolicyArns") or []
    )
    if attached:
        return f"Cannot delete entity, must detach all policies first. {conflict}"
    own = {policy["PolicyName"] for policy in properties.get("Policies") or []}
    if set(role.get("InlinePolicies") or {}) - own:
        return f"Cannot delete entity, must delete policies first. {conflict}"
    if any(
        name in map(_name_of, each.get("Roles") or []) for each in tables.INSTANCE_PROFILES.values()
    ):
        return f"Cannot delete entity, must remove roles from instance profile first. {conflict}"
    return None


def _name_of(role: Any) -> str:
    return str(role.get("RoleName")) if isinstance(role, dict) else str(role)


def _managed_policy(arn: str, properties: Properties) -> str | None:
    own = {
        *(properties.get("Roles") or []),
        *(properties.get("Users") or []),
        *(properties.get("Groups") or []),
    }
    for entities in (tables.ROLES, tables.USERS, tables.USER_GROUPS):
        for name, entity in entities.items():
            if name not in own and arn in (entity.get("AttachedPolicies") or []):
                return "Cannot delete a policy attached to entities. (Service: Iam, Code: DeleteConflict)"
    return None


def _repository(name: str, properties: Properties) -> str | None:
    empties = str(properties.get("EmptyOnDelete", False)).lower() == "true"
    if empties or not tables.IMAGES.get(name):
        return None
    return (
        f"The repository with name '{name}' in registry with id '{get_account_id()}' cannot be deleted because it still"
        " contains images (Service: Ecr, Code: RepositoryNotEmptyException)"
    )


def _database_subnet_group(name: str, _properties: Properties) -> str | None:
    users = [
        database["DBInstanceIdentifier"]
        for database in tables.DATABASES.values()
        if (database.get("DBSubnetGroup") or {}).get("DBSubnetGroupName") == name
    ]
    if not users:
        return None
    return (
        f"Cannot delete the subnet group '{name}' because at least one database instance: {users[0]} is still using it."
        " (Service: Rds, Code: InvalidDBSubnetGroupStateFault)"
    )


def _database_parameter_group(name: str, _properties: Properties) -> str | None:
    for database in tables.DATABASES.values():
        groups = database.get("DBParameterGroups") or []
        if any(group.get("DBParameterGroupName") == name for group in groups):
            return (
                f"One or more database instances are still members of this parameter group {name}, so the group cannot be"
                " deleted (Service: Rds, Code: InvalidDBParameterGroupState)"
            )
    return None


def _cache_subnet_group(name: str, _properties: Properties) -> str | None:
    users = [
        group
        for group, record in tables.REPLICATION_GROUPS.items()
        if record.get("CacheSubnetGroupName") == name
    ]
    if not users:
        return None
    return (
        f"Cache subnet group {name} is currently in use by a cache cluster."
        " (Service: ElastiCache, Code: CacheSubnetGroupInUse)"
    )


def _certificate(arn: str, _properties: Properties) -> str | None:
    users = sorted(
        listener["LoadBalancerArn"]
        for listener in tables.LISTENERS.values()
        if arn in str(listener.get("Certificates", ""))
    )
    if not users:
        return None
    return f"Certificate {arn} is in use. In use by: {', '.join(users)} (Service: Acm, Code: ResourceInUseException)"


def _target_group(arn: str, _properties: Properties) -> str | None:
    users = [*tables.LISTENERS.values(), *tables.LISTENER_RULES.values()]
    if not any(arn in str(each) for each in users):
        return None
    return (
        f"Target group '{arn}' is currently in use by a listener or a rule"
        " (Service: ElasticLoadBalancingV2, Code: ResourceInUse)"
    )


def _cluster(name: str, _properties: Properties) -> str | None:
    short = name.rsplit("/", 1)[-1]
    services = [
        service["serviceName"]
        for service in tables.ECS_SERVICES.values()
        if service.get("status") == "ACTIVE" and service["clusterArn"].rsplit("/", 1)[-1] == short
    ]
    if not services:
        return None
    return (
        "The Cluster cannot be deleted while Services are active."
        " (Service: AmazonECS, Code: ClusterContainsServicesException)"
    )


def _web_acl(physical_id: str, _properties: Properties) -> str | None:
    identity = physical_id.split("|")[1] if "|" in physical_id else physical_id
    if not any(identity in str(acl) for acl in tables.WEB_ACL_ASSOCIATIONS.values()):
        return None
    return (
        "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated"
        " with another resource. (Service: Wafv2, Code: WAFAssociatedItemException)"
    )
