"""A drawing as SVG: for a page, with links, or as a picture that stands alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from html import escape

from pipeline.pages.architecture.boxes import INTERNET, Box
from pipeline.pages.architecture.drawing import Drawing, Line
from pipeline.pages.architecture.flows import Way
from pipeline.pages.architecture.placement import Frame, Rectangle

ICON = 24
RADIUS = 5
# Letters of the font that fit the width of a box, beside its icon.
TITLE, FACT = 16, 20
STYLE = """
.arch { background: #fff; }
.arch text { font-family: "Amazon Ember", "Helvetica Neue", Roboto, "Segoe UI", Arial, "Liberation Sans", sans-serif; fill: #16191f; }
.arch .frame { fill: none; stroke-width: 1.4; }
.arch .vpc { stroke: #8c4fff; fill: #fdfcff; }
.arch .vpc-label { fill: #6b2fe0; font-weight: 700; font-size: 12px; }
.arch .tier { stroke: none; fill: #e9f6f6; }
.arch .tier.public { fill: #f0f5e4; }
.arch .tier.data { fill: #eaf1fb; }
.arch .tier-label { font-size: 11.5px; font-weight: 700; fill: #37475a; }
.arch .subnet { stroke: #7d8998; stroke-dasharray: 4 3; stroke-width: 1; fill: none; }
.arch .subnet-label { font-size: 10px; fill: #545b64; }
.arch .area { stroke: #aab7b8; fill: #f7f8f8; }
.arch .area-label { font-size: 11.5px; font-weight: 700; fill: #37475a; }
.arch .card { fill: #fff; stroke: #879596; stroke-width: 1; }
.arch .icon { fill: #fff; font-size: 8.5px; font-weight: 700; text-anchor: middle; }
.arch .title { font-size: 11px; font-weight: 700; }
.arch .fact { font-size: 9.2px; fill: #37475a; }
.arch .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.arch .network .line { stroke: #0862b5; }
.arch .grant .line { stroke: #b35900; stroke-dasharray: 5 3; stroke-width: 1.2; }
.arch .common .line { stroke: #687078; stroke-dasharray: 1.5 3; stroke-width: 1.1; }
.arch .head { stroke: none; }
.arch .network .head { fill: #0862b5; }
.arch .grant .head { fill: #b35900; }
.arch .common .head { fill: #687078; }
.arch .label { stroke: #fff; stroke-width: 3px; paint-order: stroke; stroke-linejoin: round; }
.arch .port { font-size: 9.5px; font-weight: 700; fill: #0862b5; stroke: #fff; stroke-width: 3px; paint-order: stroke; stroke-linejoin: round; }
.arch .legend { font-size: 10.5px; fill: #37475a; }
"""


def svg(drawing: Drawing, *, differs: Collection[str] = (), links: bool = True) -> str:
    """The SVG. ``differs`` names the boxes and lines that other environments lack or have differently; ``links`` makes each box lead to
    its resources. Without links, the SVG is a picture that stands alone: it has its style, and lines that a page hides are left out.
    """
    placement = drawing.placement
    legend = 26
    width, height = placement.width, placement.height + legend
    label = f"Architecture of {drawing.environment} in {drawing.region}"
    names = (
        f' role="group" aria-label="{escape(label)}"'
        if links
        else f' role="img" aria-label="{escape(label)}"'
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="arch" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}"{names}>'
    ]
    if not links:
        parts += [f"<title>{escape(label)}</title>", f"<style>{STYLE}</style>"]
        parts.append(f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>')
    parts += [_frame(frame) for frame in placement.frames]
    shown = [line for line in drawing.lines if links or line.way != Way.COMMON.value]
    parts += [_line(drawing, line, differs) for line in shown]
    # Labels stand above the lines, with a light edge that separates the letters from them.
    parts += [_frame_label(frame) for frame in placement.frames]
    parts += [_box(drawing, box, differs, links=links) for box in drawing.boxes.values()]
    parts += _ports(drawing)
    parts += _legend(placement.height + 4, links=links)
    return "\n".join([*parts, "</svg>\n"])


def _frame(frame: Frame) -> str:
    at = frame.at
    return (
        f'<rect class="frame {frame.kind}" x="{at.x:g}" y="{at.y:g}" width="{at.width:g}"'
        f' height="{at.height:g}" rx="{RADIUS}"/>'
    )


def _frame_label(frame: Frame) -> str:
    """The label of a frame at its upper left; that of a zone at the upper right of its subnet."""
    at, kind = frame.at, frame.kind.split()[0]
    x, y = (at.x + at.width - 40, at.y + 14) if kind == "subnet" else (at.x + 11, at.y + 19)
    return f'<text class="label {kind}-label" x="{x:g}" y="{y:g}">{escape(frame.title)}</text>'


def _line(drawing: Drawing, line: Line, differs: Collection[str]) -> str:
    points = list(line.corners)
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    what = "; ".join(f"{flow.what} ({flow.rule})" for flow in line.flows)
    title = f"{drawing.title(line.source)} to {drawing.title(line.target)}: {what}"
    mark = " differs" if line_key(drawing, line) in differs else ""
    return (
        f'<g class="flow {line.way}{mark}" data-from="{line.source}" data-to="{line.target}"><title>{escape(title)}</title>'
        f'<polyline class="line" points="{path}"/>{_head(points)}</g>'
    )


def _head(points: list[tuple[float, float]]) -> str:
    """The head of the arrow, in the direction of the last part."""
    (before, y_before), (x, y) = points[-2], points[-1]
    across, down = (x > before) - (x < before), (y > y_before) - (y < y_before)
    if abs(x - before) >= abs(y - y_before):
        corners = ((x, y), (x - 7 * across, y - 3.5), (x - 7 * across, y + 3.5))
    else:
        corners = ((x, y), (x - 3.5, y - 7 * down), (x + 3.5, y - 7 * down))
    return '<polygon class="head" points="{}"/>'.format(
        " ".join(f"{a:g},{b:g}" for a, b in corners)
    )


def line_key(drawing: Drawing, line: Line) -> str:
    """What identifies a line in every environment."""
    return f"{drawing.title(line.source)} → {drawing.title(line.target)} ({line.way})"


def _box(drawing: Drawing, box: Box, differs: Collection[str], *, links: bool) -> str:
    at = drawing.placement.boxes[box.name]
    mark = " differs" if box.title in differs else ""
    body = "".join(_card(box, at))
    if links and box.name != INTERNET:
        body = f'<a href="#{drawing.environment}-{box.name}">{body}</a>'
    return f'<g class="box{mark}" data-box="{box.name}">{body}</g>'


def _card(box: Box, at: Rectangle) -> Iterator[str]:
    yield f'<rect class="card" x="{at.x:g}" y="{at.y:g}" width="{at.width:g}" height="{at.height:g}" rx="{RADIUS}"/>'
    yield f'<rect x="{at.x + 5:g}" y="{at.y + 13:g}" width="{ICON}" height="{ICON}" rx="3" fill="{box.category.value}"/>'
    yield f'<text class="icon" aria-hidden="true" x="{at.x + 5 + ICON / 2:g}" y="{at.y + 28.5:g}">{escape(box.short)}</text>'
    facts = [fact for fact in box.facts if fact]
    x, y = at.x + ICON + 10, at.y + (29 if not facts else 19 if len(facts) > 1 else 23)
    yield f'<text class="title" x="{x:g}" y="{y:g}">{escape(_short(box.title, TITLE))}</text>'
    for number, fact in enumerate(facts[:2]):
        yield f'<text class="fact" x="{x:g}" y="{y + 12 + 11 * number:g}">{escape(_short(fact, FACT))}</text>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _ports(drawing: Drawing) -> Iterator[str]:
    """The ports of each box that others connect to, once, at the head of a line from above if there is one."""
    ports: dict[str, set[str]] = {}
    heads: dict[str, list[tuple[int, float, float]]] = {}
    for line in drawing.lines:
        found = {flow.what for flow in line.flows if flow.what[0].isdigit()}
        if line.way == Way.NETWORK.value and line.target != INTERNET and found:
            ports.setdefault(line.target, set()).update(found)
            (before, y_before), (x, y) = line.corners[-2], line.corners[-1]
            down = (y > y_before) - (y < y_before) if abs(y - y_before) > abs(x - before) else 0
            heads.setdefault(line.target, []).append((down, x, y))
    for target, each in ports.items():
        down, x, y = max(heads[target], key=lambda head: (abs(head[0]), head[1]))
        text = ", ".join(sorted(each, key=lambda port: (len(port), port)))
        at = (x + 5, y - 8 * down + 3) if down else (x - 30, y - 5)
        yield f'<text class="port" x="{at[0]:g}" y="{at[1]:g}">{escape(text)}</text>'


def _legend(y: float, *, links: bool) -> Iterator[str]:
    entries = [
        (Way.NETWORK, "network: security groups, routes and ports", 250),
        (Way.GRANT, "grants of roles and associations", 200),
    ]
    if links:
        entries.append((Way.COMMON, "logs and keys", 100))
    x = 34.0
    for way, words, width in entries:
        yield (
            f'<g class="{way.value} key"><polyline class="line" points="{x:g},{y + 6:g} {x + 26:g},{y + 6:g}"/>'
            f'{_head([(x, y + 6), (x + 32, y + 6)])}<text class="legend" x="{x + 40:g}" y="{y + 10:g}">{words}</text></g>'
        )
        x += width + 50
