"""Launching with CloudFormation alone, and deleting what was launched so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from commands.options import (
    DEFAULT_REGION,
    EnvironmentName,
    Region,
    Settings,
    Yes,
    console,
    parsed,
)

if TYPE_CHECKING:
    from pipeline.aws import Aws
    from pipeline.release.assemble import Release
    from pipeline.stacks.deploy import Launched


def launch_directly(
    aws: Aws, release: Release, environment: str, given: dict[str, str], bucket: str
) -> None:
    """Launch the release and show what came of it; exit status 1 where it failed."""
    from commands import show

    launched = launch_release(aws, release, environment, given, bucket)
    if not launched.succeeded:
        show.failures(console(stderr=True), launched)
        raise typer.Exit(1)
    told = "launched" if launched.changed else "has no changes to launch"
    show.pairs(console(), f"{launched.stack} {told} ({launched.status})", launched.outputs)


def launch_release(
    aws: Aws, release: Release, environment: str, given: dict[str, str], bucket: str
) -> Launched:
    """Upload and launch; refuses wrong values before anything is uploaded."""
    from commands import show
    from pipeline.checks.render import render_values
    from pipeline.parameters.profiles import load_profile, resolve
    from pipeline.release.upload import ensure_bucket, release_bucket_name
    from pipeline.release.upload import upload as put
    from pipeline.stacks.deploy import launch as run

    profile = load_profile(release.root, environment)
    named = bucket or given.get("ReleaseBucket", "")
    chosen = named or release_bucket_name(aws.account(), aws.region)
    values = resolve(release.root, profile, {**given, "ReleaseBucket": chosen})
    render_values(release, environment, aws.region, values)
    out = console()
    if not named and ensure_bucket(aws, chosen):
        out.print(f"Made bucket {chosen}.", soft_wrap=True)
    done = put(aws, release, chosen)
    out.print(
        f"Release {done.prefix}: {len(done.written)} files uploaded, {done.present} there before.",
        soft_wrap=True,
    )
    with show.Progress(out) as progress:
        return run(aws, release, values, progress, lambda text: out.print(text, soft_wrap=True))


def delete(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    yes: Yes = False,
) -> None:
    """Delete the stack of an environment. Resources that its templates retain stay in the account."""
    given = parsed(settings)
    from commands import show
    from pipeline.aws import Aws
    from pipeline.parameters.profiles import load_profile, overridden
    from pipeline.release.assemble import assemble
    from pipeline.stacks.deploy import delete as run
    from pipeline.stacks.deploy import stack_name

    root = assemble().root
    values = overridden(root, load_profile(root, environment), given)
    name = stack_name(values)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete stack {name} in {region}?", abort=True)
    out = console()
    with show.Progress(out) as progress:
        deleted = run(Aws(region), name, progress, lambda text: out.print(text, soft_wrap=True))
    if not deleted.succeeded:
        show.failures(console(stderr=True), deleted)
        raise typer.Exit(1)
    print(
        f"Stack {name} is deleted." if deleted.changed else f"There is no stack {name} in {region}."
    )
