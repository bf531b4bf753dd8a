"""The monthly cost of a resource that stays, with the prices of eu-north-1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from pipeline.cost import prices
from pipeline.cost.prices import Price

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Cost:
    """US dollars a month: exact, at most, or unknown (``usd`` is None). ``prices`` are those that it uses."""

    usd: Decimal | None
    is_limit: bool = False
    prices: tuple[Price, ...] = ()
    unknown: str = ""

    def __str__(self) -> str:
        if self.usd is None:
            return self.unknown or "cost not known"
        amount = self.usd.quantize(_CENT, ROUND_HALF_UP)
        if self.usd and not amount:
            return "less than 0.01 USD a month"
        return f"{'at most ' if self.is_limit else ''}{amount} USD a month"


NO_COST = Cost(Decimal(0))
UNKNOWN_COST = Cost(None)


def monthly(price: Price) -> Cost:
    """The cost of a price per month or per hour."""
    times = prices.HOURS_A_MONTH if price.unit == prices.HOUR else 1
    return Cost(price.usd * times, prices=(price,))


def stored(gib: Decimal | int, price: Price, *, is_limit: bool = False) -> Cost:
    """The cost of stored GiB, which AWS bills as GB."""
    return Cost(gib * price.usd, is_limit, (price,))


def unknown_size(price: Price) -> Cost:
    """A cost that depends on an unknown size."""
    return Cost(None, prices=(price,), unknown=f"{price.usd} USD per {price.unit}, size not known")


def total(costs: Iterable[Cost]) -> str:
    """The sum, and the prices that it uses with their dates."""
    costs = list(costs)
    known = [cost.usd for cost in costs if cost.usd is not None]
    amount = sum(known, Decimal(0)).quantize(_CENT, ROUND_HALF_UP)
    limit = "at most " if any(cost.is_limit for cost in costs) else ""
    missing = len(costs) - len(known)
    rest = f", and {missing} of {len(costs)} whose cost is not known" if missing else ""
    return f"In total {limit}{amount} USD a month{rest}."


def sources(costs: Iterable[Cost], region: str) -> str:
    """The sources of the prices, with their dates; empty if no price is used."""
    used = {price.source for cost in costs for price in cost.prices}
    if not used:
        return ""
    named = "; ".join(map(str, sorted(used, key=lambda source: (source.day, source.name))))
    other = "" if region == prices.REGION else f" Those of {region} can differ."
    return f"Prices: {named}.{other}"
