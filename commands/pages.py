"""Commands that describe what is launched: its cost, and the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.common.options import DEFAULT_REGION, Region, Settings, parsed_settings


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


def cost(
    environment: Annotated[
        str, typer.Argument(help="Name of a profile in parameters/; without it, every profile.")
    ] = "",
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    assume: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE", help="Assumed use that replaces the default. Repeatable."
        ),
    ] = [],  # noqa: B006 - Typer reads the default
    region: Region = DEFAULT_REGION,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON with every resource.")
    ] = False,
) -> None:
    """Show what an environment costs a month, by resource, with savings and assumptions.

    The prices are those of eu-north-1. The command calls no AWS service.
    """
    from pipeline.aws import require_region
    from pipeline.checks.render import render
    from pipeline.checks.rendered_resources import rendered_resources
    from pipeline.cost import show
    from pipeline.cost.assumptions import assumed
    from pipeline.cost.savings import savings
    from pipeline.cost.table import monthly_cost
    from pipeline.parameters.profiles import profile_names
    from pipeline.release.assemble import assemble

    require_region(region)
    given, assumptions = parsed_settings(settings), assumed(parsed_settings(assume, "--assume"))
    if given and not environment:
        raise typer.BadParameter("--set applies to one environment; name it.")
    release, every = assemble(), []
    for name in [environment] if environment else profile_names():
        resources = rendered_resources(render(release, name, region, given))
        table = monthly_cost(resources, region, assumptions)
        every.append(show.Costs(name, table, savings(resources, region, assumptions)))
    if as_json:
        print(show.as_json(every))
    else:
        print("\n".join(show.lines(every[0]) if environment else show.summaries(every)))
