"""The page of the architecture: the drawing of each environment, their differences, and what each box consists of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.pages.architecture.boxes import INTERNET, Box
from pipeline.pages.architecture.drawing import Drawing, drawing_of
from pipeline.pages.architecture.flows import Flow, Way
from pipeline.pages.architecture.svg import STYLE, line_key, svg
from pipeline.pages.site import Page, Site

WORDS = {
    Way.NETWORK.value: "network",
    Way.GRANT.value: "grant",
    Way.OUTBOUND.value: "internet",
    Way.COMMON.value: "logs and keys",
}


def content(site: Site) -> Mapping[str, Any]:
    """The variables of architecture.html: the style, and for each environment its drawing, boxes and other resources.

    ``differences`` has a row for each box that is not the same in all environments.
    """
    drawings = [drawing_of(rendered) for rendered in site.rendered.values()]
    differing = different(drawings)
    return {
        "style": STYLE,
        "drawings": [
            {
                "name": drawing.environment,
                "svg": svg(drawing, differs=differing),
                "boxes": [
                    _details(drawing, box) for box in drawing.boxes.values() if box.name != INTERNET
                ],
                "rest": [str(key) for key in drawing.rest],
            }
            for drawing in drawings
        ],
        "differences": differences(drawings),
    }


def _details(drawing: Drawing, box: Box) -> dict[str, Any]:
    """The section of a box."""
    return {
        "id": f"{drawing.environment}-{box.name}",
        "title": box.title,
        "facts": [fact for fact in box.facts if fact],
        "flows": [
            _flow(drawing, box, flow)
            for flow in drawing.flows
            if box.name in {flow.source, flow.target}
        ],
        "resources": [str(key) for key in box.resources],
    }


def _flow(drawing: Drawing, box: Box, flow: Flow) -> dict[str, str]:
    out = flow.source == box.name
    return {
        "direction": "to" if out else "from",
        "other": drawing.title(flow.target if out else flow.source),
        "way": WORDS[flow.way],
        "what": flow.what,
        "rule": flow.rule,
    }


def different(drawings: list[Drawing]) -> set[str]:
    """The titles of boxes, and the keys of lines, that are not the same in all environments."""
    found: set[str] = set()
    boxes = [{box.title: box.facts for box in each.boxes.values()} for each in drawings]
    lines = [{line_key(each, line) for line in each.lines} for each in drawings]
    for titles in boxes:
        found |= {
            title
            for title, facts in titles.items()
            if any(other.get(title) != facts for other in boxes)
        }
    for keys in lines:
        found |= {key for key in keys if any(key not in other for other in lines)}
    return found


def differences(drawings: list[Drawing]) -> list[dict[str, Any]]:
    """A row for each box that differs: its title, and its facts by environment, or that it is missing."""
    marked = different(drawings)
    titles = dict.fromkeys(
        box.title for each in drawings for box in each.boxes.values() if box.title in marked
    )
    rows = []
    for title in titles:
        cells = {}
        for each in drawings:
            facts = [box.facts for box in each.boxes.values() if box.title == title]
            cells[each.environment] = (
                (", ".join(filter(None, facts[0])) or "yes") if facts else "none"
            )
        rows.append({"title": title, "cells": cells})
    return rows


PAGE = Page(
    "architecture",
    "Architecture",
    "What an environment consists of, and which connections and permissions its rules allow.",
    content,
)
