"""The commands of docs/recovery.md, and a shell that runs them one block after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER
from tests.launches.tree import Tree, clean_environment

PAGE = PROJECT_FOLDER / "docs" / "recovery.md"
# Launches on a machine that does much else.
PATIENCE = 300
HEADING = re.compile(r"^(#{2,3}) (.*)$", re.MULTILINE)
BLOCK = re.compile(r"(?:^    .*\n)+", re.MULTILINE)


def blocks(section: str, text: str = "") -> dict[str, list[str]]:
    """The blocks of commands of a section, by the heading of its step, in their order; the page's own under ""."""
    found: dict[str, list[str]] = {}
    inside, step, start = section == "", "", 0
    text = text or PAGE.read_text(encoding="utf-8")
    for heading in [*HEADING.finditer(text), None]:
        part = text[start : heading.start() if heading else len(text)]
        if inside and (commands := BLOCK.findall(part)):
            found[step] = [re.sub(r"^    ", "", each, flags=re.MULTILINE) for each in commands]
        if heading is None:
            break
        start = heading.end()
        if heading[1] == "##":
            inside, step = heading[2] == section, ""
        else:
            step = heading[2]
    assert found, f"docs/recovery.md has no commands under {section!r}"
    return found


class Shell:
    """A shell of a user: variables stay from one block to the next, and a command that fails ends the test."""

    def __init__(self, running: EmbeddedAws, tree: Tree, **values: str) -> None:
        programs = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
        self._environment = {**clean_environment(running.environment()), "PATH": programs}
        self._folder = tree.folder
        self._variables = tree.folder / "variables.sh"
        self._variables.write_text("")
        self.run(*blocks("")[""], **values)

    def run(self, *commands: str, **values: str) -> str:
        """Run blocks, with other values for variables that they set; returns what they print."""
        text = "\n".join(commands)
        for name, value in values.items():
            text, times = re.subn(rf"^(\s*){name}=.*$", rf"\g<1>{name}={value}", text, flags=re.M)
            assert times, f"no command sets {name}"
        script = f"set -eua\n. {self._variables}\n{text}\nexport -p > {self._variables}\n"
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def value(self, name: str) -> str:
        """The value of a variable."""
        return self.run(f'printf %s "${name}"')
