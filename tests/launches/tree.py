"""build.py as a program, in a copy of the working tree, because a launch writes to dist/."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.paths import PROJECT_FOLDER

SOURCES = ("commands", "templates_src", "pipeline", "embedded_aws", "parameters", "notes", "dist")
FILES = ("build.py", "catalog.yaml", "setup.cfg", "README.md")
# A launch takes two seconds; the limit is for a busy machine.
PATIENCE = 120

Finished = subprocess.CompletedProcess[str]


class Tree:
    """A copy of a fresh clone after its set-up, .venv included."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in SOURCES:
            shutil.copytree(PROJECT_FOLDER / name, folder / name)
        for name in FILES:
            shutil.copy2(PROJECT_FOLDER / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start build.py in a separate process group, like a shell."""
        return subprocess.Popen(
            [sys.executable, self.folder / "build.py", *arguments],
            env=clean_environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **variables: str) -> Finished:
        """Run build.py to its end."""
        return finished(self.start(*arguments, **variables))


def finished(process: subprocess.Popen[str]) -> Finished:
    """The result of a process; a process that does not end is a failure."""
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        end(process, signal.SIGKILL)
        raise
    return Finished(process.args, process.returncode, output, errors)


def end(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal a process and its children, like a terminal at Ctrl-C."""
    os.killpg(process.pid, number)


def clean_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment variables without an AWS account, and these variables."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**own, "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **variables}
