"""The savings that the requested architecture claims, each with the figure for an environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pipeline.cost import prices
from pipeline.cost.assumptions import DEFAULT, Assumptions
from pipeline.cost.charge import Resource, Resources
from pipeline.cost.compute import SERVICE, SPOT, TASK_DEFINITION
from pipeline.cost.data import has_tiers, is_true
from pipeline.cost.network import NAT_GATEWAY
from pipeline.cost.prices import HOURS_A_MONTH, Price
from pipeline.cost.table import monthly_cost

DATABASE = "AWS::RDS::DBInstance"
NODES = "AWS::ElastiCache::ReplicationGroup"
SERVERLESS = "AWS::ElastiCache::ServerlessCache"
BUCKET = "AWS::S3::Bucket"
SUBNET = "AWS::EC2::Subnet"
INTEL = {"db.t4g.medium": "db.t3.medium", "cache.t4g.medium": "cache.t3.medium"}


@dataclass(frozen=True)
class Saving:
    """A claim of docs/aws-architecture.txt, and what it comes to: US dollars a month with and without it.

    ``note`` says what is compared; without figures, why nothing is saved here.
    """

    strategy: str
    claim: str
    with_it: Decimal | None
    without: Decimal | None
    note: str

    @property
    def usd(self) -> Decimal | None:
        """US dollars a month that are saved."""
        if self.with_it is None or self.without is None:
            return None
        return self.without - self.with_it

    @property
    def percent(self) -> Decimal | None:
        """The saving in percent, to one decimal."""
        if self.usd is None or not self.without:
            return None
        return (100 * self.usd / self.without).quantize(Decimal("0.1"))


def savings(
    resources: Iterable[Resource],
    region: str = prices.REGION,
    assumptions: Assumptions = DEFAULT,
) -> list[Saving]:
    """The savings in the order of the claims."""
    every = Resources(resources)
    found = [
        _graviton_database(every),
        _graviton_cache(every),
        _graviton_tasks(every),
        _spot(every, assumptions),
        _valkey(every),
        _serverless(every, assumptions),
        _tiers(every, assumptions),
        _nat(every),
    ]
    if region == prices.REGION:
        return found
    note = f"the prices of {region} are not known"
    return [replace(each, with_it=None, without=None, note=note) for each in found]


def _compared(
    strategy: str, claim: str, one: Price | None, other: Price | None, number: int, note: str
) -> Saving:
    """A saving from two hourly prices of some instances."""
    if one is None or other is None:
        return Saving(strategy, claim, None, None, f"{note}: a price is not known")
    hours = number * HOURS_A_MONTH
    return Saving(strategy, claim, one.usd * hours, other.usd * hours, note)


def _graviton_database(every: Resources) -> Saving:
    strategy, claim = "Graviton (ARM64) for RDS", "about 20 %"
    for found in every.of_kind(DATABASE):
        kind, standby = (
            found.properties["DBInstanceClass"],
            is_true(found.properties.get("MultiAZ")),
        )
        if kind in INTEL:
            one, other = (prices.DATABASE_HOUR.get((each, standby)) for each in (kind, INTEL[kind]))
            return _compared(strategy, claim, one, other, 1, f"{kind} instead of {INTEL[kind]}")
        return Saving(strategy, claim, None, None, f"{kind} is not compared")
    return Saving(strategy, claim, None, None, "no database")


def _graviton_cache(every: Resources) -> Saving:
    strategy, claim = "Graviton (ARM64) for ElastiCache", "about 20 %"
    for found in every.of_kind(NODES):
        kind, number = found.properties["CacheNodeType"], int(found.properties["NumCacheClusters"])
        if kind in INTEL:
            engine = found.properties["Engine"]
            one, other = (
                prices.CACHE_NODE_HOUR.get((each, engine)) for each in (kind, INTEL[kind])
            )
            note = f"{number} {kind} instead of {INTEL[kind]}"
            return _compared(strategy, claim, one, other, number, note)
        return Saving(strategy, claim, None, None, f"{kind} is not compared")
    return Saving(strategy, claim, None, None, "the cache is serverless")


def _graviton_tasks(every: Resources) -> Saving:
    strategy, claim = "Graviton (ARM64) for Fargate", "about 20 %"
    on_intel = [_on_intel(each) if each.kind == TASK_DEFINITION else each for each in every]
    with_it, without = (_services(each) for each in (list(every), on_intel))
    return Saving(strategy, claim, with_it, without, "all services, instead of X86_64")


def _spot(every: Resources, assumptions: Assumptions) -> Saving:
    strategy, claim = "Fargate Spot for Celery workers", "about 70 %"
    on_spot = [each for each in every.of_kind(SERVICE) if SPOT in str(each.properties)]
    if not on_spot:
        return Saving(strategy, claim, None, None, "no service runs on Spot")
    names = {each.name for each in on_spot}
    full = replace(assumptions, spot_discount=Decimal(0))
    with_it, without = (_services(list(every), each, names) for each in (assumptions, full))
    note = "at most, and only while Spot has capacity: AWS sets the price by supply and demand"
    return Saving(strategy, claim, with_it, without, note)


def _valkey(every: Resources) -> Saving:
    strategy, claim = "Valkey instead of Redis", "20 %"
    for found in every.of_kind(NODES):
        kind, number = found.properties["CacheNodeType"], int(found.properties["NumCacheClusters"])
        one, other = (prices.CACHE_NODE_HOUR.get((kind, each)) for each in ("valkey", "redis"))
        return _compared(strategy, claim, one, other, number, f"{number} {kind}")
    return Saving(strategy, claim, None, None, "no price of serverless Redis to compare with")


def _serverless(every: Resources, assumptions: Assumptions) -> Saving:
    strategy, claim = "Valkey Serverless for dev and staging", "pay per use"
    if not every.of_kind(SERVERLESS):
        return Saving(strategy, claim, None, None, "the cache has nodes")
    with_it = _of_kind(list(every), SERVERLESS, assumptions)
    node = prices.CACHE_NODE_HOUR["cache.t4g.medium", "valkey"].usd * HOURS_A_MONTH
    return Saving(
        strategy, claim, with_it, node, "with the assumed use, instead of one cache.t4g.medium"
    )


def _tiers(every: Resources, assumptions: Assumptions) -> Saving:
    strategy, claim = "S3 Intelligent-Tiering for documents", "automatic tiers"
    if not any(has_tiers(each.properties) for each in every.of_kind(BUCKET)):
        return Saving(strategy, claim, None, None, "no bucket has storage tiers")
    stored = assumptions.documents
    with_it = stored * prices.BUCKET_INFREQUENT_GB_MONTH.usd
    note = "for all documents, once nobody has read them for 30 days; the cost counts none of it"
    return Saving(strategy, claim, with_it, stored * prices.BUCKET_GB_MONTH.usd, note)


def _nat(every: Resources) -> Saving:
    strategy, claim = "Single NAT gateway for non-production", "about 66 %"
    gateways, zones = len(every.of_kind(NAT_GATEWAY)), _zones(every)
    if not gateways or gateways >= zones:
        return Saving(strategy, claim, None, None, f"a NAT gateway in each of {gateways} zones")
    hour = prices.NAT_GATEWAY_HOUR.usd * HOURS_A_MONTH
    return Saving(
        strategy,
        claim,
        gateways * hour,
        zones * hour,
        f"hourly price, {gateways} instead of {zones}",
    )


def _zones(every: Resources) -> int:
    """The number of zones: those of the subnets of a tier, each of which has its own."""
    return len({str(each.properties["AvailabilityZone"]) for each in every.of_kind(SUBNET)})


@dataclass(frozen=True)
class _Changed:
    name: Any
    kind: str
    properties: dict[str, Any]


def _on_intel(task: Resource) -> Resource:
    platform = {**task.properties["RuntimePlatform"], "CpuArchitecture": "X86_64"}
    return _Changed(task.name, task.kind, {**task.properties, "RuntimePlatform": platform})


def _services(
    resources: Iterable[Resource], assumptions: Assumptions = DEFAULT, names: Any = None
) -> Decimal:
    lines = monthly_cost(resources, assumptions=assumptions, kinds=(SERVICE,)).lines
    chosen = (each for each in lines if not names or each.name in names)
    return sum((each.usd or Decimal(0) for each in chosen), Decimal(0))


def _of_kind(resources: Iterable[Resource], kind: str, assumptions: Assumptions) -> Decimal:
    lines = monthly_cost(resources, assumptions=assumptions, kinds=(kind,)).lines
    return sum((each.usd or Decimal(0) for each in lines), Decimal(0))
