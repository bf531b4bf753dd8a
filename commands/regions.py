"""The command that says where an environment can be launched."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import console


def regions(
    region: Annotated[
        list[str], typer.Option(help="AWS region, instead of all of them. Repeatable.")
    ] = [],  # noqa: B006 - Typer reads the default
    profile: Annotated[
        list[str], typer.Option(help="Profile in parameters/, instead of all. Repeatable.")
    ] = [],  # noqa: B006 - Typer reads the default
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, every reason.")] = False,
) -> None:
    """Say in which regions each environment can be launched, and why not.

    Of a region that is named it says so in full, and exit status 1 means that one is not ready.
    """
    from pipeline.checks.regions import show
    from pipeline.checks.regions.readiness import readiness, untold_of
    from pipeline.release.assemble import assemble

    release = assemble()
    found = readiness(release, region, profile)
    untold = untold_of(release, profile)
    if as_json:
        print(show.as_json(found, untold))
    else:
        show.as_table(console(), found, untold, full=bool(region))
    if region and not all(each.everywhere for each in found):
        raise typer.Exit(1)
