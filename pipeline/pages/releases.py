"""The release notes: what each release changes for users and data, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.changes.sides import version_numbers
from pipeline.errors import PipelineError
from pipeline.pages.markdown import block
from pipeline.pages.site import Page, Site
from pipeline.paths import RELEASE_PAGES


def content(site: Site) -> Mapping[str, Any]:
    """The variables of releases.html: ``releases``, each with its version and text.

    Raises PipelineError if the notes of this release are missing.
    """
    versions = sorted(
        (path.stem for path in RELEASE_PAGES.glob("[0-9]*.md")), key=version_numbers, reverse=True
    )
    if site.release.version not in versions:
        raise PipelineError(
            f"docs/releases has no page of {site.release.version}: run build.py build."
        )
    releases = []
    for version in versions:
        text = (RELEASE_PAGES / f"{version}.md").read_text(encoding="utf-8")
        # The page has its own heading with the version.
        releases.append({"version": version, "text": block(text.partition("\n")[2], deeper=1)})
    return {"releases": releases}


PAGE = Page(
    "releases",
    "Releases",
    "What each release changes for users and data, and what to do before the update.",
    content,
)
