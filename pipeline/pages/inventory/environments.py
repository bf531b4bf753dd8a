"""What the pages about resources share: the resources of each environment, and rows that several environments have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from pipeline.checks.rendered_resources import RenderedResource
from pipeline.pages.site import Site

Row = TypeVar("Row", bound=Hashable)


def resources_of(site: Site) -> dict[str, list[RenderedResource]]:
    """The resources of each environment that can be rendered, by its name."""
    return site.resources


def merged(rows: Mapping[str, Iterable[Row]]) -> list[tuple[Row, str]]:
    """Every row once, in the order of its first environment, with the names of its environments for ``data-environment``."""
    found: dict[Row, list[str]] = {}
    for environment, every in rows.items():
        for row in every:
            names = found.setdefault(row, [])
            if environment not in names:
                names.append(environment)
    return [(row, " ".join(names)) for row, names in found.items()]
