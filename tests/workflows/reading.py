"""Workflows as text and as YAML, and the script of a step, run like on GitHub."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.paths import PROJECT_FOLDER

GITHUB = PROJECT_FOLDER / ".github"
WORKFLOWS = GITHUB / "workflows"
# The commands of GitHub's shells, https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
SHELLS = {
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"),
    "python": (sys.executable, "-c"),
}


@dataclass(frozen=True)
class Workflow:
    """One workflow file."""

    name: str
    text: str

    @property
    def document(self) -> Mapping[str, Any]:
        """The content of the file; YAML 1.1 reads the key ``on`` as true."""
        found: dict[Any, Any] = yaml.safe_load(self.text)
        document: dict[str, Any] = {**found, "on": found[True]}
        return document

    @property
    def jobs(self) -> Mapping[str, Mapping[str, Any]]:
        """The jobs, by their IDs."""
        jobs: Mapping[str, Mapping[str, Any]] = self.document["jobs"]
        return jobs

    @property
    def triggers(self) -> set[str]:
        """The events that start the workflow."""
        found = self.document["on"]
        return {found} if isinstance(found, str) else set(found)

    def steps(self) -> Iterator[Mapping[str, Any]]:
        """The steps of all jobs."""
        for job in self.jobs.values():
            yield from job["steps"]

    def step(self, job: str, name: str) -> Mapping[str, Any]:
        """A job's step, by its name."""
        found: list[Mapping[str, Any]]
        found = [step for step in self.jobs[job]["steps"] if step.get("name") == name]
        assert len(found) == 1, name
        return found[0]

    def run(
        self, job: str, name: str, folder: Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a step's script in a folder."""
        step = self.step(job, name)
        shell = step.get("shell") or self.document["defaults"]["run"]["shell"]
        return subprocess.run(
            [*SHELLS[shell], step["run"]],
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def workflows() -> list[Workflow]:
    """Every workflow of the repository."""
    files = sorted((*WORKFLOWS.glob("*.yml"), *WORKFLOWS.glob("*.yaml")))
    return [Workflow(path.name, path.read_text(encoding="utf-8")) for path in files]


def workflow(name: str) -> Workflow:
    """The workflow in a file of this name."""
    return Workflow(name, (WORKFLOWS / name).read_text(encoding="utf-8"))
