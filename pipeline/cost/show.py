"""The monthly cost as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from pipeline.cost import prices
from pipeline.cost.assumptions import Described, described
from pipeline.cost.savings import Saving
from pipeline.cost.table import Amount, CostLine, CostTable, in_usd

# Smaller lines are shown together, by type.
_SHOWN = Decimal(1)
# Marks an amount with a price that is not confirmed.
MARK = "*"


@dataclass(frozen=True)
class Costs:
    """The monthly cost of an environment, with its savings."""

    environment: str
    table: CostTable
    savings: Sequence[Saving]


def lines(costs: Costs) -> Iterator[str]:
    """The cost of an environment as text, the largest amounts first."""
    table = costs.table
    yield f"{costs.environment}: {table.summary()}"
    yield ""
    if table.region == prices.REGION:
        yield from (f"  {line.name}: {line.unknown}" for line in table.unknown())
    elif unknown := len(table.unknown()):
        yield f"  {unknown} resources have a charge whose price in {table.region} is not known."
    yield from map(_row, _rows(table))
    free = sum(bool(line.free) for line in table.lines)
    yield f"  {'':>10}  {free} resources are free; --json gives the reason for each."
    if unconfirmed := table.unconfirmed():
        yield f"  {MARK} {in_usd(unconfirmed)} USD use prices that are not confirmed."
    yield ""
    yield "Savings that the architecture claims:"
    yield from (f"  {saving_sentence(each)}" for each in costs.savings)
    yield ""
    yield "Assumed use in a month (--assume NAME=VALUE):"
    yield from (f"  {assumption_text(each)}" for each in described(table.assumptions))
    yield ""
    yield f"Prices before taxes, credits and discounts: {'; '.join(map(str, table.sources()))}."


def summaries(every: Sequence[Costs]) -> Iterator[str]:
    """One line for each environment."""
    for costs in every:
        yield f"{costs.environment}: {costs.table.summary()}"
    yield "Name an environment to see its resources, savings and assumptions."


def _rows(table: CostTable) -> Iterator[tuple[str, Decimal, bool, str]]:
    """The name, amount and detail of each large line, then the small lines by type."""
    paid = [line for line in table.lines if line.amounts and line.usd is not None]
    large = [line for line in paid if (line.usd or 0) >= _SHOWN]
    for line in sorted(large, key=lambda each: (-(each.usd or Decimal(0)), each.name)):
        yield str(line.name), line.usd or Decimal(0), line.is_confirmed, _detail(line)
    small = sorted((line for line in paid if line not in large), key=lambda each: each.kind)
    for kind, group in groupby(small, key=lambda each: each.kind):
        found = list(group)
        total = sum((each.usd or Decimal(0) for each in found), Decimal(0))
        name = str(found[0].name) if len(found) == 1 else f"{len(found)} of {kind}"
        yield name, total, all(each.is_confirmed for each in found), ""


def _row(row: tuple[str, Decimal, bool, str]) -> str:
    name, usd, confirmed, detail = row
    mark = " " if confirmed else MARK
    return f"  {in_usd(usd):>10}{mark} {name}{': ' + detail if detail else ''}"


def _detail(line: CostLine) -> str:
    return ", ".join(f"{each.charge.what} {in_usd(each.usd)}" for each in line.amounts if each.usd)


def saving_sentence(saving: Saving) -> str:
    """A saving in words."""
    if saving.usd is None:
        return f"{saving.strategy} ({saving.claim}): no figure, {saving.note}."
    return f"{saving.strategy} ({saving.claim}): {saving.percent} %, {in_usd(saving.usd)} USD a month, {saving.note}."


def assumption_text(each: Described) -> str:
    """An assumption in words."""
    return f"{each.name} = {plain(each.value)} {each.unit}: {each.what}"


def plain(value: Decimal) -> str:
    """A number without an exponent and without trailing zeros."""
    return f"{value.normalize():f}"


def as_json(every: Sequence[Costs]) -> str:
    """The costs for programs: a list with an object for each environment."""
    return json.dumps([_plain(each) for each in every], indent=1, ensure_ascii=False)


def _plain(costs: Costs) -> dict[str, Any]:
    table = costs.table
    is_known = bool(table.sources()) and any(line.usd for line in table.lines)
    return {
        "Environment": costs.environment,
        "Region": table.region,
        "Currency": "USD",
        "Month": _money(table.known()) if is_known else None,
        "WithoutUse": _money(table.idle()) if is_known else None,
        "Unconfirmed": _money(table.unconfirmed()),
        "Assumptions": {each.name: _assumption(each) for each in described(table.assumptions)},
        "Resources": [_line(line) for line in table.lines],
        "Savings": [_saving(each) for each in costs.savings],
        "Prices": [
            {"Source": each.name, "Date": each.day.isoformat(), "Confirmed": each.confirmed}
            for each in table.sources()
        ],
    }


def _assumption(each: Described) -> Mapping[str, str]:
    return {"Value": plain(each.value), "Unit": each.unit, "What": each.what}


def _line(line: CostLine) -> dict[str, Any]:
    return {
        "Stack": line.name.stack,
        "LogicalId": line.name.logical_id,
        "Type": line.kind,
        "Month": _money(line.usd) if line.amounts and line.usd is not None else None,
        "Free": line.free or None,
        "Unknown": line.unknown or None,
        "Charges": [_amount(each) for each in line.amounts],
    }


def _amount(each: Amount) -> dict[str, Any]:
    price = each.charge.price
    return {
        "What": each.charge.what,
        "Month": None if each.usd is None else _money(each.usd),
        "Price": None if price is None else plain(price.usd),
        "Unit": None if price is None else price.unit,
        "Confirmed": bool(price and price.source.confirmed),
    }


def _saving(each: Saving) -> dict[str, Any]:
    return {
        "Strategy": each.strategy,
        "Claim": each.claim,
        "Percent": None if each.percent is None else plain(each.percent),
        "Month": None if each.usd is None else _money(each.usd),
        "Note": each.note,
    }


def _money(usd: Decimal) -> str:
    return in_usd(usd).replace(",", "")
