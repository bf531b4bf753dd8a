"""The monthly cost in the description of a product."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from pipeline.catalog.desired.product_profiles import profile_values
from pipeline.catalog.spec.model import Product
from pipeline.checks.render import render
from pipeline.checks.rendered_resources import rendered_resources
from pipeline.cost import prices
from pipeline.cost.table import CostTable, monthly_cost
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release

_DOLLAR = Decimal(1)


def cost_sentence(release: Release, product: Product, region: str) -> str:
    """What an environment with the product's profile costs; empty for a layer, whose values the launch decides.

    The sentence follows from the templates, the profile and the prices alone, and has whole dollars, so that a publication
    without a change of these leaves the description as it is.
    """
    if not product.profile:
        return ""
    if region != prices.REGION:
        return (
            f"The monthly cost in {region} is not known: the prices are those of {prices.REGION}."
        )
    values = profile_values(release, product)
    templates = tuple(sorted(release.files.items()))
    return _of_launch(_Launch(product.profile, templates, tuple(sorted(values.items())), release))


@dataclass(frozen=True)
class _Launch:
    """What decides the cost."""

    profile: str
    templates: tuple[tuple[str, str | bytes], ...] = field(repr=False)
    values: tuple[tuple[str, str], ...]
    release: Release = field(compare=False, repr=False)


@lru_cache(maxsize=16)
def _of_launch(launch: _Launch) -> str:
    """The sentence, computed once for the products of several portfolios and accounts."""
    try:
        rendered = render(launch.release, launch.profile, prices.REGION)
    except PipelineError:
        # The launch, and the checks of a release, name the reason; the description is complete without the cost.
        return ""
    table = monthly_cost(rendered_resources(rendered))
    return _sentence(table) if table.sources() else ""


def _sentence(table: CostTable) -> str:
    month, idle = (usd.quantize(_DOLLAR) for usd in (table.known(), table.idle()))
    days = [source.day for source in table.sources()]
    mark = " that are partly not confirmed" if table.unconfirmed() else ""
    return (
        f"About {month} USD a month in {table.region} with the values of the profile and a small assumed use, {idle} USD "
        f"without any use, at prices of {days[0]} to {days[-1]}{mark}."
    )
