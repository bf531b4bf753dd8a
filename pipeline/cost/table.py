"""The monthly cost of an environment: a line for each resource, and the total."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from pipeline.cost import prices
from pipeline.cost.assumptions import DEFAULT, Assumptions, without_use
from pipeline.cost.charge import Charge, Resource, Resources
from pipeline.cost.kinds import charges
from pipeline.cost.prices import Source
from pipeline.errors import listed
from pipeline.template.references import Name

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Amount:
    """US dollars a month of one charge; None if the price is unknown, with the reason."""

    charge: Charge
    usd: Decimal | None
    unknown: str = ""


@dataclass(frozen=True)
class CostLine:
    """The cost of one resource. ``free`` is the reason for no charge; ``unknown`` says what is not known."""

    name: Name
    kind: str
    amounts: tuple[Amount, ...]
    free: str = ""
    unknown: str = ""

    @property
    def usd(self) -> Decimal | None:
        """US dollars a month; None if a price is unknown."""
        if self.unknown:
            return None
        return sum((each.usd or Decimal(0) for each in self.amounts), Decimal(0))

    @property
    def is_confirmed(self) -> bool:
        """Whether every price of the line is confirmed."""
        return all(
            each.charge.price is None or each.charge.price.source.confirmed for each in self.amounts
        )


@dataclass(frozen=True)
class CostTable:
    """The monthly cost of an environment in a region, with the assumptions that it uses."""

    region: str
    assumptions: Assumptions
    lines: tuple[CostLine, ...]

    def line(self, name: Name) -> CostLine:
        """The line of a resource. Raises KeyError for a resource that the environment does not have."""
        for each in self.lines:
            if each.name == name:
                return each
        raise KeyError(name)

    def known(self) -> Decimal:
        """The sum of all known amounts, in US dollars a month."""
        return sum((each.usd or Decimal(0) for each in self._amounts()), Decimal(0))

    def idle(self) -> Decimal:
        """The sum without any use: no requests, no traffic, no data, and each service at its minimum."""
        unused = without_use(self.assumptions)
        known = (each.charge.usd(unused) for each in self._amounts() if each.usd is not None)
        return sum((usd or Decimal(0) for usd in known), Decimal(0))

    def unconfirmed(self) -> Decimal:
        """The part of the sum whose prices are not confirmed."""
        return self._sum(
            lambda each: each.charge.price is not None and not each.charge.price.source.confirmed
        )

    def unknown(self) -> list[CostLine]:
        """The lines with an unknown price."""
        return [line for line in self.lines if line.unknown]

    def sources(self) -> list[Source]:
        """The sources of the prices in use, by date."""
        found = {each.charge.price.source for each in self._amounts() if each.charge.price}
        return sorted(found, key=lambda source: (source.day, source.name))

    def summary(self) -> str:
        """The monthly cost in a sentence."""
        if self.region != prices.REGION:
            return f"The monthly cost in {self.region} is not known: the prices are those of {prices.REGION}."
        unknown = self.unknown()
        less = f", without {listed([str(each.name) for each in unknown])}" if unknown else ""
        return (
            f"About {in_usd(self.known())} USD a month in {self.region}{less}; "
            f"{in_usd(self.idle())} USD without any use."
        )

    def _amounts(self) -> Iterator[Amount]:
        return (amount for line in self.lines for amount in line.amounts)

    def _sum(self, of: Callable[[Amount], bool]) -> Decimal:
        return sum((each.usd or Decimal(0) for each in self._amounts() if of(each)), Decimal(0))


def in_usd(usd: Decimal) -> str:
    """An amount to the cent."""
    return f"{to_cents(usd):,}"


def to_cents(usd: Decimal) -> Decimal:
    """An amount, rounded to the cent."""
    return usd.quantize(_CENT, ROUND_HALF_UP)


def monthly_cost(
    resources: Iterable[Resource],
    region: str = prices.REGION,
    assumptions: Assumptions = DEFAULT,
    kinds: Collection[str] = (),
) -> CostTable:
    """The monthly cost of evaluated resources: those of a release with a profile, or of a deployed environment.

    ``kinds`` limits the table to resources of these types.

    In a region without prices, every charge is unknown.
    """
    every = Resources(resources)
    lines = (
        _line(resource, every, region, assumptions)
        for resource in every
        if not kinds or resource.kind in kinds
    )
    return CostTable(region, assumptions, tuple(sorted(lines, key=lambda line: line.name)))


def _line(resource: Resource, every: Resources, region: str, assumptions: Assumptions) -> CostLine:
    try:
        found, free = charges(resource, every)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # A template that was not built here can lack a property.
        unknown = f"The cost of {resource.kind} cannot be computed from its properties: {error!r}."
        return CostLine(resource.name, resource.kind, (), unknown=unknown)
    if not found and not free:
        unknown = f"No price of {resource.kind} is known, and no reason why it is free."
        return CostLine(resource.name, resource.kind, (), unknown=unknown)
    amounts = tuple(_amount(charge, region, assumptions) for charge in found)
    unknown = " ".join(each.unknown for each in amounts if each.unknown)
    return CostLine(resource.name, resource.kind, amounts, free, unknown)


def _amount(charge: Charge, region: str, assumptions: Assumptions) -> Amount:
    if region != prices.REGION:
        return Amount(charge, None, f"The price of {charge.what} in {region} is not known.")
    if charge.price is None:
        return Amount(charge, None, f"The price of {charge.what} is not known.")
    return Amount(charge, charge.usd(assumptions))
