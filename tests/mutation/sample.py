"""The mutants of a run: of equal changes in many resources of a type, the first few; or those of changed resources."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipeline.changes.sides import side
from tests.mutation.environment_run import Job, changes_of, jobs
from tests.mutation.operators import Change
from tests.relations.variants import built, rendered_variant

# Each alarm has its own threshold, so more of their changes are tried than of others.
OWN = {"AWS::CloudWatch::Alarm": ("Threshold", "ComparisonOperator")}
OWN_MOST = 40
# What a run for a change tries at most, so that it ends within a minute.
MOST_CHANGED = 120

Name = tuple[str, str, str, tuple[str | int, ...]]


def all_mutants() -> Iterator[tuple[str, Job, Change]]:
    """Every mutant with its type."""
    for job in jobs():
        rendered = rendered_variant(job.variant)
        kind = rendered.layers[job.layer]["Resources"][job.logical_id]["Type"]
        for change in changes_of(rendered, job):
            yield kind, job, change


def sample(most: int) -> set[Name]:
    """The first mutants of each type, place and operator: ``most`` of each."""
    taken: set[Name] = set()
    counted: Counter[tuple[str, str, str]] = Counter()
    for kind, job, change in all_mutants():
        key = (kind, change.place, change.operator)
        counted[key] += 1
        limit = OWN_MOST if change.place in OWN.get(kind, ()) else most
        if counted[key] <= limit:
            taken.add(name_of(job, change))
    return taken


def sample_of_changes(since: str) -> set[Name]:
    """Mutants of the properties that differ from another release, at most MOST_CHANGED, chosen by their names."""
    before = side(since).templates
    now = built_templates()
    names = set()
    for _, job, change in all_mutants():
        key = change.path[1] if change.path[:1] == ("Properties",) else None
        present = now[job.layer]["Resources"].get(job.logical_id, {})
        former = before.get(job.layer, {}).get("Resources", {}).get(job.logical_id, {})
        one, other = (
            (each.get("Properties", {}).get(key) if key else {**each, "Properties": {}})
            for each in (present, former)
        )
        if one != other:
            names.add(name_of(job, change))
    return set(sorted(names, key=lambda name: zlib.crc32(repr(name).encode()))[:MOST_CHANGED])


def built_templates() -> dict[str, Any]:
    """The templates of the working tree by layer."""
    release = built()
    return {layer.name: layer.template.to_dict() for layer in (release.root, *release.layers)}


def name_of(job: Job, change: Change) -> Name:
    """What identifies a mutant."""
    return job.layer, job.logical_id, change.operator, change.path
