"""The fate of the data of a resource that is replaced, removed or overwritten."""

from __future__ import annotations

from typing import Any

from pipeline.changes.change import Fate
from pipeline.changes.differences import MISSING, value_at
from pipeline.changes.state import Resource
from pipeline.changes.updates import facts

_POLICIES = {
    "Retain": Fate.RETAINED,
    "RetainExceptOnCreate": Fate.RETAINED,
    "Snapshot": Fate.SNAPSHOT,
}


def holds_data(resource: Resource) -> bool:
    """Whether a new resource would lack data of the old one; a secret that is derived from other resources has no data."""
    return resource.kind in facts.STATEFUL and not is_derived(resource)


def is_derived(resource: Resource) -> bool:
    """Whether a secret is written from other resources, such as the URL of the database."""
    value = resource.properties.get("SecretString", "")
    return resource.kind == facts.SECRET and "{{resolve:" in str(value)


def fate_of_replacement(
    old: Resource, new: Resource, *, protected: bool = False
) -> tuple[Fate, tuple[str, ...]]:
    """The fate of the old resource's data, and the content of the new one; RDS does not delete a ``protected`` database."""
    if not holds_data(old):
        return Fate.NONE, ()
    restored = value_at(new.properties, "DBSnapshotIdentifier")
    if isinstance(restored, str) and restored:
        holds = f"The new one is restored from the snapshot {restored}."
    elif old.kind == facts.SECRET:
        holds = "The new one has another value."
    else:
        holds = "The new one is empty."
    return _fate(old, new.policy("UpdateReplacePolicy"), (holds,), protected)


def fate_of_deletion(old: Resource, *, protected: bool = False) -> tuple[Fate, tuple[str, ...]]:
    """The fate of the data of a resource that the stack no longer has."""
    if not holds_data(old):
        return Fate.NONE, ()
    policy = old.policy("DeletionPolicy")
    if old.kind == facts.BUCKET and policy == "Delete":
        return Fate.RETAINED, ("S3 deletes it only if it is empty; otherwise it stays.",)
    return _fate(old, policy, (), protected)


def _fate(
    old: Resource, policy: str, notes: tuple[str, ...], protected: bool
) -> tuple[Fate, tuple[str, ...]]:
    if old.kind == facts.DATABASE and protected:
        return Fate.RETAINED, (*notes, "Deletion protection keeps the old database running.")
    return _POLICIES.get(policy, Fate.LOST), notes


def overwritten(old: Resource, new: Resource, paths: list[str]) -> tuple[Fate, tuple[str, ...]]:
    """The fate of data in an update in place: kept, except for a secret that is generated again and a shorter retention."""
    if not holds_data(old):
        return Fate.NONE, ()
    if old.kind == facts.SECRET and any(
        path.startswith(("GenerateSecretString", "SecretString")) for path in paths
    ):
        return Fate.LOST, ("The secret gets a new value.",)
    for (kind, key), what in facts.RETENTION.items():
        if kind == old.kind and key in paths and _is_less(old, new, key):
            return Fate.LOST, (f"CloudFormation's update deletes {what}.",)
    return Fate.SAME, ()


def _is_less(old: Resource, new: Resource, key: str) -> bool:
    """Whether the retention is shorter; no number means permanent retention."""
    one, other = (_number(value_at(each.properties, key)) for each in (old, new))
    return other is not None and (one is None or other < one)


def _number(value: Any) -> int | None:
    return None if value is MISSING else int(str(value))
