"""A launch, an update and a termination that are interrupted and run again end like those without an interruption."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.environments.provisioning import environments
from pipeline.release.assemble import Release
from tests.launches.tree import Tree, end, finished
from tests.provisioning.catalog import Catalog
from tests.provisioning.recording import recording
from tests.provisioning.users import User

NAME = "carbon-connect-dev"
# Each command, and the action by which it changes something.
COMMANDS = {
    "launch": (("launch", "dev", "--set", "ApiMaxTasks=7"), "ProvisionProduct"),
    "update": (("update", "dev", "--set", "ImageTag=1.4.2"), "UpdateProvisionedProduct"),
    "terminate": (("terminate", "dev", "--yes"), "TerminateProvisionedProduct"),
}
INTERRUPTIONS = [
    *((command, moment, signal.SIGKILL) for command in COMMANDS for moment in ("before", "after")),
    ("launch", "after", signal.SIGINT),
    ("update", "after", signal.SIGINT),
]


@dataclass(frozen=True)
class State:
    """The state of an environment: its status and values, and its operations with their results."""

    status: str
    parameters: Mapping[str, str]
    operations: Counter[tuple[str, str]]
    stacks: int


def state(catalog: Catalog) -> State:
    records: list[dict[str, Any]] = catalog.catalog.list_record_history(
        AccessLevelFilter={"Key": "Account", "Value": "self"}
    )["RecordDetails"]
    found = environments.find_environment(catalog.aws, NAME)
    stack = environments.stack_of(catalog.aws, found) if found else None
    stacks = catalog.aws.client("cloudformation").describe_stacks()["Stacks"]
    return State(
        found.status if found else "",
        stack.parameters if stack else {},
        Counter((record["RecordType"], record["Status"]) for record in records),
        len(stacks),
    )


def begun(running: EmbeddedAws, release: Release, command: str) -> Catalog:
    """A catalog with the state before a command."""
    running.reset()
    catalog = Catalog(running)
    catalog.publish(release)
    if command != "launch":
        assert User(catalog.user).launch(ApiMaxTasks="7").succeeded
    return catalog


@pytest.fixture(scope="module")
def undisturbed(running: EmbeddedAws, release: Release, tree: Tree) -> Mapping[str, State]:
    """The state after each command."""
    found = {}
    for name, (command, _) in COMMANDS.items():
        catalog = begun(running, release, name)
        assert tree.run(*command, **catalog.user.environment).returncode == 0
        found[name] = state(catalog)
    return found


@pytest.mark.parametrize(
    ("name", "moment", "number"),
    INTERRUPTIONS,
    ids=[f"{name}, {moment}, {number.name}" for name, moment, number in INTERRUPTIONS],
)
def test_interrupted_operation_that_runs_again_succeeds(
    running: EmbeddedAws,
    release: Release,
    tree: Tree,
    undisturbed: Mapping[str, State],
    name: str,
    moment: str,
    number: signal.Signals,
) -> None:
    catalog = begun(running, release, name)
    command, wanted = COMMANDS[name]
    started: list[subprocess.Popen[str]] = []

    def interrupt(action: str) -> None:
        if action == f"servicecatalog:{wanted}":
            end(started[0], number)

    hooks: dict[str, Any] = {"answer" if moment == "before" else "answered": interrupt}
    with recording(running.endpoint_url, **hooks) as recorded:
        variables = {**catalog.user.environment, "AWS_ENDPOINT_URL": recorded.endpoint_url}
        started.append(tree.start(*command, **variables))
        first = finished(started[0])
    again = tree.run(*command, **catalog.user.environment)

    assert recorded.names().count(f"servicecatalog:{wanted}") == 1
    assert first.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert first.stderr == "build.py: Interrupted; run the same command again to continue.\n"
    # A termination can end before the command runs again: the killed client has sent its request.
    if again.returncode and name == "terminate":
        assert "does not exist" in again.stderr
    else:
        assert (again.returncode, again.stderr) == (0, "")
    assert state(catalog) == undisturbed[name]
