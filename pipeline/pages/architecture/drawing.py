"""The drawing of an environment: its boxes, flows, places and lines."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from pipeline.checks.render import Rendered
from pipeline.pages.architecture.boxes import INTERNET, Box, boxes
from pipeline.pages.architecture.flows import Flow, Way, flows
from pipeline.pages.architecture.kinds import KINDS
from pipeline.pages.architecture.ownership import assign
from pipeline.pages.architecture.placement import Placement, place
from pipeline.pages.architecture.references import Key, Resources
from pipeline.pages.architecture.routing import Point, routes


@dataclass(frozen=True)
class Line:
    """All flows of one way between two boxes, and the corners of their line."""

    source: str
    target: str
    way: str
    flows: tuple[Flow, ...]
    corners: tuple[Point, ...]


@dataclass(frozen=True)
class Drawing:
    """A drawing. ``rest`` holds the resources that belong to no box: the network itself, and what several boxes share."""

    environment: str
    region: str
    boxes: dict[str, Box]
    flows: tuple[Flow, ...]
    lines: tuple[Line, ...]
    placement: Placement
    rest: tuple[Key, ...]

    def title(self, name: str) -> str:
        """The title of a box, or the subnet that a line of a route begins in."""
        return self.boxes[name].title if name in self.boxes else name


def drawing_of(rendered: Rendered) -> Drawing:
    """The drawing of a rendered environment.

    Raises PipelineError if the program that routes the lines fails.
    """
    resources = Resources(rendered)
    found = boxes(resources, KINDS)
    rest = assign(resources, found)
    allowed = flows(resources, found)
    addresses = sorted(_addresses(allowed))
    found[0].facts = (", ".join(addresses),) if addresses else ()
    placement = place(resources, found)
    return Drawing(
        rendered.environment,
        rendered.region,
        {box.name: box for box in found},
        tuple(allowed),
        tuple(_lines(allowed, placement)),
        placement,
        tuple(rest),
    )


def _addresses(allowed: list[Flow]) -> set[str]:
    """The addresses that may connect from outside."""
    return {
        flow.rule.rpartition(" from ")[2]
        for flow in allowed
        if flow.source == INTERNET and " from " in flow.rule
    }


def _lines(allowed: list[Flow], placement: Placement) -> list[Line]:
    """The lines, with one for all flows of a way between two boxes."""
    by_line: dict[tuple[str, str, str], list[Flow]] = defaultdict(list)
    for flow in allowed:
        if flow.way != Way.OUTBOUND.value:
            by_line[flow.source, flow.target, flow.way].append(flow)
    places = {**placement.boxes, **placement.gates}
    # The lines of one way are routed without the others: hidden lines would push the visible ones aside.
    found = []
    ways = ({Way.NETWORK.value, Way.GRANT.value}, {Way.COMMON.value})
    for together in ways:
        keys = [key for key in sorted(by_line) if key[2] in together]
        corners = routes(places, [key[:2] for key in keys])
        found += [Line(*key, tuple(by_line[key]), tuple(corners[key[:2]])) for key in keys]
    return found
