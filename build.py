"""The command line. Run `.venv/bin/python build.py --help`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import typer

from commands import (
    building,
    changes,
    checking,
    deleting,
    diagnosing,
    launching,
    pages,
    publishing,
    regions,
)

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # One line, so that the help fits on one screen.
    help="Carbon Connect. Example: .venv/bin/python build.py launch dev --embedded",
)
# Each command and its example, in the order of the help.
COMMANDS: dict[Callable[..., None], str] = {
    building.build: "build",
    building.lint: "lint --region us-east-1",
    building.render: "render prod --region eu-west-1",
    regions.regions: "regions --region eu-central-1",
    changes.changes: "changes 1.1.0 dist",
    pages.cost: "cost prod --set NatGateways=per-zone",
    pages.pages: "pages",
    building.upload: "upload --bucket my-releases",
    publishing.plan: "plan --region eu-north-1",
    publishing.publish: "publish --yes",
    checking.check: "check dev",
    launching.launch: "launch dev --set ApiMaxTasks=12",
    launching.update: "update dev --set ImageTag=1.4.3",
    deleting.terminate: "terminate dev",
    launching.status: "status dev",
    launching.outputs: "outputs dev",
    checking.environments: "environments",
    diagnosing.why: "why dev",
    diagnosing.logs: "logs dev worker --follow",
    diagnosing.run: "run dev -- python -m app.database",
    deleting.delete: "delete dev",
}
for command, example in COMMANDS.items():
    app.command(epilog=f"Example: .venv/bin/python build.py {example}")(command)
# Exit status after Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Build, lint, publish, launch and update Carbon Connect's infrastructure."""
    if context.invoked_subcommand is None:
        building.build()


def main() -> None:
    """Run a command. A refusal is one sentence on standard error with exit status 1; 2 for wrong usage, 3 for data
    that would be lost.
    """
    from pipeline.errors import PipelineError

    os.chdir(Path(__file__).parent)
    try:
        status = app(standalone_mode=False)
    except PipelineError as refusal:
        exit_with(str(refusal), refusal.exit_status)
    except typer.TyperException as error:
        exit_with(usage(error), getattr(error, "exit_code", 2))
    except OSError as error:
        exit_with(f"Could not use {error.filename or 'a file'}: {error.strerror or error}.", 1)
    except typer.Abort:
        exit_with("Nothing was changed.", 1)
    if status == INTERRUPTED:
        exit_with("Interrupted; run the same command again to continue.", INTERRUPTED)
    sys.exit(status or 0)


def usage(error: Exception) -> str:
    """The error in a command line, and where its help is."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    program = context.command_path if context else Path(__file__).name
    return f"{' '.join(message.split()).rstrip('.')}; see `.venv/bin/python {program} --help`."


def exit_with(sentence: str, status: int) -> NoReturn:
    """Print the error and end the program."""
    print(f"build.py: {sentence}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
