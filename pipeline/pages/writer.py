"""The files of the site: every page with the shared style and script."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.errors import PipelineError
from pipeline.pages.contents import PAGES
from pipeline.pages.site import Page, Site

FOLDER = Path(__file__).parent
ASSETS = ("site.css", "site.js", "costs.js")
# The template of a page that cannot be produced.
FAILED = "failed"
_BREAKS = re.compile(r"(::|[.:/_-])|(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Files:
    """The site: the content of each file by name, and the reason for each page that could not be produced, by title."""

    contents: dict[str, bytes]
    failures: dict[str, str]


def files(site: Site, pages: Sequence[Page] = PAGES) -> Files:
    """All files of the site. The first page is also ``index.html``.

    A page that raises PipelineError contains the reason instead, and the other pages are complete.
    """
    templates = Templates(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["breakable"] = breakable
    contents = {name: (FOLDER / "assets" / name).read_bytes() for name in ASSETS}
    failures: dict[str, str] = {}
    for page in pages:
        shared = {"site": site, "page": page, "pages": pages, "first": pages[0]}
        try:
            name, variables = page.name, dict(page.content(site))
        except PipelineError as error:
            failures[page.title] = str(error)
            name, variables = FAILED, {"reason": str(error)}
        text = templates.get_template(f"{name}.html").render(**shared, **variables)
        contents[address(page, pages)] = text.encode()
    return Files(contents, failures)


def breakable(text: str) -> Markup:
    """A long name that may break before a capital letter and after punctuation, and not within a word."""
    return Markup(_BREAKS.sub(r"\1<wbr>", str(escape(text))))  # noqa: S704 - the text is escaped


def address(page: Page, pages: Sequence[Page] = PAGES) -> str:
    """The name of a page's file; the first page opens with the folder."""
    return "index.html" if page is pages[0] else f"{page.name}.html"


def write(found: Files, folder: Path) -> None:
    """Replace the folder by the site.

    Raises PipelineError if the folder has files that are not of a site.
    """
    present = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if present and "site.css" not in present:
        raise PipelineError(
            f"{folder} has other files, such as {present[0]}: name an empty folder with --output."
        )
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, content in found.contents.items():
        (draft / name).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
