"""taskcat in an environment that contains only taskcat, as docs/testing.md documents it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from embedded_aws.server import EmbeddedAws
from tests.taskcat.__main__ import only
from tests.taskcat.prerequisites import prepare
from tests.taskcat.tree import lay_out

OFFLINE = Path(__file__).with_name("offline.py")
# The command, with the three changes of offline.py. -P: as for the command, the present folder is not searched for modules.
PROGRAM = """
import runpy, sys
from taskcat._cli import main
offline = runpy.run_path(sys.argv.pop(1))["offline"]
with offline():
    main()
"""
# taskcat asks PyPI for its newest version: the proxy keeps the request on this machine, and taskcat goes on.
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"}


def closure(names: list[str]) -> Iterator[importlib.metadata.Distribution]:
    """The distributions of these names, and all that they require."""
    seen: set[str] = set()
    while names:
        name = re.sub(r"[-_.]+", "-", names.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(name)
        yield distribution
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                names.append(requirement.name)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with taskcat, what it requires, and the setuptools that it imports."""
    folder = tmp_path_factory.mktemp("taskcat") / "venv"
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for distribution in closure(["taskcat", "setuptools"]):
        for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] != ".."}:
            source = Path(str(distribution.locate_file(top)))
            if source.exists() and not (packages / top).exists() and top != "__pycache__":
                (packages / top).symlink_to(source)
    return folder / "bin/python"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The folder of docs/testing.md with one test: taskcat lints a minute for each template and region."""
    tree = lay_out(tmp_path / "tree")
    only(tree, ["network"])
    return tree


def run(
    python: Path, tree: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-P", *arguments],
        cwd=tree,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tree),
            "AWS_EC2_METADATA_DISABLED": "true",
            **NO_NETWORK,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_environment_has_nothing_of_the_project(python: Path, tree: Path) -> None:
    assert run(python, tree, "-c", "import taskcat").returncode == 0
    for module in ("taskcat_plugin_tags", "templates_src", "troposphere", "pytest"):
        assert run(python, tree, "-c", f"import {module}").returncode == 1


@pytest.mark.parametrize("arguments", [(), ("-i", "taskcat.yml")])
def test_templates_are_linted(python: Path, tree: Path, arguments: tuple[str, ...]) -> None:
    script = "from taskcat._cli import main; main()"
    finished = run(python, tree, "-c", script, "lint", *arguments)

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_tests_are_launched(python: Path, tree: Path, embedded: EmbeddedAws) -> None:
    prepare(embedded)
    arguments = ("test", "run", "-i", "taskcat.yml")
    finished = run(
        python,
        tree,
        "-c",
        PROGRAM,
        str(OFFLINE),
        *arguments,
        PYTHONPATH=".",
        **embedded.environment(),
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert (tree / "taskcat_outputs/index.html").exists()
