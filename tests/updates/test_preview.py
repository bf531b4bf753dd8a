"""build.py launch --direct of this release over an environment of each kept release."""

from __future__ import annotations

import re

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment, Resource
from tests.launches.snapshots import keep_snapshot
from tests.launches.tree import Finished, Tree
from tests.releases.kept import Kept

SET = {"ImageTag": "1.0", "DatabaseSnapshotIdentifier": "s", "ApiMaxTasks": "7"}
STACK = "carbon-connect-dev"
DISAGREEMENT = re.compile(
    r"  (\S+) \((\S+)\): AWS says (.+); the comparison of the templates says (.+)\."
)


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, aws: Aws, previous: Kept) -> Environment:
    """dev of the kept release, with values that no profile has."""
    made = Environment(running, previous.release, "dev", REGION, previous.profiles, aws)
    keep_snapshot(aws.client("rds"), SET["DatabaseSnapshotIdentifier"])
    assert made.launch(**SET).succeeded
    return made


@pytest.fixture(scope="module")
def before(environment: Environment) -> dict[str, Resource]:
    """Its resources before the update."""
    return environment.resources()


@pytest.fixture(scope="module")
def updated(
    before: dict[str, Resource], running: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory
) -> Finished:
    """The launch of this release."""
    del before
    tree = Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")
    return tree.run("launch", "dev", "--direct", **running.environment())


def test_update_succeeds_without_data_loss(updated: Finished) -> None:
    assert (updated.returncode, updated.stderr) == (0, "")
    lines = updated.stdout.splitlines()
    assert f"What changes in {STACK}:" in lines
    assert not any("Data is lost" in line for line in lines)
    assert f"{STACK} launched (UPDATE_COMPLETE)" in lines


def test_replacement_that_aws_announces_and_that_does_not_happen_is_shown_with_both_verdicts(
    updated: Finished, environment: Environment, before: dict[str, Resource]
) -> None:
    disagreements = DISAGREEMENT.findall(updated.stdout)

    # A secret's name reads a new parameter, and evaluates to the old name.
    assert {kind for _, kind, *_ in disagreements} == {"AWS::SecretsManager::Secret"}
    assert {(aws, engine) for *_, aws, engine in disagreements} == {("replaced", "unchanged")}
    after = environment.resources()
    assert all(before[name] == after[name] for name, *_ in disagreements)


def test_given_values_stay(updated: Finished, environment: Environment, release: Release) -> None:
    values = {
        p["ParameterKey"]: p["ParameterValue"] for p in environment.stacks()[""]["Parameters"]
    }

    assert {name: values[name] for name in SET} == SET
    assert values["ReleasePrefix"] == release.prefix
    for name, value in SET.items():
        assert any(line.split()[:2] == [name, value] for line in updated.stdout.splitlines()), name
