"""Changes of a replication group that ElastiCache refuses: failover without a replica, and a lower engine version."""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.functions import Function
from embedded_aws.bridge.registry import Properties
from embedded_aws.cloudformation.properties import hook
from embedded_aws.errors import ServiceCallError

_GROUP = "AWS::ElastiCache::ReplicationGroup"
_SERVICE = "ElastiCache"
Request = Mapping[str, Any]


def install() -> None:
    """Check the three calls that concern replicas, and the order in which CloudFormation makes them."""
    _check(functions.create_replication_group, refuse_creation)
    _check(functions.modify_replication_group, refuse_modification)
    _check(functions.decrease_replica_count, refuse_removal)
    hook.add(_check_update)


def _check_update(operation: hook.Operation) -> None:
    if operation.resource_type == _GROUP and operation.physical_id and not operation.rolls_back:
        refuse_last_replica(operation.physical_id, operation.properties)


def _check(function: Function, refuse: Callable[[Request], None]) -> None:
    """Make a call of the service answer with the error that its check raises."""
    answer = function.current

    def checked(request: Request) -> Any:
        try:
            refuse(request)
        except ServiceCallError as problem:
            return functions.cache_error(problem.code, problem.message, 400)
        return answer(request)

    function.replace(checked)


def refuse_creation(request: Request) -> None:
    """Raise ServiceCallError for a group of one node that should fail over.

    The message is quoted in https://github.com/ministryofjustice/cloud-platform-environments/pull/5719.
    """
    nodes = int(functions.cache_field(request, "NumCacheClusters") or 1)
    shards = int(functions.cache_field(request, "NumNodeGroups") or 1)
    replicas = int(functions.cache_field(request, "ReplicasPerNodeGroup") or nodes - 1)
    if _fails_over(request) and shards == 1 and not replicas:
        raise ServiceCallError(
            _SERVICE,
            "InvalidParameterCombination",
            "When using automatic failover, there must be at least 2 cache clusters in the replication group.",
        )


def refuse_modification(request: Request) -> None:
    """Raise ServiceCallError where failover is turned on for a group without a replica, and for a lower engine version.

    CloudFormation modifies the group before it adds a replica, so an update that does both fails:
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/383
    """
    if _fails_over(request) and _replicas(_group(request)) == 0:
        raise ServiceCallError(
            _SERVICE,
            "InvalidParameterValue",
            "Replication group must have at least one read replica to enable autofailover.",
        )
    wanted = str(functions.cache_field(request, "EngineVersion") or "")
    running = str(_group(request).get("EngineVersion") or "")
    if wanted and running and _numbers(wanted) < _numbers(running):
        # The documentation has the rule and not the message.
        # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Replication.Modify.html
        raise ServiceCallError(
            _SERVICE,
            "InvalidParameterCombination",
            f"Cannot downgrade the engine version of the replication group from {running} to {wanted}.",
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def refuse_removal(request: Request) -> None:
    """Raise ServiceCallError for the removal of the last replica while failover is on.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DecreaseReplicaCount.html
    The message is quoted in https://github.com/hashicorp/terraform-provider-aws/issues/24244.
    """
    wanted = int(functions.cache_field(request, "NewReplicaCount") or 0)
    if wanted == 0 and _group(request).get("AutomaticFailover") == "enabled":
        raise _last_replica()


def refuse_last_replica(physical_id: str, new: Properties) -> None:
    """Raise ServiceCallError for an update that turns failover off and removes the last replica.

    Documentation and schema do not say in which order CloudFormation makes the two calls. ElastiCache refuses one of the
    orders, so the embedded AWS refuses such an update, and an environment makes two.
    """
    group = tables.REPLICATION_GROUPS.get(physical_id) or {}
    is_single = int(new.get("NumCacheClusters") or 1) == 1
    if is_single and _replicas(group) and group.get("AutomaticFailover") == "enabled":
        raise _last_replica()


def _last_replica() -> ServiceCallError:
    return ServiceCallError(
        _SERVICE,
        "InvalidParameterValue",
        "Must have at least 1 replica when cluster mode is disabled with auto failover enabled.",
    )


def _fails_over(request: Request) -> bool:
    return str(functions.cache_field(request, "AutomaticFailoverEnabled")).lower() == "true"


def _group(request: Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = tables.REPLICATION_GROUPS.get(
        functions.cache_field(request, "ReplicationGroupId")
    )
    return found or {}


def _replicas(group: Mapping[str, Any]) -> int:
    """The number of replicas; -1 for a group that does not exist or has several shards."""
    shards = group.get("NodeGroups") or []
    return len(shards[0].get("NodeGroupMembers") or []) - 1 if len(shards) == 1 else -1
