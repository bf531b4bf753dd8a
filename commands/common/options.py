"""Shared by the commands: options, the values of --set, and the console for results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

EnvironmentName = Annotated[
    str, typer.Argument(help="Name of a profile in parameters/, such as dev.")
]
Region = Annotated[str, typer.Option(help="AWS region.")]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Parameter value that replaces the profile's. Repeatable.",
    ),
]
InstanceName = Annotated[
    str,
    typer.Option(
        "--name",
        help="Name of the provisioned product or of the stack; default: PROJECT-ENVIRONMENT.",
    ),
]
Bucket = Annotated[str, typer.Option(help="Release bucket, in the region of the launch.")]
Embedded = Annotated[
    bool, typer.Option("--embedded", help="Use an embedded AWS instead of an account.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
DEFAULT_REGION = "eu-north-1"


def parsed_settings(settings: list[str], option: str = "--set") -> dict[str, str]:
    """The values of --set, or of a similar option, by name.

    Raises BadParameter for a setting without a name or a value, and for a name that occurs twice.
    """
    values: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{option} takes KEY=VALUE, not {setting!r}.")
        if name in values:
            raise typer.BadParameter(f"{option} gives {name} twice; remove one of the two.")
        values[name] = value
    return values


def console(*, stderr: bool = False) -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)
