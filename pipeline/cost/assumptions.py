# ruff: noqa: RUF009 - the defaults are fields with their units
"""The usage that a monthly cost assumes: what no template decides, each value with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation

from pipeline.cost.prices import FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT
from pipeline.errors import PipelineError

_UNIT, _WHAT = "unit", "what"
SPOT_DISCOUNT = "spot_discount"


def _assumed(value: str, unit: str, what: str) -> Decimal:
    found: Decimal = field(default=Decimal(value), metadata={_UNIT: unit, _WHAT: what})
    return found


@dataclass(frozen=True)
class Assumptions:
    """Usage in a month. The defaults describe a small environment; `build.py cost --assume` and the page change them."""

    requests: Decimal = _assumed("1", "million requests", "requests to the load balancer")
    internet_out: Decimal = _assumed("20", "GB", "responses to clients on the internet")
    load_balancer_capacity: Decimal = _assumed(
        "0.1", "capacity units", "load balancer capacity units in use, on average"
    )
    nat_traffic: Decimal = _assumed("50", "GB", "traffic through all NAT gateways together")
    cross_zone: Decimal = _assumed("20", "GB", "traffic between Availability Zones")
    api_more_tasks: Decimal = _assumed(
        "0",
        "tasks",
        "tasks of a service that scales on CPU or memory, above its minimum, on average",
    )
    worker_more_tasks: Decimal = _assumed(
        "0", "tasks", "tasks of a service that scales on its queue, above its minimum, on average"
    )
    spot_discount: Decimal = _assumed(
        str(Decimal(FARGATE_SPOT_DISCOUNT_AT_MOST_PERCENT) / 100),
        "share",
        "discount of Fargate Spot, which AWS puts at 0.7 at most",
    )
    one_off_hours: Decimal = _assumed(
        "1", "hours", "hours of each task outside a service: migrations"
    )
    function_seconds: Decimal = _assumed(
        "1", "seconds", "duration of a scheduled function's run, on average"
    )
    database_backups: Decimal = _assumed(
        "0", "GB", "database backups above the size of the database, which is free"
    )
    cache_data: Decimal = _assumed("0.1", "GB", "data in a serverless cache, on average")
    cache_requests: Decimal = _assumed("100", "million ECPU", "use of a serverless cache")
    documents: Decimal = _assumed("50", "GB", "objects in each bucket with storage tiers")
    media: Decimal = _assumed("10", "GB", "objects in each other bucket")
    object_writes: Decimal = _assumed("100", "thousand requests", "writes to each bucket")
    object_reads: Decimal = _assumed("1000", "thousand requests", "reads from each bucket")
    images: Decimal = _assumed("2", "GB", "images in a repository")
    search_snapshots: Decimal = _assumed("10", "GB", "snapshots of volumes, which are incremental")
    container_logs: Decimal = _assumed("2", "GB", "logs of each container group")
    flow_logs: Decimal = _assumed("2", "GB", "flow logs of the VPC")
    firewall_logs: Decimal = _assumed("1", "GB", "logs of the firewall")
    function_logs: Decimal = _assumed(
        "0.01", "GB", "logs of each function, and of each other group"
    )
    database_logs: Decimal = _assumed("1", "GB", "logs that the database exports")
    insights_logs: Decimal = _assumed("1", "GB", "performance events of Container Insights")
    secret_calls: Decimal = _assumed("5", "ten thousand calls", "calls of Secrets Manager")
    key_calls: Decimal = _assumed("10", "ten thousand calls", "calls of the KMS key")

    def value(self, name: str) -> Decimal:
        """An assumption by its name."""
        found: Decimal = getattr(self, name)
        return found


DEFAULT = Assumptions()


@dataclass(frozen=True)
class Described:
    """An assumption for a reader."""

    name: str
    value: Decimal
    unit: str
    what: str


def described(assumptions: Assumptions) -> list[Described]:
    """Every assumption, in the order of their declaration."""
    return [
        Described(
            each.name, assumptions.value(each.name), each.metadata[_UNIT], each.metadata[_WHAT]
        )
        for each in fields(assumptions)
    ]


def without_use(assumptions: Assumptions) -> Assumptions:
    """No use at all, with the same discount of Fargate Spot."""
    nothing = {each.name: Decimal(0) for each in fields(assumptions)}
    return replace(assumptions, **nothing | {SPOT_DISCOUNT: assumptions.spot_discount})


def assumed(given: Mapping[str, str]) -> Assumptions:
    """The default assumptions with the given values.

    Raises PipelineError for an unknown name, and for a value that is not a number from 0.
    """
    known = {each.name for each in fields(Assumptions)}
    values: dict[str, Decimal] = {}
    for name, text in given.items():
        if name not in known:
            raise PipelineError(
                f"No assumption has the name {name!r}; use one of {', '.join(sorted(known))}."
            )
        try:
            values[name] = Decimal(text)
        except InvalidOperation:
            values[name] = Decimal("NaN")
        if not values[name].is_finite() or values[name] < 0:
            raise PipelineError(f"Assumption {name} must be a number from 0, not {text!r}.")
        if name == SPOT_DISCOUNT and values[name] > 1:
            raise PipelineError(f"Assumption {name} must be a share from 0 to 1, not {text!r}.")
    return replace(DEFAULT, **values)
