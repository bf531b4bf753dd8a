"""The mutants of a run: of equal changes in many resources of a type, the first few; or those of changed resources."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from pipeline.changes.sides import side
from tests.mutation.environment_run import Job, changes_of, jobs
from tests.mutation.operators import Change
from tests.mutation.schema_nodes import Path
from tests.mutation.templates_run import changes_of_layer, templates
from tests.relations.variants import built, rendered_variant

Item = TypeVar("Item")

# Each alarm has its own threshold, so more of their changes are tried than of others.
OWN = {"AWS::CloudWatch::Alarm": ("Threshold", "ComparisonOperator")}
OWN_MOST = 40
# What a run for a change tries at most, so that it ends within a minute.
MOST_CHANGED = 120
MOST_CHANGED_TEMPLATES = 60

Name = tuple[str, str, str, Path]
# The layer, the operator and the path of a mutant of a template.
TemplateName = tuple[str, str, Path]


def all_mutants() -> Iterator[tuple[str, Job, Change]]:
    """Every mutant with its type."""
    yield from _mutants(jobs())


def mutants_of(variant: str) -> Iterator[tuple[str, Job, Change]]:
    """Every mutant of every resource of a variant, also of those that another variant has, with its type."""
    layers = rendered_variant(variant).layers.items()
    yield from _mutants(
        Job(variant, layer, name) for layer, template in layers for name in template["Resources"]
    )


def _mutants(among: Iterable[Job]) -> Iterator[tuple[str, Job, Change]]:
    for job in among:
        rendered = rendered_variant(job.variant)
        kind = rendered.layers[job.layer]["Resources"][job.logical_id]["Type"]
        for change in changes_of(rendered, job):
            yield kind, job, change


@cache
def sample(most: int | None) -> frozenset[Name]:
    """The first mutants of each type, place and operator: ``most`` of each, or all."""
    taken: set[Name] = set()
    counted: Counter[tuple[str, str, str]] = Counter()
    for kind, job, change in all_mutants():
        key = (kind, change.place, change.operator)
        counted[key] += 1
        limit = OWN_MOST if change.place in OWN.get(kind, ()) else most or 0
        if most is None or counted[key] <= limit:
            taken.add(name_of(job, change))
    return frozenset(taken)


def sample_of_changes(since: str, most: int | None) -> frozenset[Name]:
    """Mutants of the sample whose properties differ from another release, at most MOST_CHANGED, chosen by their names."""
    before = side(since).templates
    now = built_templates()
    names, among = set(), sample(most)
    for _, job, change in all_mutants():
        if name_of(job, change) not in among:
            continue
        key = change.path[1] if change.path[:1] == ("Properties",) else None
        present = now[job.layer]["Resources"].get(job.logical_id, {})
        former = before.get(job.layer, {}).get("Resources", {}).get(job.logical_id, {})
        one, other = (
            (each.get("Properties", {}).get(key) if key else {**each, "Properties": {}})
            for each in (present, former)
        )
        if one != other:
            names.add(name_of(job, change))
    return chosen(names, MOST_CHANGED)


def template_sample_of_changes(since: str) -> frozenset[TemplateName]:
    """Mutants of parameters, rules, conditions and outputs that differ from another release, at most MOST_CHANGED_TEMPLATES."""
    before = side(since).templates
    names = set()
    for layer, template in templates().items():
        former = before.get(layer, {})
        for change in changes_of_layer(layer):
            # The form of the console lists parameters in its next steps; a resource is compared at the place of the change.
            keys = change.path[: {"Metadata": 3, "Resources": None}.get(str(change.path[0]), 2)]
            if part(template, keys) != part(former, keys):
                names.add((layer, change.operator, change.path))
    return chosen(names, MOST_CHANGED_TEMPLATES)


def part(template: Mapping[str, Any], path: Path) -> Any:
    """The value at a path of keys; None if it does not exist."""
    value: Any = template
    for key in path:
        value = value.get(key, {})
    return value or None


def chosen(names: Iterable[Item], most: int) -> frozenset[Item]:
    """At most this many, the same in each run."""
    return frozenset(sorted(names, key=lambda name: zlib.crc32(repr(name).encode()))[:most])


def built_templates() -> dict[str, Any]:
    """The templates of the working tree by layer."""
    release = built()
    return {layer.name: layer.template.to_dict() for layer in (release.root, *release.layers)}


def name_of(job: Job, change: Change) -> Name:
    """What identifies a mutant."""
    return job.layer, job.logical_id, change.operator, change.path
