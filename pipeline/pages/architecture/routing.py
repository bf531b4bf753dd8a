"""The lines between the boxes, which Graphviz routes around them at right angles.

The program is graphviz-pure, a port of Graphviz that writes the same bytes on every platform and comes as a wheel: a picture from the
Graphviz of the machine would change with its version. Only its lines are used; the places of the boxes are fixed (``neato -n2``).
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.pages.architecture.placement import Rectangle

PROGRAM = "graphviz-pure"
SECONDS = 30
# Graphviz measures boxes in inches and places in points.
POINTS = 72
Point = tuple[float, float]
Pair = tuple[str, str]


def routes(places: Mapping[str, Rectangle], pairs: Iterable[Pair]) -> dict[Pair, list[Point]]:
    """The corners of the line of each pair of names, from source to target.

    Raises PipelineError if the program is missing or fails.
    """
    wanted = sorted(set(pairs))
    names = sorted(places)
    numbers = {name: f"n{number}" for number, name in enumerate(names)}
    lines = [
        "digraph {",
        'graph [splines=ortho]; edge [dir=none]; node [shape=box, fixedsize=true, label=""];',
    ]
    for name in names:
        at = places[name]
        x, y = at.centre
        size = f"width={at.width / POINTS:.4f}, height={at.height / POINTS:.4f}"
        lines.append(f'{numbers[name]} [pos="{x:.2f},{-y:.2f}", {size}];')
    lines += [f"{numbers[source]} -> {numbers[target]};" for source, target in wanted]
    answer = _run("\n".join([*lines, "}"]))
    found: dict[Pair, list[Point]] = {}
    back = {number: name for name, number in numbers.items()}
    shift = _shift(answer, back, places)
    for fields in answer:
        if fields[0] == "edge":
            count = int(fields[3])
            numbers_of = [float(each) * POINTS for each in fields[4 : 4 + 2 * count]]
            points = list(zip(numbers_of[::2], numbers_of[1::2], strict=True))
            moved = [(x + shift[0], shift[1] - y) for x, y in points]
            found[back[fields[1]], back[fields[2]]] = corners(moved)
    return found


def _shift(
    answer: list[list[str]], names: Mapping[str, str], places: Mapping[str, Rectangle]
) -> Point:
    """What the program's places are moved by: it begins its drawing at zero."""
    fields = next(fields for fields in answer if fields[0] == "node")
    x, y = places[names[fields[1]]].centre
    return x - float(fields[2]) * POINTS, y + float(fields[3]) * POINTS


def corners(points: list[Point]) -> list[Point]:
    """The corners of a line: without repeated points and points within a straight part."""
    rounded = [(round(x, 1), round(y, 1)) for x, y in points]
    found: list[Point] = []
    for point in rounded:
        if found and _near(found[-1], point):
            continue
        if len(found) > 1 and _straight(found[-2], found[-1], point):
            found[-1] = point
        else:
            found.append(point)
    return found


def _near(first: Point, second: Point) -> bool:
    return abs(first[0] - second[0]) < 0.5 and abs(first[1] - second[1]) < 0.5


def _straight(first: Point, second: Point, third: Point) -> bool:
    return any(
        abs(first[axis] - second[axis]) < 0.5 and abs(second[axis] - third[axis]) < 0.5
        for axis in (0, 1)
    )


def _run(graph: str) -> list[list[str]]:
    """The answer of the program in the format plain, in words."""
    beside = Path(sysconfig.get_path("scripts")) / PROGRAM
    program = str(beside) if beside.exists() else PROGRAM
    command = [program, "-Kneato", "-n2", "-Tplain"]
    try:
        done = subprocess.run(
            command, input=graph, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except FileNotFoundError:
        raise PipelineError(
            f"{PROGRAM}, which draws the lines of the architecture, is not installed for {sys.executable}: run `make setup`."
        ) from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise PipelineError(
            f"{PROGRAM} could not draw the lines of the architecture: {error}"
        ) from None
    return [line.split() for line in done.stdout.splitlines()]
