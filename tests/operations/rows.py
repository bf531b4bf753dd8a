"""Operations that the chains share; each returns rows of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.operations.faults import LAYERS, failing
from tests.operations.operation import End, Operation
from tests.operations.scene import Scene

# In the reason of every planted failure.
TAKEN = "already exists"
Run = Callable[[Scene], None]


def launch(**values: str) -> Run:
    """Launch with these values."""
    return lambda scene: scene.launch(None, **values)


def update(**values: str) -> Run:
    """Update with these values."""
    return lambda scene: scene.update(None, **values)


def delete(scene: Scene) -> None:
    """Delete the environment."""
    scene.delete()


def restore(scene: Scene) -> None:
    """Restore the newest snapshot of a database, which an earlier operation left."""
    found = scene.client("rds").describe_db_snapshots()["DBSnapshots"]
    newest = max(found, key=lambda each: each["SnapshotCreateTime"])
    scene.update(DatabaseSnapshotIdentifier=newest["DBSnapshotIdentifier"])


def failing_launches(
    status: str, remains: Mapping[str, Mapping[str, int]]
) -> tuple[Operation, ...]:
    """A first launch fails at the end of each layer. The next row launches again, without another step in between."""

    def fails(layer: str) -> Run:
        return lambda scene: scene.launch(failing(layer))

    return tuple(
        Operation(
            f"Launch, and the {layer} layer fails",
            fails(layer),
            End(status, TAKEN, remains=remains[layer]),
        )
        for layer in LAYERS
    )


def failing_updates(status: str, *, protected: bool = False) -> tuple[Operation, ...]:
    """An update fails at the end of each layer. The next row updates again."""

    def fails(layer: str) -> Run:
        return lambda scene: scene.update(failing(layer))

    return tuple(
        Operation(
            f"Update to a release whose {layer} layer fails",
            fails(layer),
            End(status, TAKEN, protected=protected),
        )
        for layer in LAYERS
    )


def refused(title: str, run: Run, status: str, said: str, *, protected: bool = False) -> Operation:
    """An operation that is refused before anything changes."""
    return Operation(title, run, End(status, said, protected=protected))
