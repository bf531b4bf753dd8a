"""Commands that examine the account: check before a launch, and the environments that were launched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common.options import DEFAULT_REGION, Region, Settings, console, parsed_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.environments.account.findings import Finding
    from pipeline.environments.account.launched import Launched


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


def environments(
    regions: Annotated[
        list[str],
        typer.Option("--region", help="AWS region; default: those of catalog.yaml. Repeatable."),
    ] = [],  # noqa: B006 - Typer reads the default
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what was launched, with version, status, cost and losses.

    The last column says what an update to the newest version would lose.
    """
    from pipeline.aws import Aws, require_region
    from pipeline.catalog.spec.document import load_catalog
    from pipeline.environments.account.launched import in_regions
    from pipeline.errors import PipelineError, listed
    from pipeline.release.assemble import assemble

    for region in regions:
        require_region(region)
    catalog = load_catalog()
    chosen = list(dict.fromkeys(regions or catalog.regions))
    found: list[Launched] = []
    failures: list[str] = []
    for region, each in in_regions(chosen, Aws(chosen[0]).in_region, assemble(), catalog):
        if isinstance(each, PipelineError):
            failures.append(f"{region}: {each}")
        else:
            found += each
    if as_json:
        print(json.dumps([each.document() for each in found], indent=1))
    elif found:
        show_environments(found)
    elif not failures:
        print(f"Nothing is launched in {listed(chosen)}.")
    if failures:
        raise PipelineError(" ".join(failures))


def show_environments(found: Sequence[Launched]) -> None:
    """Print a table; a line is never wrapped, so that the output can be piped."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    if not out.is_terminal:
        out.width = 1_000
    table = Table(box=None, pad_edge=False)
    titles = ("Name", "Region", "Launched from", "Version", "Newest", "Status", "Last operation")
    for title in (*titles, "USD a month", "An update would lose"):
        table.add_column(title, overflow="fold")
    for each in found:
        values = (each.name, each.region, each.source, each.version, each.newest, each.status)
        more = (each.operation, each.monthly_usd, each.loses)
        table.add_row(*(Text(value or "-") for value in (*values, *more)))
    out.print(table)
