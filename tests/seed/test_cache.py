"""Service Details: ElastiCache (Valkey)."""

from decimal import Decimal

import pytest

from pipeline.checks.render import Rendered
from pipeline.cost.prices import CACHE_NODE_HOUR, saving_percent
from pipeline.errors import PipelineError
from tests.rendering import resources_of_type
from tests.seed.conftest import RenderWith
from tests.seed.rendered_architecture import cache

SERVERLESS = "AWS::ElastiCache::ServerlessCache"
REPLICATION_GROUP = "AWS::ElastiCache::ReplicationGroup"


def test_engine_is_valkey(rendered: Rendered) -> None:
    assert cache(rendered)[1].properties["Engine"] == "valkey"
    for kind in ("AWS::ElastiCache::User", "AWS::ElastiCache::UserGroup"):
        for found in resources_of_type(rendered, kind):
            assert found.properties["Engine"] == "valkey"


def test_engine_is_20_percent_cheaper_than_redis(prod: Rendered) -> None:
    node = cache(prod)[1].properties
    chosen = CACHE_NODE_HOUR[node["CacheNodeType"], node["Engine"]]
    assert saving_percent(chosen, CACHE_NODE_HOUR[node["CacheNodeType"], "redis"]) == Decimal("20")


def test_mode_is_serverless_in_dev_and_staging(
    dev: Rendered, staging: Rendered, prod: Rendered
) -> None:
    for rendered in (dev, staging):
        kind, found = cache(rendered)
        assert kind == SERVERLESS
        # It scales between nothing reserved and a cap.
        for limit in found.properties["CacheUsageLimits"].values():
            assert "Minimum" not in limit
            assert int(limit["Maximum"]) > 0
    assert cache(prod)[0] == REPLICATION_GROUP


def test_node_type_is_graviton_in_prod(prod: Rendered) -> None:
    assert cache(prod)[1].properties["CacheNodeType"] == "cache.t4g.medium"


def test_nodes_are_1_in_dev_and_2_or_more_in_prod(prod: Rendered, render_with: RenderWith) -> None:
    _, with_nodes = cache(render_with("dev", {"CacheMode": "replication-group"}))
    assert int(with_nodes.properties["NumCacheClusters"]) == 1
    nodes = cache(prod)[1].properties
    assert int(nodes["NumCacheClusters"]) >= 2
    assert nodes["AutomaticFailoverEnabled"] is True
    assert nodes["MultiAZEnabled"] is True
    with pytest.raises(PipelineError, match="CacheNodes"):
        render_with("prod", {"CacheNodes": "1"})
    with pytest.raises(PipelineError, match="CacheFailover"):
        render_with("prod", {"CacheFailover": "off"})
