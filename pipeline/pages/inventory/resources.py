"""The resources of an environment by layer: what a change of each does, what it costs a month, and where its source is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.changes.state import Resource
from pipeline.changes.updates.effects import UpdateEffects, update_effects
from pipeline.checks.rendered_resources import RenderedResource
from pipeline.cost import prices
from pipeline.cost.table import CostLine, in_usd, monthly_cost
from pipeline.pages.inventory.environments import merged, resources_of
from pipeline.pages.site import Page, Site

DEFAULT_POLICY = "Delete"


@dataclass(frozen=True)
class Row:
    """One resource of a layer. ``price`` is a number of US dollars; without one, ``reason`` says why."""

    id: str
    layer: str
    name: str
    kind: str
    deletion: str
    replacement: str
    effects: UpdateEffects
    price: str
    reason: str
    confirmed: bool
    source: str


def content(site: Site) -> Mapping[str, Any]:
    """The variables of resources.html: the resources of each layer, each with its environments and the rows of these.

    A resource that differs between environments has several rows.
    """
    sources = {layer.name: layer.sources for layer in (site.release.root, *site.release.layers)}
    rows = {
        name: list(_rows(each, site.region, sources)) for name, each in resources_of(site).items()
    }
    layers: dict[str, dict[str, list[tuple[Row, str]]]] = {name: {} for name in sources}
    for row, environments in sorted(merged(rows), key=lambda pair: (pair[0].name, pair[1])):
        layers[row.layer].setdefault(row.id, []).append((row, environments))
    return {
        "layers": {
            layer: [
                (name, " ".join(environments for _, environments in found), found)
                for name, found in resources.items()
            ]
            for layer, resources in layers.items()
        },
        "prices_region": prices.REGION,
    }


def _rows(
    resources: list[RenderedResource], region: str, sources: Mapping[str, Mapping[str, str]]
) -> Iterator[Row]:
    lines = {line.name: line for line in monthly_cost(resources, region).lines}
    for each in resources:
        line = lines[each.name]
        price, reason = _price(line)
        deletion = str(each.body.get("DeletionPolicy", DEFAULT_POLICY))
        yield Row(
            str(each.name),
            each.layer,
            each.name.logical_id,
            each.kind,
            deletion,
            str(each.body.get("UpdateReplacePolicy", DEFAULT_POLICY)),
            update_effects(Resource(each.name, each.kind, each.properties, each.body)),
            price,
            reason,
            line.is_confirmed,
            sources.get(each.layer, {}).get(each.name.logical_id, ""),
        )


def _price(line: CostLine) -> tuple[str, str]:
    if line.unknown:
        return "", line.unknown
    if line.free:
        return "", line.free
    return in_usd(line.usd or prices.price("0", prices.MONTH).usd), ", ".join(
        each.charge.what for each in line.amounts
    )


PAGE = Page(
    "resources",
    "Resources",
    "Each resource by layer: what a change of it does, what remains after its deletion, and what it costs a month.",
    content,
)
