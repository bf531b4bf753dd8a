"""Launch with CloudFormation alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import typer

from commands.common.options import console
from commands.common.preview import Consent, require_launchable, show_kept, show_preview

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.aws import Aws
    from pipeline.environments.preview.deployed import Deployed
    from pipeline.environments.preview.preview import Preview
    from pipeline.release.assemble import Release
    from pipeline.stacks.change_set_creation import Note, Review
    from pipeline.stacks.deploy import Launched, Report


@dataclass(frozen=True)
class DirectLaunch:
    """The user's input: values, parameters that take the profile's value, a bucket, and consent.

    ``examine`` says whether a new environment is launched only after the check of the account; an empty embedded AWS needs none.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    reset: tuple[str, ...] = ()
    bucket: str = ""
    consent: Consent = field(default_factory=Consent)
    examine: bool = True

    @property
    def named_bucket(self) -> str:
        """The release bucket that the user names; empty if none."""
        return self.bucket or self.given.get("ReleaseBucket", "")


def launch_directly(aws: Aws, release: Release, environment: str, wanted: DirectLaunch) -> None:
    """Launch the release and print the result; exit status 1 after a failure."""
    from commands.common import show

    launched = launch_release(aws, release, environment, wanted)
    if launched is None:
        return
    if not launched.succeeded:
        show.failures(console(stderr=True), launched)
        raise typer.Exit(1)
    result = "launched" if launched.changed else "is up to date"
    if wanted.consent.preview_only:
        print(f"Nothing was changed in {launched.stack}.")
        return
    show.pairs(console(), f"{launched.stack} {result} ({launched.status})", launched.outputs)


def launch_release(
    aws: Aws, release: Release, environment: str, wanted: DirectLaunch
) -> Launched | None:
    """Preview, upload and launch; rejects invalid values, and loss of data, before it uploads.

    None for the preview of a first launch.
    """
    from commands.common import show
    from pipeline.stacks.deploy import launch as run
    from pipeline.stacks.diagnosis.progress import ServiceWatch

    out = console()

    def note(text: str) -> None:
        out.print(text, soft_wrap=True, markup=False)

    with show.Progress(out) as progress:
        values, found = before_upload(aws, release, environment, wanted, progress, note)
    if found is None and wanted.consent.preview_only:
        note(f"Stack {stack_of(values)} does not exist yet; the launch creates everything.")
        return None
    put_release(aws, release, values, wanted, note)
    review = None if found is None else reviewer(aws, found, wanted.consent, out)
    with show.Progress(out) as progress:
        return run(aws, release, values, ServiceWatch(aws, progress, note), note, review)


def before_upload(
    aws: Aws,
    release: Release,
    environment: str,
    wanted: DirectLaunch,
    progress: Report,
    note: Note,
) -> tuple[Mapping[str, str], Preview | None]:
    """The values of the launch, with the preview if the environment exists. Writes nothing.

    Raises PipelineError for an invalid value and for a stack that cannot be read, DataLossError for a loss that is not accepted.
    """
    from pipeline.environments.preview.deployed import read_deployed
    from pipeline.parameters.environment_values import values_of_update
    from pipeline.parameters.profiles import load_profile, with_overrides
    from pipeline.release.upload import release_bucket_name
    from pipeline.stacks.deploy import holds_environment

    profile = load_profile(release.root, environment)
    named_values = with_overrides(release.root, profile, wanted.given)
    bucket = wanted.named_bucket or release_bucket_name(aws.account(), aws.region)
    stack = updatable_stack(aws, named_values, progress, note)
    deployed = read_deployed(aws, stack) if stack and holds_environment(stack) else None
    present = deployed.state.values if deployed else {}
    chosen = values_of_update(
        release.root,
        profile,
        present,
        {**wanted.given, "ReleaseBucket": bucket},
        wanted.reset,
        stack_of(named_values),
        deployed.defaults if deployed else {},
    )
    require_valid(aws, release, environment, chosen.values, present)
    show_kept(console(), chosen.kept)
    found = update_preview(release, deployed, chosen.values) if deployed else None
    if found:
        show_preview(console(), found)
    require_launchable(
        aws,
        wanted.consent,
        chosen.values,
        present,
        stack["StackId"] if stack and deployed else "",
    )
    if found:
        wanted.consent.approve(found)
    if stack is None and wanted.examine and not wanted.consent.preview_only:
        examine(aws, release, environment, chosen.values, wanted.named_bucket)
    return chosen.values, found


