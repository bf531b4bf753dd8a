"""The parameters of the cache, and their rules for prod."""

from __future__ import annotations

from troposphere import Equals, Not, Ref

from templates_src.core.cache_mode import MODE, REPLICATION_GROUP
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, choice, number

ONE_NODE = "1"
AUTO, OFF = "auto", "off"
NODE_TYPE = Declaration(
    name="CacheNodeType",
    group=groups.CACHE,
    label="Cache node type",
    description="Size of each node of a replication group. A change keeps the data; clients reconnect when the new nodes take over.",
    default="cache.t4g.medium",
    pattern=r"cache\.[a-z0-9]+\.[a-z0-9]+",
    message="CacheNodeType must be an ElastiCache node type, such as cache.t4g.medium.",
)
NODES = choice(
    "CacheNodes",
    group=groups.CACHE,
    label="Cache nodes",
    description="Nodes of a replication group: one primary, the others replicas in other zones; prod has at least 2. Between 1 and more nodes, CacheFailover must be off first.",
    # At most 5 replicas.
    allowed=(ONE_NODE, "2", "3", "4", "5", "6"),
    default=ONE_NODE,
)
FAILOVER = choice(
    "CacheFailover",
    group=groups.CACHE,
    label="Cache failover",
    description="auto: with two or more nodes, a replica in another zone takes over when the primary fails (required in prod). "
    "off: no failover; set it in the update that adds the second node, and in an update before the one that removes it.",
    allowed=(AUTO, OFF),
    default=AUTO,
)
MAXIMUM_STORAGE = number(
    "CacheMaximumStorageGb",
    group=groups.CACHE,
    label="Serverless cache: storage at most (GB)",
    description="Limit of a serverless cache's data, and so of its cost; above it, writes fail.",
    default="1",
    # The limits of ElastiCache, here and below.
    at_least=1,
    at_most=5_000,
)
MAXIMUM_ECPU = number(
    "CacheMaximumEcpuPerSecond",
    group=groups.CACHE,
    label="Serverless cache: ECPU at most (per second)",
    description="Limit of a serverless cache's requests, and so of its cost; above it, requests are throttled.",
    default="5000",
    at_least=1_000,
    at_most=15_000_000,
)


def require_resilient_cache_in_prod(layer: Layer) -> None:
    """Rules: a prod cache is a replication group with a replica and automatic failover."""
    layer.require_in_prod(
        "ProdCacheIsReplicationGroup",
        MODE,
        holds=Equals(Ref(MODE.name), REPLICATION_GROUP),
        message=f"{MODE.name} must be {REPLICATION_GROUP} when Environment is prod.",
    )
    layer.require_in_prod(
        "ProdCacheHasReplica",
        NODES,
        holds=Not(Equals(Ref(NODES.name), ONE_NODE)),
        message=f"{NODES.name} must be at least 2 when Environment is prod.",
    )
    layer.require_in_prod(
        "ProdCacheFailsOver",
        FAILOVER,
        holds=Equals(Ref(FAILOVER.name), AUTO),
        message=f"{FAILOVER.name} must be {AUTO} when Environment is prod.",
    )
