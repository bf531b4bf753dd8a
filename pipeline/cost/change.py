"""The monthly cost of an environment before and after a change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from pipeline.cost import prices
from pipeline.cost.charge import Resource
from pipeline.cost.table import CostTable, in_usd, monthly_cost, to_cents
from pipeline.errors import listed


@dataclass(frozen=True)
class CostChange:
    """The cost before and after a change, with the default assumptions."""

    before: CostTable
    after: CostTable

    @property
    def difference(self) -> Decimal | None:
        """US dollars a month that are added, of amounts to the cent; None in a region without prices."""
        if self.after.region != prices.REGION:
            return None
        return to_cents(self.after.known()) - to_cents(self.before.known())

    def sentence(self) -> str:
        """The change in words."""
        difference = self.difference
        if difference is None:
            return self.after.summary()
        unknown = {str(line.name) for side in (self.before, self.after) for line in side.unknown()}
        less = f", without {listed(sorted(unknown))}, whose price is not known" if unknown else ""
        before, after = in_usd(self.before.known()), in_usd(self.after.known())
        if before == after:
            return f"Monthly cost: about {after} USD, as before{less}."
        sign = "+" if difference > 0 else ""
        return f"Monthly cost: about {before} USD before, {after} USD after ({sign}{in_usd(difference)}){less}."


def cost_change(
    before: Iterable[Resource], after: Iterable[Resource], region: str = prices.REGION
) -> CostChange:
    """The cost of two sets of evaluated resources in a region."""
    return CostChange(monthly_cost(before, region), monthly_cost(after, region))
