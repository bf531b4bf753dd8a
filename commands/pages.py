"""The command that writes the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.common.options import DEFAULT_REGION, Region


def pages(
    region: Region = DEFAULT_REGION,
    output: Annotated[Path | None, typer.Option(help="Folder; default: build/pages.")] = None,
) -> None:
    """Write a static site about what is launched, what it costs and who may do what.

    Open index.html in a browser. The site needs no network.
    """
    from pipeline.aws import require_region
    from pipeline.errors import PipelineError
    from pipeline.pages.site import site_of
    from pipeline.pages.writer import files, write
    from pipeline.release.assemble import assemble

    require_region(region)
    folder = output or Path("build") / "pages"
    site = site_of(assemble(), region)
    found = files(site)
    write(found, folder)
    if found.failures:
        reasons = " ".join(f"{title}: {reason}" for title, reason in found.failures.items())
        raise PipelineError(f"{folder} lacks pages. {reasons}")
    size = sum(map(len, found.contents.values()))
    print(f"Wrote {len(found.contents)} files, {size / 1000:,.0f} kB, to {folder}.")
    for name, problem in site.problems.items():
        print(f"{name} cannot be rendered, and the pages say so: {problem}")