def examine(
    aws: Aws, release: Release, environment: str, values: Mapping[str, str], named_bucket: str
) -> None:
    """Raise PipelineError for a new environment that the account cannot have.

    Another launch of the environment that has just begun takes its names; this launch follows it.
    """
    from pipeline.environments.account.requirements import require_launch
    from pipeline.errors import PipelineError
    from pipeline.stacks.deploy import describe_stack

    try:
        require_launch(aws, release, environment, values, named_bucket)
    except PipelineError:
        if describe_stack(aws, stack_of(values)) is None:
            raise


def updatable_stack(
    aws: Aws, values: Mapping[str, str], progress: Report, note: Note
) -> Mapping[str, Any] | None:
    """The stack of an environment when no operation is in progress; None if it does not exist.

    Raises PipelineError for a stack in a state without updates.
    """
    from pipeline.stacks.deploy import direct_entry, require_updatable, wait_until_settled

    stack = wait_until_settled(aws, stack_of(values), progress, note)
    if stack:
        require_updatable(stack, aws.region, direct_entry(aws.region, values))
    return stack


def require_valid(
    aws: Aws,
    release: Release,
    environment: str,
    values: Mapping[str, str],
    present: Mapping[str, str],
) -> None:
    """Raise PipelineError for values to which the environment cannot change, or which the region does not support."""
    from pipeline.checks.regions.requirements import require_ready
    from pipeline.checks.render import render_values
    from pipeline.environments.preview.snapshots import require_alone
    from pipeline.parameters.in_force import require_reachable

    if present:
        require_reachable(present, values, aws.region)
    same_release = present.get("ReleasePrefix") == release.prefix
    require_alone(values, present, same_release=same_release)
    require_ready(release, render_values(release, environment, aws.region, values))


def update_preview(release: Release, deployed: Deployed, values: Mapping[str, str]) -> Preview:
    """What the release with these values changes in a deployed environment."""
    from pipeline.changes.sides import of_release
    from pipeline.environments.preview.preview import preview

    templates = of_release(release, {}).templates
    return preview(deployed, replace(deployed.state, templates=templates, values=values, nested={}))


def put_release(
    aws: Aws, release: Release, values: Mapping[str, str], wanted: DirectLaunch, note: Note
) -> None:
    """Upload the release to its bucket, which is created unless the user named one."""
    from pipeline.release.upload import ensure_bucket
    from pipeline.release.upload import upload as put

    bucket = values["ReleaseBucket"]
    if not wanted.named_bucket and ensure_bucket(aws, bucket):
        note(f"Created bucket {bucket}.")
    done = put(aws, release, bucket)
    note(
        f"Release {done.prefix}: {len(done.written)} files uploaded, {done.present} exist already."
    )


def reviewer(aws: Aws, found: Preview, consent: Consent, out: Console) -> Review:
    """Show the change set of CloudFormation next to the preview, and ask for confirmation."""
    from pipeline.environments.preview.disagreements import lines
    from pipeline.stacks.change_sets import announced

    def review(change_set: Mapping[str, Any]) -> bool:
        for line in lines(found, announced(aws, change_set["ChangeSetId"])):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        return consent.confirm(f"Update {found.stack}?")

    return review


def stack_of(values: Mapping[str, str]) -> str:
    """The name of an environment's stack."""
    from pipeline.stacks.deploy import stack_name

    return stack_name(values)
