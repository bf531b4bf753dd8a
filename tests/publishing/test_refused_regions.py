"""plan and publish refuse regions without a needed service and profiles with wrong values, before they write."""

from __future__ import annotations

import json

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from tests.conftest import REGION
from tests.launches.tree import Tree
from tests.publishing.snapshot import snapshot


@pytest.fixture
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A writable copy of the working tree."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")


def set_value(tree: Tree, environment: str, name: str, value: str) -> None:
    """Change a value of a profile."""
    path = tree.folder / "parameters" / f"{environment}.json"
    pairs = json.loads(path.read_text(encoding="utf-8"))
    for pair in pairs:
        if pair["ParameterKey"] == name:
            pair["ParameterValue"] = value
    path.write_text(json.dumps(pairs), encoding="utf-8")


@pytest.mark.parametrize("command", [("plan",), ("publish", "--yes")], ids=lambda each: each[0])
@pytest.mark.parametrize(
    ("name", "value", "region", "says"),
    [
        ("WorkerQueues", "celery", "us-west-1", "us-west-1 is not ready for dev: "),
        ("WorkerQueues", "a,a", REGION, "parameters/dev.json: WorkerQueues (a,a) names a 2 times"),
        (
            "AvailabilityZones",
            "eu-west-1a,eu-west-1b,eu-west-1c",
            REGION,
            "eu-north-1 is not ready for dev: AvailabilityZones names eu-west-1a",
        ),
    ],
)
def test_nothing_is_written(
    tree: Tree,
    embedded: EmbeddedAws,
    command: tuple[str, ...],
    name: str,
    value: str,
    region: str,
    says: str,
) -> None:
    set_value(tree, "dev", name, value)
    before = snapshot(Aws(REGION, embedded.environment()))

    ended = tree.run(*command, "--region", region, **embedded.environment())

    assert ended.returncode == 1
    assert says in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert snapshot(Aws(REGION, embedded.environment())) == before
