"""Compare an update of an environment with the verdict of the engine: physical IDs, data, and retained resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.aws import Aws
from pipeline.changes.change import Action, Change, Fate
from pipeline.changes.updates import facts
from tests.changes.rehearsal import Seen
from tests.launches.environments import Resource
from tests.launches.inventory import existing

FAILED = "UPDATE_ROLLBACK_COMPLETE"
SAME, OTHER, NEW, GONE = "the same", "another one", "new", "gone"
_EXPECTED: Mapping[Action, str] = {
    Action.UPDATE: SAME,
    Action.INTERRUPT: SAME,
    Action.REPLACE: OTHER,
    Action.CREATE: NEW,
    Action.DELETE: GONE,
    Action.RELEASE: GONE,
}
# Final snapshots: their type, and the type that they are of.
_SNAPSHOTS = {
    facts.DATABASE: "AWS::RDS::DBSnapshot",
    facts.REPLICATION_GROUP: "AWS::ElastiCache::Snapshot",
}


def disagreements(
    aws: Aws, before: Seen, after: Seen, changes: Mapping[str, Change]
) -> Iterator[str]:
    """A sentence for each resource, and for each fate of data, that differs from the verdict."""
    failing = [str(name) for name, change in changes.items() if change.action is Action.FAIL]
    if failing:
        if after.status != FAILED:
            yield f"The update ended with {after.status}, and {', '.join(failing)} should fail."
        yield from identities(before, after, {})
        return
    if after.status not in {"UPDATE_COMPLETE", "UNCHANGED"}:
        yield f"The update ended with {after.status}."
        return
    yield from identities(before, after, changes)
    for name, change in changes.items():
        yield from _of_data(aws, name, before, after, change)


def identities(before: Seen, after: Seen, changes: Mapping[str, Change]) -> Iterator[str]:
    """Resources whose physical ID does not match their change; without a change, the ID stays."""
    for name in sorted(before.resources.keys() | after.resources.keys()):
        change = changes.get(name)
        if change and change.action is Action.MAY_REPLACE:
            continue
        expected = _EXPECTED[change.action] if change else SAME
        found = _became(before.resources.get(name), after.resources.get(name))
        # The deletion of a protected database fails, and the stack still lists it.
        if found == SAME and change and _is_protected(change):
            continue
        if found != expected:
            yield f"{name} is {found}, and should be {expected}."


def _is_protected(change: Change) -> bool:
    return (change.kind, change.action, change.fate) == (
        facts.DATABASE,
        Action.DELETE,
        Fate.RETAINED,
    )


def _became(one: Resource | None, other: Resource | None) -> str:
    if one is None:
        return NEW
    if other is None:
        return GONE
    return SAME if one.physical_id == other.physical_id else OTHER


def _of_data(aws: Aws, name: str, before: Seen, after: Seen, change: Change) -> Iterator[str]:
    """The verdicts about the data of a changed resource that are wrong."""
    old = before.resources.get(name)
    if old is None or change.fate in {Fate.NONE, Fate.REFUSED}:
        return
    held, holds = before.held.get(name), after.held.get(name)
    if change.fate is Fate.SAME and held != holds:
        yield f"{name} held {held!r} and holds {holds!r}."
    if change.action in {Action.UPDATE, Action.INTERRUPT}:
        is_retention = any((change.kind, cause.path) in facts.RETENTION for cause in change.causes)
        if change.fate is Fate.LOST and held == holds and not is_retention:
            yield f"{name} should have lost what it held, {held!r}."
        return
    stays = old.physical_id in existing(aws, change.kind)
    if stays != (change.fate is Fate.RETAINED):
        yield f"The old {name} ({old.physical_id}) {'exists' if stays else 'does not exist'}: {change.fate.value}."
    # ministack takes no snapshot of a replaced resource.
    deleted = change.action is Action.DELETE
    if change.fate is Fate.SNAPSHOT and deleted and not existing(aws, _SNAPSHOTS[change.kind]):
        yield f"{name} leaves no snapshot."
