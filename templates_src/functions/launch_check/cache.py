"""The nodes of the cache: failover and the first or last replica change in two updates. This check makes no call.

ElastiCache turns failover on only with a replica, and keeps the last replica while failover is on.
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/383
https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DecreaseReplicaCount.html
"""

from collections.abc import Mapping

from .launch import Launch

MODE, NODES, FAILOVER = "CacheMode", "CacheNodes", "CacheFailover"
REPLICATION_GROUP, AUTO, OFF = "replication-group", "auto", "off"


def failover_has_replica(launch: Launch) -> str | None:
    """Whether an update changes failover and the first or last replica at once."""
    return refuse_failover(launch.in_force, launch.values)


def refuse_failover(before: Mapping[str, str], after: Mapping[str, str]) -> str | None:
    """The sentence for such an update, or None. Another mode creates another cache, with all of its nodes."""
    if before.get(MODE) != REPLICATION_GROUP or after.get(MODE) != REPLICATION_GROUP:
        return None
    old, new = int(before.get(NODES, "1")), int(after.get(NODES, "1"))
    # A release before 1.2.0 has no such parameter and fails over with two nodes or more.
    if old == 1 < new and after.get(FAILOVER, AUTO) != OFF:
        return (
            f"{NODES} cannot change from 1 to {new} together with failover, which ElastiCache turns on only with a replica;"
            f" set {FAILOVER} to {OFF} in this update and to {AUTO} in the next one."
        )
    if new == 1 < old and before.get(FAILOVER, AUTO) != OFF:
        return (
            f"{NODES} cannot change from {old} to 1 while failover is on, because ElastiCache keeps the last replica;"
            f" set {FAILOVER} to {OFF} in an earlier update."
        )
    return None
