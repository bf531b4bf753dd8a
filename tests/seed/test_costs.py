"""Cost Optimization: each saving, computed from prices for the launched resources."""

from decimal import Decimal

from pipeline.checks.render import Rendered
from pipeline.cost.prices import (
    CACHE_NODE_HOUR,
    DATABASE_HOUR,
    FARGATE_GB_HOUR,
    FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT,
    FARGATE_VCPU_HOUR,
    NAT_GATEWAY_HOUR,
    SERVERLESS_CACHE_GB_HOUR,
    SERVERLESS_CACHE_LEAST_GB,
    Price,
    saving_percent,
)
from tests.rendering import named, only
from tests.seed.rendered_architecture import cache, is_true, nat_gateways, service


def test_graviton_saves_12_percent_on_rds_and_5_percent_on_elasticache(prod: Rendered) -> None:
    database = only(prod, "AWS::RDS::DBInstance").properties
    standby = is_true(database["MultiAZ"])
    on_graviton = DATABASE_HOUR[database["DBInstanceClass"], standby]
    assert saving_percent(on_graviton, DATABASE_HOUR["db.t3.medium", standby]) == Decimal("12.2")
    node = cache(prod)[1].properties["CacheNodeType"]
    on_intel = CACHE_NODE_HOUR["cache.t3.medium", "valkey"]
    assert saving_percent(CACHE_NODE_HOUR[node, "valkey"], on_intel) == Decimal("4.9")


def test_graviton_saves_20_percent_on_fargate(rendered: Rendered) -> None:
    for title in ("Api", "Worker", "Beat"):
        platform = service(rendered, title).task["RuntimePlatform"]["CpuArchitecture"]
        for prices in (FARGATE_VCPU_HOUR, FARGATE_GB_HOUR):
            assert saving_percent(prices[platform], prices["X86_64"]) == Decimal("20.0")


def test_fargate_spot_is_for_celery_workers_and_saves_at_most_70_percent(
    rendered: Rendered,
) -> None:
    titles = ("Api", "Worker", "Beat")
    on_spot = [title for title in titles if "FARGATE_SPOT" in service(rendered, title).providers]
    assert on_spot == ["Worker"]
    assert service(rendered, "Worker").providers == ["FARGATE_SPOT"]
    task = service(rendered, "Worker").task
    platform = task["RuntimePlatform"]["CpuArchitecture"]
    vcpu, gigabytes = Decimal(task["Cpu"]) / 1024, Decimal(task["Memory"]) / 1024
    full = vcpu * FARGATE_VCPU_HOUR[platform].usd + gigabytes * FARGATE_GB_HOUR[platform].usd
    saved = full * FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT / 100
    assert (full, saved) == (Decimal("0.04344"), Decimal("0.030408"))


def test_valkey_serverless_is_paid_per_use(dev: Rendered, staging: Rendered) -> None:
    for rendered in (dev, staging):
        kind, found = cache(rendered)
        assert kind == "AWS::ElastiCache::ServerlessCache"
        assert all(
            "Minimum" not in limit for limit in found.properties["CacheUsageLimits"].values()
        )
    idle = Price(SERVERLESS_CACHE_GB_HOUR.usd * SERVERLESS_CACHE_LEAST_GB, "hour")
    assert saving_percent(idle, CACHE_NODE_HOUR["cache.t4g.medium", "valkey"]) == Decimal("85.7")


def test_s3_intelligent_tiering_is_for_documents(rendered: Rendered) -> None:
    rules = named(rendered, "DocumentsBucket").properties["LifecycleConfiguration"]["Rules"]
    steps = [step for rule in rules for step in rule.get("Transitions", ())]
    (days,) = (
        int(step["TransitionInDays"])
        for step in steps
        if step["StorageClass"] == "INTELLIGENT_TIERING"
    )
    assert days == 30


def test_single_nat_gateway_saves_two_thirds_of_the_hourly_price(
    dev: Rendered, staging: Rendered, prod: Rendered
) -> None:
    each_zone = Price(len(nat_gateways(prod)) * NAT_GATEWAY_HOUR.usd, "hour")
    for rendered in (dev, staging):
        single = Price(len(nat_gateways(rendered)) * NAT_GATEWAY_HOUR.usd, "hour")
        assert saving_percent(single, each_zone) == Decimal("66.7")
