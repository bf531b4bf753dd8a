"""Failover of a cache without a replica and a lower engine version are refused, by CloudFormation and by ElastiCache's own API."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template


def cache(nodes: int, *, failover: bool) -> str:
    return template(
        {
            "Cache": {
                "Type": "AWS::ElastiCache::ReplicationGroup",
                "Properties": {
                    "ReplicationGroupDescription": "cache",
                    "Engine": "valkey",
                    "CacheNodeType": "cache.t4g.medium",
                    "NumCacheClusters": nodes,
                    "AutomaticFailoverEnabled": failover,
                },
            }
        }
    )


def nodes_and_failover(account: Account) -> tuple[int, str]:
    group = account.client("elasticache").describe_replication_groups()["ReplicationGroups"][0]
    return len(group["NodeGroups"][0]["NodeGroupMembers"]), group["AutomaticFailover"]


def test_one_node_cannot_fail_over(account: Account) -> None:
    stack = account.launch(cache(1, failover=True))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "at least 2 cache clusters" in account.failures(stack)["Cache"]


def test_a_second_node_and_failover_take_two_updates(account: Account) -> None:
    stack = account.launch(cache(1, failover=False))
    stack = account.update(stack, cache(2, failover=True))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "at least one read replica to enable autofailover" in account.failures(stack)["Cache"]
    assert nodes_and_failover(account) == (1, "disabled")
    for failover in (False, True):
        stack = account.update(stack, cache(2, failover=failover))
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert nodes_and_failover(account) == (2, "enabled")


def test_the_last_replica_leaves_after_failover_is_off(account: Account) -> None:
    stack = account.launch(cache(2, failover=True))
    stack = account.update(stack, cache(1, failover=False))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Must have at least 1 replica" in account.failures(stack)["Cache"]
    assert nodes_and_failover(account) == (2, "enabled")
    for nodes in (2, 1):
        stack = account.update(stack, cache(nodes, failover=False))
        assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert nodes_and_failover(account) == (1, "disabled")


def test_elasticache_itself_refuses_the_calls(account: Account) -> None:
    elasticache = account.client("elasticache")
    single: dict[str, Any] = {
        "ReplicationGroupDescription": "cache",
        "Engine": "valkey",
        "CacheNodeType": "cache.t4g.medium",
    }
    with pytest.raises(ClientError, match="at least 2 cache clusters"):
        elasticache.create_replication_group(
            ReplicationGroupId="one", AutomaticFailoverEnabled=True, **single
        )
    elasticache.create_replication_group(ReplicationGroupId="one", **single)
    with pytest.raises(ClientError, match="at least one read replica"):
        elasticache.modify_replication_group(
            ReplicationGroupId="one", AutomaticFailoverEnabled=True
        )
    elasticache.increase_replica_count(
        ReplicationGroupId="one", NewReplicaCount=1, ApplyImmediately=True
    )
    elasticache.modify_replication_group(ReplicationGroupId="one", AutomaticFailoverEnabled=True)
    with pytest.raises(ClientError, match="at least 1 replica"):
        elasticache.decrease_replica_count(
            ReplicationGroupId="one", NewReplicaCount=0, ApplyImmediately=True
        )


def test_engine_version_does_not_fall(account: Account) -> None:
    """As in an update after an automatic upgrade, which the template does not know."""

    def versioned(version: str, nodes: str = "cache.t4g.medium") -> str:
        properties = {
            "ReplicationGroupDescription": "cache",
            "Engine": "valkey",
            "EngineVersion": version,
            "CacheNodeType": nodes,
        }
        return template(
            {"Cache": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": properties}}
        )

    stack = account.launch(versioned("8.1"))
    client = account.client("elasticache")
    group = client.describe_replication_groups()["ReplicationGroups"][0]["ReplicationGroupId"]
    client.modify_replication_group(
        ReplicationGroupId=group, EngineVersion="8.2", ApplyImmediately=True
    )
    with pytest.raises(ClientError, match="Cannot downgrade the engine version"):
        client.modify_replication_group(
            ReplicationGroupId=group, EngineVersion="8.0", ApplyImmediately=True
        )
    stack = account.update(stack, versioned("8.0"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "from 8.2 to 8.0" in account.failures(stack)["Cache"]
