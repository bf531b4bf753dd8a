"""Where boxes and frames stand: three tiers by three zones in the VPC, and the other services in columns beside it.

All lengths are pixels, with y downwards. A box in the subnets of several zones stands in a row across the zones of its tier; one in
a single subnet stands in the cell of its zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.pages.architecture.boxes import INTERNET, Area, Box
from pipeline.pages.architecture.references import Key, Resources

WIDTH, HEIGHT = 144, 50
# Space for lines: between boxes of a row, between rows, and between the VPC and the columns.
BESIDE, BETWEEN, ASIDE = 24, 38, 70
PADDING, HEADER = 16, 34
TIERS = {"Public": "Public subnets", "Private": "Private subnets", "Data": "Data subnets"}
COLUMNS = ((Area.STORAGE,), (Area.SECURITY, Area.OPERATIONS))


@dataclass(frozen=True)
class Rectangle:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Frame:
    """A frame around boxes: ``kind`` is its style, ``title`` its label."""

    kind: str
    title: str
    at: Rectangle


@dataclass
class Placement:
    """The rectangle of each box by name, of each subnet's gate by logical ID, and the frames, from back to front."""

    boxes: dict[str, Rectangle] = field(default_factory=dict)
    gates: dict[str, Rectangle] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    width: float = 0
    height: float = 0


def place(resources: Resources, boxes: list[Box]) -> Placement:
    """The places of all boxes."""
    placement = Placement()
    tiers = _tiers(resources)
    zones = max((len(subnets) for subnets in tiers.values()), default=1)
    rows = {tier: _rows(tiers[tier], boxes) for tier in tiers}
    longest = max((len(row) for each in rows.values() for row in each[0]), default=1)
    inner = max(longest * (WIDTH + BESIDE) + BESIDE, zones * (WIDTH + 2 * BESIDE))
    left, top = PADDING * 2, PADDING + HEIGHT + BETWEEN
    y: float = top + 26
    for tier, subnets in tiers.items():
        y = _place_tier(placement, tier, subnets, rows[tier], (left + PADDING, y), inner)
        y += PADDING
    vpc = Rectangle(left, top, inner + 2 * PADDING, y - top)
    cidrs = [
        str(resources.properties(key)["CidrBlock"]) for key in resources.of_type("AWS::EC2::VPC")
    ]
    placement.frames.insert(0, Frame("vpc", f"VPC {', '.join(cidrs)}", vpc))
    _place_row(
        placement, [box for box in boxes if box.area is Area.OUTSIDE], left, vpc.width, PADDING
    )
    _place_edge(placement, boxes)
    _place_border(placement, boxes, vpc)
    right = _place_columns(placement, boxes, vpc)
    lowest = max(each.y + each.height for each in placement.boxes.values())
    placement.width = right + PADDING
    placement.height = max(vpc.y + vpc.height, lowest) + PADDING
    return placement


def _tiers(resources: Resources) -> dict[str, list[Key]]:
    """The subnets of each tier by the beginning of their names, each list in the order of the zones."""
    subnets = resources.of_type("AWS::EC2::Subnet")
    known = [*TIERS, *sorted({_tier(key) for key in subnets} - TIERS.keys())]
    found = {tier: [key for key in subnets if _tier(key) == tier] for tier in known}
    return {tier: keys for tier, keys in found.items() if keys}


def _tier(subnet: Key) -> str:
    return subnet.logical_id.rstrip("0123456789").removesuffix("Subnet")


Rows = tuple[list[list[Box]], dict[str, list[Box]]]


def _rows(subnets: list[Key], boxes: list[Box]) -> Rows:
    """The boxes of a tier: in rows of at most four across the zones, and those of each single subnet."""
    inside = [box for box in boxes if box.area is Area.SUBNETS and set(box.subnets) & set(subnets)]
    across = [box for box in inside if len(box.subnets) > 1]
    single = {
        subnet.logical_id: [box for box in inside if box.subnets == (subnet,)] for subnet in subnets
    }
    most = 4
    return [across[start : start + most] for start in range(0, len(across), most)], single


