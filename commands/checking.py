"""Commands that examine the account: check before a launch, and the environments that were launched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from commands.common.options import DEFAULT_REGION, Region, Settings, console, parsed_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.environments.account.findings import Finding


def check(
    environment: Annotated[
        str,
        typer.Argument(help="Name of a profile in parameters/; without one, of a publication."),
    ] = "",
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    direct: Annotated[
        bool, typer.Option("--direct", help="For a launch without Service Catalog.")
    ] = False,
    bucket: Annotated[str, typer.Option(help="With --direct: existing release bucket.")] = "",
    name: Annotated[str, typer.Option(help="Name of the provisioned product.")] = "",
    portfolio: Annotated[str, typer.Option(help="Portfolio of the launch.")] = "",
) -> None:
    """Examine the account before a launch, or before a publication.

    It only reads. The exit status is 1 if a line is no.
    """
    given = parsed_settings(settings)
    if bucket and not direct:
        raise typer.BadParameter("--bucket needs --direct.")
    if not environment and (given or direct or name or portfolio):
        raise typer.BadParameter("--set, --direct, --name and --portfolio need an environment.")
    from commands.launching import product_of
    from pipeline.aws import Aws, require_region
    from pipeline.catalog.spec.document import load_catalog
    from pipeline.environments.account.check import LaunchPlan, check_launch, check_publication
    from pipeline.release.assemble import assemble

    require_region(region)
    aws, release, catalog = Aws(region), assemble(), load_catalog()
    if environment:
        product = None if direct else product_of(environment)
        plan = LaunchPlan(environment, given, product, bucket, name, portfolio)
        found = check_launch(aws, release, catalog, plan)
    else:
        found = check_publication(aws, release, catalog)
    show_findings(found)
    if any(each.holds is False for each in found):
        raise typer.Exit(1)


def show_findings(found: Sequence[Finding]) -> None:
    """Print one line for each finding, and how many of each verdict."""
    out = console()
    styles = {True: "green", False: "red", None: "yellow"}
    width = max(len(each.subject) for each in found)
    for each in found:
        out.print(f"{each.word:<11}", style=styles[each.holds], end=" ", soft_wrap=True)
        out.print(f"{each.subject:<{width}}  {each.text}", soft_wrap=True, markup=False)
    counted = {
        verdict: sum(each.holds is verdict for each in found) for verdict in (True, False, None)
    }
    out.print(
        f"{counted[True]} yes, {counted[False]} no, {counted[None]} cannot tell.",
        style="bold",
        soft_wrap=True,
    )
