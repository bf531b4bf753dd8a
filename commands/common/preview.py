"""Show what an operation changes in an environment, and ask for confirmation."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common.options import console

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.aws import Aws
    from pipeline.environments.preview.preview import Preview
    from pipeline.environments.provisioning.planned_updates import PlannedUpdate, Review
    from pipeline.parameters.environment_values import KeptValue

PreviewOnly = Annotated[
    bool, typer.Option("--preview", help="Show the changes without making them.")
]
AcceptLoss = Annotated[
    list[str],
    typer.Option(
        "--accept-loss",
        metavar="NAME",
        help="Accept that this resource loses its data, such as Data.Database. Repeatable.",
    ),
]
Reset = Annotated[
    list[str],
    typer.Option(
        "--reset",
        metavar="KEY",
        help="With --direct: parameter that takes the profile's value. Repeatable.",
    ),
]


@dataclass(frozen=True)
class Consent:
    """The user's options: accepted losses, whether to ask, and whether to change anything."""

    accepted: tuple[str, ...] = ()
    assume_yes: bool = False
    preview_only: bool = False

    def approve(self, preview: Preview) -> None:
        """Raise PipelineError for what AWS refuses, and DataLossError for a loss that is not accepted.

        Raises nothing if nothing will be changed.
        """
        if not self.preview_only:
            preview.require_possible()
            preview.require_accepted(self.accepted)

    def confirm(self, question: str) -> bool:
        """Whether to continue; asks at a terminal. Raises typer.Abort where the answer is no."""
        if self.preview_only:
            return False
        if not self.assume_yes and sys.stdin.isatty():
            typer.confirm(question, abort=True)
        return True


def show_preview(out: Console, preview: Preview) -> None:
    """Print the changes, one per line."""
    for line in preview.lines():
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def require_launchable(
    aws: Aws,
    consent: Consent,
    values: Mapping[str, str],
    in_force: Mapping[str, str],
    stack_id: str = "",
) -> None:
    """Raise PipelineError for what LaunchCheck would refuse; print it if nothing will be changed. Print what prod does without."""
    from pipeline.environments.preview.launch_checks import refusal
    from pipeline.environments.preview.launch_checks import require_launchable as require
    from pipeline.parameters.cautions import cautions

    if not consent.preview_only:
        require(aws, values, in_force, stack_id)
    elif found := refusal(aws, values, in_force, stack_id):
        print(f"LaunchCheck refuses this: {found}")
    for sentence in cautions(values):
        print(sentence)


def show_kept(out: Console, kept: Mapping[str, KeptValue]) -> None:
    """Print the values that an environment keeps although the profile has others."""
    if not kept:
        return
    heading = "Values that stay, although the profile has others (--reset KEY takes the profile's):"
    out.print(heading, highlight=False, markup=False, soft_wrap=True)
    width = max(map(len, kept))
    for name, value in kept.items():
        origin = " (default of the deployed release)" if value.is_default else ""
        line = f"  {name:<{width}}  {value.deployed or '(empty)'}{origin}  profile: {value.profile or '(empty)'}"
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def update_reviewer(aws: Aws, name: str, product: str, consent: Consent) -> Review:
    """Show what an update does, and ask. ``product`` is the product's key in catalog.yaml."""
    from pipeline.aws import aws_errors
    from pipeline.environments.preview.deployed import read_deployed
    from pipeline.environments.preview.offered import offered_state
    from pipeline.environments.preview.preview import preview
    from pipeline.environments.preview.snapshots import require_alone
    from pipeline.stacks.reading import read_stack

    def review(planned: PlannedUpdate) -> None:
        with aws_errors(f"read the stack of {name}"):
            stack = read_stack(aws, planned.stack.id)
        assert stack is not None  # noqa: S101 - it was just read by its ARN
        deployed = read_deployed(aws, stack)
        require_alone(planned.values, deployed.state.values, same_release=planned.same_version)
        if planned.same_version:
            after = replace(deployed.state, values=planned.values, nested={})
        else:
            after = offered_state(aws, deployed, product, planned.version.name, planned.values)
        found = replace(preview(deployed, after), stack=name)
        show_preview(console(), found)
        require_launchable(aws, consent, after.values, deployed.state.values, planned.stack.id)
        consent.approve(found)
        if not consent.confirm(f"Update {name}?"):
            print(f"Nothing was changed in {name}.")
            raise typer.Exit(0)

    return review
