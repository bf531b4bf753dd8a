"""Commands from source to release: build, lint, render and upload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common.options import (
    DEFAULT_REGION,
    Bucket,
    EnvironmentName,
    Region,
    Settings,
    console,
    parsed_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.checks.lint import Report
    from pipeline.checks.regions.readiness import Readiness
    from pipeline.release.assemble import Release


def build() -> None:
    """Build templates and function packages into dist/ (the default)."""
    from pipeline.release.assemble import assemble

    release = assemble()
    changed = written(release)
    print(
        f"Release {release.prefix} has {len(release.files)} files, {len(changed)} changed on disk."
    )


def written(release: Release) -> list[Path]:
    """Write a release into dist/ and its pages into docs/releases; returns the files that changed.

    Raises PipelineError, before anything is written, for a profile that does not fit the release and for a version that is
    too low for its changes.
    """
    from pipeline.gate.build_check import check_release, write_pages
    from pipeline.parameters.profiles import load_profile, profile_names
    from pipeline.release.assemble import write

    profiles = {name: load_profile(release.root, name) for name in profile_names()}
    pages = check_release(release, profiles)
    return [*write(release), *write_pages(pages)]


def lint(
    region: Annotated[
        list[str], typer.Option(help=f"AWS region; default: {DEFAULT_REGION}. Repeatable.")
    ] = [],  # noqa: B006 - Typer reads the default
    regions: Annotated[
        bool, typer.Option("--regions", help="All regions that `regions` reports as ready.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ignore the results of earlier runs.")
    ] = False,
) -> None:
    """Run cfn-lint on the templates and rendered environments.

    Warnings are failures, and so is a region that you name and that is not ready.
    """
    if regions and region:
        raise typer.BadParameter("--regions uses every region that is ready; remove --region.")
    from pipeline.aws import require_region
    from pipeline.checks.lint import lint as run
    from pipeline.checks.regions.readiness import readiness, ready_regions
    from pipeline.release.assemble import assemble

    for name in region:
        require_region(name)
    release = assemble()
    found = readiness(release, region) if region or regions else []
    report = run(
        release,
        region or [DEFAULT_REGION],
        environments=ready_regions(found) if regions else None,
        fresh=fresh,
    )
    if report.findings or found:
        show_findings(report, found, full=bool(region))
    if report.findings or (region and not all(each.everywhere for each in found)):
        raise typer.Exit(1)
    ready = sum(each.everywhere for each in found)
    where = f"; every environment in {ready} regions" if regions else ""
    print(f"Clean: {report.targets} sets of templates, {report.linted} linted now{where}.")


def show_findings(report: Report, found: Sequence[Readiness], *, full: bool) -> None:
    """Print the findings of cfn-lint, and the regions that are not ready."""
    from commands.common import show
    from pipeline.checks.regions.show import not_ready

    show.findings(console(), report)
    not_ready(console(), found, full=full)


def render(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    output: Annotated[Path | None, typer.Option(help="Output folder.")] = None,
) -> None:
    """Write an environment as JSON, with all values, layer by layer."""
    given = parsed_settings(settings)
    from pipeline.aws import require_region
    from pipeline.checks.render import render as run
    from pipeline.release.assemble import assemble, serialize

    require_region(region)
    rendered = run(assemble(), environment, region, given)
    folder = output or Path("dist") / "rendered" / f"{environment}-{region}"
    folder.mkdir(parents=True, exist_ok=True)
    for layer, body in rendered.layers.items():
        (folder / f"{layer}.json").write_bytes(serialize(body))
    print(f"Wrote {len(rendered.layers)} templates to {folder}.")


def upload(
    bucket: Bucket,
    region: Region = DEFAULT_REGION,
) -> None:
    """Upload the release to a bucket. Existing objects never change."""
    from pipeline.aws import Aws
    from pipeline.release.assemble import assemble
    from pipeline.release.parameter_files import write_launch_files
    from pipeline.release.upload import upload as run

    release = assemble()
    written(release)
    done = run(Aws(region), release, bucket)
    write_launch_files(release, bucket)
    print(
        f"s3://{bucket}/{done.prefix} has the release: {len(done.written)} files written, {done.present} exist already."
    )
