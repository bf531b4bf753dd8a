"""The shell of a user who types the commands of the pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.launches.tree import clean_environment

# Launches on a machine that does much else.
PATIENCE = 300


class CommandError(AssertionError):
    """A command of a page failed; the message has the block and the output."""


class Shell:
    """Runs blocks: variables and functions stay from one block to the next, and a command that fails ends the block.

    ``environment`` has the settings of the AWS CLI; ``folder`` is the working directory. ``program`` is bash, or sh for
    pages whose commands must run in every shell.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], *, program: str = "bash"
    ) -> None:
        # Programs of this machine that a test replaces are in the first folder.
        self.programs = folder / "programs"
        self.programs.mkdir(exist_ok=True)
        path = [str(self.programs), str(Path(sys.prefix) / "bin"), os.environ["PATH"]]
        self._environment = {
            **clean_environment(environment),
            "PATH": os.pathsep.join(path),
            "AWS_PAGER": "",
            "LC_ALL": "C.UTF-8",
        }
        self.folder, self._program = folder, program
        self._state = folder / "state.sh"
        self._state.write_text("")

    def run(self, *commands: str, **values: str) -> str:
        """Run blocks, with other values for variables that they set; returns what they print.

        Raises CommandError if a command fails.
        """
        text = "\n".join(commands)
        for name, value in values.items():
            text, times = re.subn(rf"^(\s*){name}=.*$", rf"\g<1>{name}={value}", text, flags=re.M)
            assert times, f"no command sets {name}"
        return self.run_as(text, {})

    def run_as(self, text: str, environment: Mapping[str, str]) -> str:
        """Run a script with more environment variables, such as the credentials of a role."""
        is_bash = self._program == "bash"
        options, functions = ("-euao pipefail", "; declare -f") if is_bash else ("-eua", "")
        # The credentials belong to one block.
        kept = f"{{ export -p | grep -v ' AWS_'{functions}; }} > {self._state}"
        script = f"set {options}\n. {self._state}\n{text}\n{kept}\n"
        done = subprocess.run(
            [self._program, "-c", script],
            cwd=self.folder,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise CommandError(
                f"Exit status {done.returncode} of\n{text}\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout

    def value(self, name: str) -> str:
        """The value of a variable."""
        return self.run(f'printf %s "${name}"')

    def replace_program(self, name: str, script: str = "exit 0") -> None:
        """Put a script in the place of a program that needs more than this machine."""
        program = self.programs / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