def _place_tier(
    placement: Placement,
    tier: str,
    subnets: list[Key],
    rows: Rows,
    corner: tuple[float, float],
    inner: float,
) -> float:
    """Place a tier below ``corner``; returns its lower edge."""
    (x, top), (across, single) = corner, rows
    cell = inner / len(subnets)
    y = top + HEADER
    for row in across:
        _place_row(placement, row, x, inner, y)
        y += HEIGHT + BETWEEN
    depth = max(len(each) for each in single.values())
    for number, subnet in enumerate(subnets):
        for step, box in enumerate(single[subnet.logical_id]):
            _place_row(placement, [box], x + number * cell, cell, y + step * (HEIGHT + BETWEEN))
    y += depth * (HEIGHT + BETWEEN) - BETWEEN + PADDING
    frame = Rectangle(x, top, inner, y - top)
    placement.frames.append(Frame(f"tier {tier.lower()}", TIERS.get(tier, tier), frame))
    for number, subnet in enumerate(subnets):
        at = Rectangle(x + number * cell + 5, top + 5, cell - 10, y - top - 10)
        placement.frames.append(Frame("subnet", f"zone {number + 1}", at))
        # Lines of routes begin at the upper edge of the subnet.
        placement.gates[subnet.logical_id] = Rectangle(at.x + at.width / 2 - 3, at.y - 3, 6, 6)
    return y


def _place_row(placement: Placement, row: Iterable[Box], x: float, width: float, y: float) -> None:
    """Place boxes evenly in a row."""
    found = list(row)
    step = width / len(found) if found else 0
    for number, box in enumerate(found):
        left = x + step * (number + 0.5) - WIDTH / 2
        placement.boxes[box.name] = Rectangle(round(left, 1), y, WIDTH, HEIGHT)


def _place_edge(placement: Placement, boxes: list[Box]) -> None:
    """Place the services of the edge beside the internet."""
    at = placement.boxes[INTERNET]
    for number, box in enumerate(box for box in boxes if box.area is Area.EDGE):
        step = (number // 2 + 1) * (WIDTH + 2 * BESIDE) * (1 if number % 2 == 0 else -1)
        placement.boxes[box.name] = Rectangle(at.x + step, at.y, WIDTH, HEIGHT)


def _place_border(placement: Placement, boxes: list[Box], vpc: Rectangle) -> None:
    """Place gateways on the right border of the VPC, at the level of the subnets that use them."""
    right, y = vpc.x + vpc.width, vpc.y + vpc.height / 2
    for number, box in enumerate(box for box in boxes if box.area is Area.BORDER):
        tops = [
            placement.gates[key.logical_id].y
            for key in box.subnets
            if key.logical_id in placement.gates
        ]
        at = (max(tops) if tops else y) + HEADER + HEIGHT + BETWEEN + number * (HEIGHT + BETWEEN)
        placement.boxes[box.name] = Rectangle(right - WIDTH + 30, at, WIDTH, HEIGHT)


def _place_columns(placement: Placement, boxes: list[Box], vpc: Rectangle) -> float:
    """Place the other services in columns beside the VPC, each area in a frame; returns the right edge."""
    x = vpc.x + vpc.width + ASIDE
    for areas in COLUMNS:
        y = vpc.y
        for area in areas:
            found = [box for box in boxes if box.area is area]
            if not found:
                continue
            top = y
            y += HEADER - 4
            for box in found:
                placement.boxes[box.name] = Rectangle(x + PADDING, y, WIDTH, HEIGHT)
                y += HEIGHT + BESIDE
            y += PADDING - BESIDE
            frame = Rectangle(x, top, WIDTH + 2 * PADDING, y - top)
            placement.frames.append(Frame("area", area.value, frame))
            y += PADDING
        x += WIDTH + 2 * PADDING + BESIDE
    return x - BESIDE
