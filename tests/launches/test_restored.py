"""A restored database keeps its data when the snapshot parameter changes: the verdict of the engine, and the update."""

from __future__ import annotations

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.changes.change import Action, Fate
from pipeline.changes.engine import compare
from pipeline.changes.sides import of_folder
from pipeline.changes.state import State
from pipeline.paths import DIST
from pipeline.release.assemble import Release
from templates_src.data.database_parameters import RESTORED, SNAPSHOT_IDENTIFIER
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.snapshots import keep_snapshot

DATABASE = "Data.Database"
NAMED = {SNAPSHOT_IDENTIFIER.name: "before-the-move"}
KEPT = {SNAPSHOT_IDENTIFIER.name: RESTORED}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (KEPT, (Action.UPDATE, Fate.SAME)),
        ({SNAPSHOT_IDENTIFIER.name: "another"}, (Action.REPLACE, Fate.SNAPSHOT)),
        ({SNAPSHOT_IDENTIFIER.name: ""}, (Action.REPLACE, Fate.SNAPSHOT)),
    ],
)
def test_only_another_snapshot_or_none_replaces_a_restored_database(
    values: dict[str, str], verdict: tuple[Action, Fate]
) -> None:
    before = of_folder(DIST, "dist").state("dev", REGION, **NAMED)
    after = State(before.templates, {**before.values, **values}, REGION, before.root)

    found = {str(change.name): change for change in compare(before, after)}

    assert (found[DATABASE].action, found[DATABASE].fate) == verdict


def test_a_restored_database_keeps_its_data_and_grows(
    running: EmbeddedAws, release: Release
) -> None:
    environment = Environment(running, release, "dev")
    keep_snapshot(environment.client("rds"), NAMED[SNAPSHOT_IDENTIFIER.name])
    environment.launch(**NAMED)
    restored = environment.physical_id(DATABASE)

    assert environment.launch(**KEPT).changed
    assert environment.physical_id(DATABASE) == restored
    assert environment.launch(**KEPT, DatabaseAllocatedStorage="100").changed

    assert environment.physical_id(DATABASE) == restored
    instance = environment.client("rds").describe_db_instances(DBInstanceIdentifier=restored)
    assert instance["DBInstances"][0]["AllocatedStorage"] == 100
    assert environment.delete().succeeded
