"""The monthly cost of each environment, with assumptions that the reader can change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.cost import prices
from pipeline.cost.assumptions import DEFAULT, SPOT_DISCOUNT, described
from pipeline.cost.charge import Charge
from pipeline.cost.savings import savings
from pipeline.cost.show import plain
from pipeline.cost.table import CostLine, CostTable, in_usd, monthly_cost
from pipeline.pages.inventory.environments import merged, resources_of
from pipeline.pages.site import Page, Site


@dataclass(frozen=True)
class ChargeRow:
    """One charge: what, the price with its unit, its date and source, and the amount."""

    what: str
    price: str
    source: str
    confirmed: bool
    usd: str
    id: str


@dataclass(frozen=True)
class LineRow:
    """The charges of one resource."""

    name: str
    kind: str
    usd: str
    unknown: str
    charges: tuple[ChargeRow, ...]


@dataclass(frozen=True)
class SavingRow:
    """A saving that the requested architecture claims, with its figure."""

    strategy: str
    claim: str
    percent: str
    usd: str
    note: str


def content(site: Site) -> Mapping[str, Any]:
    """The variables of cost.html: lines, totals, assumptions and savings; ``data`` is for the script."""
    resources = resources_of(site)
    tables = {name: monthly_cost(each, site.region) for name, each in resources.items()}
    data: dict[str, Any] = {"charges": {}, "environments": {}}
    lines = {
        name: [_line(line, name, data) for line in _paid(table)] for name, table in tables.items()
    }
    free = {
        name: [(str(each.name), each.kind, each.free) for each in table.lines if each.free]
        for name, table in tables.items()
    }
    return {
        "tables": tables,
        "lines": merged(lines),
        "free": merged(free),
        "totals": {name: _totals(table) for name, table in tables.items()},
        "assumptions": [(each, plain(each.value)) for each in described(DEFAULT)],
        "savings": merged({name: _savings(each, site.region) for name, each in resources.items()}),
        "sources": sorted({str(source) for table in tables.values() for source in table.sources()}),
        "prices_region": prices.REGION,
        "data": json.dumps(data, separators=(",", ":")),
        "kept": SPOT_DISCOUNT,
    }


def _paid(table: CostTable) -> list[CostLine]:
    """The lines with a charge or without a known price, the largest first."""
    found = [line for line in table.lines if line.amounts or line.unknown]
    return sorted(found, key=lambda line: (-(line.usd or Decimal(0)), line.name))


def _totals(table: CostTable) -> tuple[str, str, str]:
    if table.region != prices.REGION:
        return "", "", ""
    return in_usd(table.known()), in_usd(table.idle()), in_usd(table.unconfirmed())


def _line(line: CostLine, environment: str, data: dict[str, Any]) -> LineRow:
    charges = tuple(
        ChargeRow(
            each.charge.what,
            f"{plain(each.charge.price.usd)} per {each.charge.price.unit}"
            if each.charge.price
            else "",
            str(each.charge.price.source) if each.charge.price else "",
            each.charge.price is None or each.charge.price.source.confirmed,
            "" if each.usd is None else in_usd(each.usd),
            _charge_id(each.charge, data) if each.usd is not None else "",
        )
        for each in line.amounts
    )
    data["environments"].setdefault(environment, []).extend(each.id for each in charges if each.id)
    usd = "" if line.usd is None else in_usd(line.usd)
    return LineRow(str(line.name), line.kind, usd, line.unknown, charges)


def _charge_id(charge: Charge, data: dict[str, Any]) -> str:
    """The key of a charge in the data of the script: price, least quantity, and terms of a number and assumptions."""
    assert charge.price is not None  # noqa: S101 - an amount has a price
    terms = [[float(term.number), *term.names] for term in charge.quantity]
    body = [float(charge.price.usd), float(charge.least), terms]
    known: dict[str, Any] = data["charges"]
    for key, value in known.items():
        if value == body:
            return key
    key = str(len(known))
    known[key] = body
    return key


def _savings(resources: Any, region: str) -> list[SavingRow]:
    return [
        SavingRow(
            each.strategy,
            each.claim,
            "" if each.percent is None else plain(each.percent),
            "" if each.usd is None else in_usd(each.usd),
            each.note,
        )
        for each in savings(resources, region)
    ]


PAGE = Page(
    "costs",
    "Cost",
    "What each environment costs a month, by resource, with the assumed use, prices with their dates, and the savings that the "
    "architecture claims.",
    content,
)
