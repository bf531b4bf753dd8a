"""The README's commands on an environment of the kept release: they update it completely to the next release.

`aws cloudformation deploy` keeps the previous value of a parameter that is not named. So the file contains the location
of the release, and omits the values that belong to one environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.parameters.environment_values import ENVIRONMENT_VALUES
from pipeline.release.assemble import Release
from pipeline.release.upload import upload
from pipeline.stacks.deploy import newest_event
from pipeline.stacks.events import Operation
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.snapshots import keep_snapshot
from tests.launches.test_readme import BUCKET, COMMANDS
from tests.launches.tree import PATIENCE, Tree, clean_environment
from tests.releases.kept import Kept

# Values of the environment that no profile has.
SET = {"ImageTag": "1.0", "DatabaseSnapshotIdentifier": "s"}
# Its waiter would read the stack once, and then after thirty seconds.
LATER = "--no-execute-changeset"


def run(command: str, running: EmbeddedAws, tree: Tree) -> str:
    """Run a command of the README in its folder; returns the output."""
    variables = running.environment()
    # The commands contain the region.
    del variables["AWS_DEFAULT_REGION"]
    programs = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tree.folder,
        env={**clean_environment(variables), "PATH": programs},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A writable copy of the working tree."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")


@pytest.fixture(scope="module")
def updated(running: EmbeddedAws, aws: Aws, tree: Tree, previous: Kept) -> Environment:
    """dev of the kept release, after the commands."""
    make, *update = COMMANDS
    run(make, running, tree)
    upload(aws, previous.release, BUCKET)
    environment = Environment(
        running, previous.release, "dev", REGION, previous.profiles, aws, ReleaseBucket=BUCKET
    )
    keep_snapshot(aws.client("rds"), SET["DatabaseSnapshotIdentifier"])
    environment.launch(**SET)
    since = newest_event(aws, environment.stack)
    prepared = [run(command, running, tree) for command in (update[0], f"{update[1]} {LATER}")][-1]
    change_set = prepared.split("--change-set-name ")[1].split()[0]
    aws.client("cloudformation").execute_change_set(ChangeSetName=change_set)
    operation = Operation(aws, environment.stacks()[""]["StackId"], since)
    assert operation.follow(lambda _: None) == "UPDATE_COMPLETE"
    return environment


def test_every_layer_is_of_the_release(updated: Environment, release: Release) -> None:
    assert updated.outputs()["ReleaseVersion"] == release.version
    assert updated.outputs()["ReleaseLocation"] == f"s3://{BUCKET}/{release.prefix}"


def test_values_of_the_environment_stay(updated: Environment) -> None:
    values = {p["ParameterKey"]: p["ParameterValue"] for p in updated.stacks()[""]["Parameters"]}

    assert {name: values[name] for name in SET} == SET


@pytest.mark.usefixtures("updated")
def test_file_names_every_parameter_but_the_values_of_the_environment(
    tree: Tree, release: Release
) -> None:
    pairs = json.loads((tree.folder / "dist" / "launch" / "dev.json").read_text("utf-8"))

    named = {pair.partition("=")[0] for pair in pairs}
    assert named == release.root.template.parameters.keys() - ENVIRONMENT_VALUES.keys()
