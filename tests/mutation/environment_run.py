"""Mutants of rendered environments: each resource once, in the first variant that has it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.checks.render import Rendered
from tests import rendering
from tests.mutation.environment_checks import checks_for, first_of
from tests.mutation.operators import Change, Mutator
from tests.mutation.results import Result
from tests.relations.variants import rendered_variant
from tests.rendering import ids_in, origin_of
from tests.rule_packs.pack import PackFinding, RulePack

# The first has nearly every resource; the others have the rest.
VARIANTS = ("complete prod", "complete dev", "dev on what exists", "dev")
# Clones of a resource in one template for the rule pack, which is slower for each than for all.
BATCH = 150
MOST_REMEMBERED = 200_000


@dataclass(frozen=True)
class Job:
    """A resource whose mutants are checked."""

    variant: str
    layer: str
    logical_id: str


Wanted = Callable[[Job, Change], bool]


def jobs() -> list[Job]:
    """Every resource of every variant, once."""
    seen: set[tuple[str, str]] = set()
    found = []
    for variant in VARIANTS:
        for layer, template in rendered_variant(variant).layers.items():
            for name in template["Resources"]:
                if (layer, name) not in seen:
                    seen.add((layer, name))
                    found.append(Job(variant, layer, name))
    return found


@cache
def rules() -> RulePack:
    """The rule pack of this process, started once."""
    kinds = {
        body["Type"]
        for variant in VARIANTS
        for template in rendered_variant(variant).layers.values()
        for body in template["Resources"].values()
    }
    return RulePack(kinds).__enter__()


def results(job: Job, wanted: Wanted = lambda _job, _change: True) -> list[Result]:
    """The mutants of a resource that are wanted, each with the check that finds it."""
    rendered = rendered_variant(job.variant)
    body = rendered.layers[job.layer]["Resources"][job.logical_id]
    remember()
    changes = [change for change in changes_of(rendered, job) if wanted(job, change)]
    refused = refused_by_rules(rendered, job, changes)
    found = []
    for number, change in enumerate(changes):
        killers = refused.get(number) or found_by(rendered, job, change)
        found.append(
            Result(
                body["Type"],
                f"{job.layer}.{job.logical_id}",
                change.place,
                change.operator,
                tuple(killers),
            )
        )
    return found


def remember() -> None:
    """Remember what values refer to, because nothing changes a rendered environment in place here."""
    if rendering.REMEMBERED is None or len(rendering.REMEMBERED) > MOST_REMEMBERED:
        rendering.REMEMBERED = {}


def found_by(rendered: Rendered, job: Job, change: Change) -> Sequence[str]:
    """The first check that finds a change; those that read least come first."""
    mutant = with_change(rendered, job, change)
    first, *rest = (*change.path, "", "")[:2]
    key = str(rest[0] if first == "Properties" else first)
    return first_of(
        (each for each in checks_for(job.variant) if each.looks_at(job.layer, job.logical_id, key)),
        mutant,
    )


def changes_of(rendered: Rendered, job: Job) -> Iterator[Change]:
    """The mutants of a resource."""

    def others(value: Any) -> Any | None:
        return another(rendered, job, value)

    body = rendered.layers[job.layer]["Resources"][job.logical_id]
    yield from Mutator(rendered.region, others).changes(body)


def another(rendered: Rendered, job: Job, value: Any) -> Any | None:
    """A reference to another resource of the type that a value refers to; None if it refers to none."""
    origin = origin_of(rendered, job.layer, value)
    if origin is None or (isinstance(value, str) and value.isdigit()):
        return None
    resources = rendered.layers[origin.layer]["Resources"]
    kind = resources[origin.logical_id]["Type"]
    if isinstance(value, str):
        return next(
            (
                text
                for text, each in rendered.origins.items()
                if each.attribute == origin.attribute
                and each != origin
                and rendered.layers[each.layer]["Resources"][each.logical_id]["Type"] == kind
            ),
            None,
        )
    for name, each in resources.items():
        if each["Type"] == kind and name not in (origin.logical_id, job.logical_id):
            return {"Ref": name} if "Ref" in value else {"Fn::GetAtt": [name, origin.attribute]}
    return None


def with_change(rendered: Rendered, job: Job, change: Change) -> Rendered:
    """The environment with one changed resource; everything else is shared."""
    mutant = copy.copy(rendered)
    template = rendered.layers[job.layer]
    resources = {
        name: body for name, body in template["Resources"].items() if name != job.logical_id
    }
    if change.body is not None:
        resources = {
            name: change.body if name == job.logical_id else body
            for name, body in template["Resources"].items()
        }
    mutant.layers = {**rendered.layers, job.layer: {**template, "Resources": resources}}
    return mutant


def refused_by_rules(
    rendered: Rendered, job: Job, changes: Sequence[Change]
) -> Mapping[int, Sequence[str]]:
    """The rules that find each change, by its position: all changes are clones in one template."""
    resources = rendered.layers[job.layer]["Resources"]
    body = resources[job.logical_id]
    referred = ids_in(rendered, job.layer, body.get("Properties", {})) & resources.keys()
    around = {name: resources[name] for name in sorted(referred - {job.logical_id})}
    found: dict[int, list[str]] = {}
    for start in range(0, len(changes), BATCH):
        clones = {
            f"Clone{number}": changed.body
            for number, changed in enumerate(changes[start : start + BATCH], start)
            if changed.body is not None
        }
        template = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Mutants",
            "Resources": {**around, job.logical_id: body, "Same": body, **clones},
        }
        findings = rules().findings(template)
        usual = {known(each) for each in findings if each.resource in (job.logical_id, "Same")}
        for each in findings:
            if each.resource in clones and known(each) not in usual:
                number = int(each.resource.removeprefix("Clone"))
                found.setdefault(number, []).append(f"rule-pack/{each.rule}")
    return {number: sorted(set(names)) for number, names in found.items()}


def known(finding: PackFinding) -> tuple[str, str]:
    """What a finding is about, in any clone."""
    return finding.rule, finding.place
