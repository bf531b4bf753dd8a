"""An embedded AWS and a folder for each module, and one test for each of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws.server import EmbeddedAws
from tests.conftest import REGION
from tests.documentation.shell import Shell
from tests.documentation.steps import Scene
from tests.launches.tree import Tree

# Programs that need more than this machine, and what stands in for them.
STANDINS = {
    # The public DNS.
    "dig": "exit 0",
    # A daemon, and Amazon ECR.
    "docker": "exit 0",
    # A load balancer that answers.
    "openssl": "exit 0",
    "curl": "exit 0",
    # A container that ECS runs. The AWS CLI passes it the session that ECS has opened.
    "session-manager-plugin": "exit 0",
}


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    """A separate embedded AWS for the module; empty at its start."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def empty(running: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A user with a fresh clone."""
    folder: Path = tmp_path_factory.mktemp("clone") / "carbon-connect"
    tree = Tree(folder)
    shell = Shell(folder, running.environment())
    for name, script in STANDINS.items():
        shell.replace_program(name, script)
    return Scene(running, tree, shell)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each of the module's STEPS, in their order."""
    if "step" in metafunc.fixturenames:
        metafunc.parametrize("step", metafunc.module.STEPS, ids=str)
