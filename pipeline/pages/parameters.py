"""The parameter reference: what each parameter accepts, its value in each environment, and what a change does.

The effects of a change take the change engine half a minute. They come from docs/parameters.md, which it writes and a test keeps
current.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pipeline.errors import PipelineError
from pipeline.pages.markdown import inline
from pipeline.pages.reference.page import PAGE as REFERENCE
from pipeline.pages.reference.page import accepts, grouped
from pipeline.pages.site import Page, Site

_ROW = re.compile(r"^\| `(\w+)`")
_CELLS = re.compile(r"(?<!\\)\|")


def content(site: Site) -> Mapping[str, Any]:
    """The variables of parameters.html: ``groups``, each with its name and parameters.

    Raises PipelineError if docs/parameters.md is missing or does not have a parameter.
    """
    root, known = site.release.root, effects()
    groups = []
    for group, declarations in grouped(root).items():
        rows = []
        for declaration in declarations:
            if declaration.name not in known:
                raise PipelineError(
                    f"docs/parameters.md lacks {declaration.name}: run python -m pipeline.pages.reference.page."
                )
            rows.append(
                {
                    "name": declaration.name,
                    "label": declaration.label,
                    "description": declaration.description,
                    "accepts": []
                    if declaration.release
                    else [inline(each) for each in accepts(root, declaration)],
                    "effects": known[declaration.name],
                    "values": {
                        each.name: each.values[declaration.name]
                        for each in site.environments
                        if declaration.name in each.values
                    },
                    "of_release": declaration.release,
                }
            )
        groups.append({"name": group, "parameters": rows})
    return {"groups": groups}


def effects() -> dict[str, list[Markup]]:
    """What a change of each parameter does, from the last column of docs/parameters.md."""
    if not REFERENCE.is_file():
        raise PipelineError(
            "docs/parameters.md is missing: run python -m pipeline.pages.reference.page."
        )
    found: dict[str, list[Markup]] = {}
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        name = _ROW.match(line)
        if name:
            cell = _CELLS.split(line)[-2].strip().replace("\\|", "|")
            found[name[1]] = [inline(each) for each in cell.split("<br>") if each]
    return found


PAGE = Page(
    "parameters",
    "Parameters",
    "What each parameter accepts, its value in each environment, and what a change of it does.",
    content,
)
