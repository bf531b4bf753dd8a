"""The command that shows what a release, or a value, changes in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from commands.common.options import DEFAULT_REGION, Region, Settings, parsed_settings

if TYPE_CHECKING:
    from pipeline.changes.report import Report


def changes(
    old: Annotated[
        str,
        typer.Argument(
            help="The state before the change: a folder such as dist, a kept release such as 1.1.0, a Git revision or the "
            "ReleaseLocation of a published version; or an environment, with --set."
        ),
    ],
    new: Annotated[
        str, typer.Argument(help="The state after the change, in one of the same forms.")
    ] = "",
    environment: Annotated[list[str], typer.Option(help="Only this environment. Repeatable.")] = [],  # noqa: B006 - Typer reads the default
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    region: Region = DEFAULT_REGION,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Show what a release or a value does to resources and data.

    The command changes nothing, and calls AWS only to read a published version.
    """
    from pipeline.aws import require_region
    from pipeline.changes import report as show

    if as_json and as_markdown:
        raise typer.BadParameter("--json and --markdown exclude each other; use one.")
    require_region(region)
    reports = change_reports(old, new, environment, parsed_settings(settings), region)
    if as_json:
        print(show.as_json(reports))
    elif as_markdown:
        print(show.markdown(reports), end="")
    else:
        print("\n".join(show.lines(reports)))


def change_reports(
    old: str, new: str, environments: list[str], given: dict[str, str], region: str
) -> list[Report]:
    """The reports of the environments on both sides, or of one environment and its new values."""
    from pipeline.changes.report import report
    from pipeline.changes.sides import of_release, side
    from pipeline.parameters.profiles import load_profile, profile_names, with_overrides
    from pipeline.release.assemble import assemble

    if not new:
        if not given:
            raise typer.BadParameter("Name two sides, or an environment and --set KEY=VALUE.")
        release = assemble()
        profile = load_profile(release.root, old)
        with_overrides(release.root, profile, given)
        tree = of_release(
            release, {name: load_profile(release.root, name) for name in profile_names()}
        )
        return [report(old, tree.state(old, region), tree.state(old, region, **given))]
    if given:
        raise typer.BadParameter("--set applies to one environment; remove the second side.")
    before, after = side(old, region), side(new, region)
    names = environments or sorted(before.profiles.keys() & after.profiles.keys())
    return [report(name, before.state(name, region), after.state(name, region)) for name in names]
