"""One charge: a price, and the quantity as a sum of products with assumptions, so that a page can compute it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from pipeline.cost.assumptions import Assumptions
from pipeline.cost.prices import HOURS_A_MONTH, Price
from pipeline.template.references import Name, tokens

ONE = Decimal(1)


@dataclass(frozen=True)
class Term:
    """A number, multiplied by the assumptions with these names."""

    number: Decimal
    names: tuple[str, ...] = ()

    def value(self, assumptions: Assumptions) -> Decimal:
        """The product."""
        found = self.number
        for name in self.names:
            found *= assumptions.value(name)
        return found


@dataclass(frozen=True)
class Charge:
    """What is charged, its price (None if it is unknown) and the quantity, which is at least ``least``."""

    what: str
    price: Price | None
    quantity: tuple[Term, ...]
    least: Decimal = Decimal(0)

    def units(self, assumptions: Assumptions) -> Decimal:
        """The quantity in the unit of the price."""
        found = sum((term.value(assumptions) for term in self.quantity), Decimal(0))
        return max(found, self.least)

    def usd(self, assumptions: Assumptions) -> Decimal | None:
        """US dollars a month; None if the price is unknown."""
        return None if self.price is None else self.price.usd * self.units(assumptions)


class Resource(Protocol):
    """A resource of an evaluated template, with references as tokens."""

    @property
    def name(self) -> Name:
        """Its nested stack and logical ID."""

    @property
    def kind(self) -> str:
        """Its type."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """Its properties, with every function evaluated."""


class Resources:
    """The resources of an environment, and their references."""

    def __init__(self, every: Iterable[Resource]) -> None:
        self.by_name = {resource.name: resource for resource in every}
        # Filled when they are read: most resources are never asked for.
        self._references: dict[Name, frozenset[Name]] = {}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.by_name.values())

    def of_kind(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [resource for resource in self if resource.kind == kind]

    def target(self, value: Any) -> Resource | None:
        """The first resource that a value refers to; None if it refers to none."""
        found = (self.by_name[name] for name, _ in tokens(value) if name in self.by_name)
        return next(found, None)

    def referring(self, resource: Resource, kind: str) -> list[Resource]:
        """The resources of a type that refer to a resource."""
        return [each for each in self.of_kind(kind) if resource.name in self._references_of(each)]

    def _references_of(self, resource: Resource) -> frozenset[Name]:
        found = self._references.get(resource.name)
        if found is None:
            found = frozenset(other for other, _ in tokens(dict(resource.properties)))
            self._references[resource.name] = found
        return found


def hours(number: Decimal | int = 1) -> tuple[Term, ...]:
    """All hours of a month, of some resources."""
    return (Term(Decimal(number) * HOURS_A_MONTH),)


def fixed(number: Decimal | int = 1) -> tuple[Term, ...]:
    """A quantity that the template decides."""
    return (Term(Decimal(number)),)


def used(name: str, number: Decimal | int = 1) -> tuple[Term, ...]:
    """A quantity that follows an assumption."""
    return (Term(Decimal(number), (name,)),)
