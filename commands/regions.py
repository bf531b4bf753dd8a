"""The command that shows where an environment can be launched."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.common.options import console


def regions(
    region: Annotated[list[str], typer.Option(help="Only this AWS region. Repeatable.")] = [],  # noqa: B006 - Typer reads the default
    profile: Annotated[
        list[str], typer.Option(help="Only this profile in parameters/. Repeatable.")
    ] = [],  # noqa: B006 - Typer reads the default
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with every reason.")] = False,
) -> None:
    """Show the regions in which each environment can be launched.

    For a region that you name, show every reason; the exit status is 1 if it is not ready.
    """
    from pipeline.checks.regions import show
    from pipeline.checks.regions.readiness import readiness, unlisted_uses
    from pipeline.release.assemble import assemble

    release = assemble()
    found = readiness(release, region, profile)
    unlisted = unlisted_uses(release, profile)
    if as_json:
        print(show.as_json(found, unlisted))
    else:
        show.as_table(console(), found, unlisted, full=bool(region))
    if region and not all(each.everywhere for each in found):
        raise typer.Exit(1)
