"""Mutants of the root, of each layer and of the launch role as templates, and the relations that find them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pipeline.checks.render import Rendered, scope_of
from pipeline.errors import PipelineError
from pipeline.release.assemble import template_path
from templates_src.environment import ROOT
from tests.mutation.environment_checks import checks_for, first_of
from tests.mutation.environment_run import VARIANTS, remember
from tests.mutation.operators import replaced
from tests.mutation.results import Result
from tests.mutation.template_operators import (
    TemplateChange,
    changes,
    is_about_resources,
    written,
)
from tests.relations import proofs
from tests.relations import variants as relation_variants
from tests.relations.data.checks_replacement import updates_replace_no_resource_with_data
from tests.relations.page import identity
from tests.relations.registry import TEMPLATE_RELATIONS, TemplateRelation, Templates
from tests.relations.templates.checks_conditions import (
    resources_exist_with_what_they_name,
    resources_exist_with_what_uses_them,
)
from tests.relations.templates.checks_templates import templates_fit_the_quotas
from tests.relations.variants import built, rendered_variant

LAUNCH_ROLE = "launch-role"
LAYER_KIND, ROOT_KIND, ROLE_KIND = "Layer template", "Root template", "Launch role template"
# The relations that take long, after all others.
SLOW = (
    resources_exist_with_what_they_name,
    resources_exist_with_what_uses_them,
    templates_fit_the_quotas,
    updates_replace_no_resource_with_data,
)
assert proofs  # registers the relations


@cache
def templates() -> Templates:
    """Every template of an environment by its layer's name; read only."""
    return {
        name: json.loads(built().files[template_path(name)])
        for name in (ROOT, *(layer.name for layer in built().layers))
    }


@cache
def launch_role_template() -> dict[str, Any]:
    """The template of the launch role; read only."""
    template: dict[str, Any] = json.loads(built().bootstrap_stacks[template_path(LAUNCH_ROLE)])
    return template


def layer_names() -> list[str]:
    """The templates of an environment."""
    return list(templates())


def changes_of_layer(layer: str) -> list[TemplateChange]:
    """The mutants of a template, of which `results` tries those that are wanted."""
    return list(changes(launch_role_template() if layer == LAUNCH_ROLE else templates()[layer]))


def template_results(
    layer: str, wanted: Callable[[str, TemplateChange], bool] = lambda _layer, _change: True
) -> list[Result]:
    """The mutants of one template that are wanted, each with the check that finds it."""
    kind = {ROOT: ROOT_KIND, LAUNCH_ROLE: ROLE_KIND}.get(layer, LAYER_KIND)
    return [
        Result(
            kind,
            f"{layer}.{change.name}",
            change.place,
            change.operator,
            tuple(template_killers(layer, change)),
        )
        for change in changes_of_layer(layer)
        if wanted(layer, change)
    ]


def template_killers(layer: str, change: TemplateChange) -> Iterator[str]:
    """The first check that finds a change of a template."""
    remember()
    if layer == LAUNCH_ROLE:
        mutant = {layer: replaced(launch_role_template(), change.path, change.value)}
    else:
        mutant = {**templates(), layer: replaced(templates()[layer], change.path, change.value)}
    for check in relations_of(layer):
        if check is updates_replace_no_resource_with_data and not is_about_resources(change):
            continue
        if check(mutant):
            yield identity(check)
            return
    if layer != LAUNCH_ROLE and is_about_resources(change):
        yield from rendered_killers(layer, change, mutant)


@cache
def relations_of(layer: str) -> tuple[TemplateRelation, ...]:
    """The relations of templates, the slowest last; of the launch role those that need no other template."""
    usual = {layer: launch_role_template()} if layer == LAUNCH_ROLE else templates()
    found = []
    for check in TEMPLATE_RELATIONS:
        try:
            assert check(usual) == [], identity(check)
        except KeyError:
            assert layer == LAUNCH_ROLE
            continue
        found.append(check)
    return tuple(sorted(found, key=lambda each: SLOW.index(each) if each in SLOW else -1))


def rendered_killers(layer: str, change: TemplateChange, mutant: Templates) -> Iterator[str]:
    """The first check that finds the change in an environment that it changes."""
    release = replace(
        built(),
        files={**built().files, template_path(layer): written(mutant[layer])},
    )
    for variant in VARIANTS:
        if not decides(variant, layer, change):
            continue
        try:
            rendered = relation_variants.VARIANTS[variant].render(release)
        except (PipelineError, KeyError):
            # A violated rule, a value that a layer rejects, or a reference to a resource that does not exist.
            yield "render"
            return
        places = set(differences(rendered_variant(variant), rendered))
        concerned = (
            check
            for check in checks_for(variant)
            if any(check.looks_at(*place) for place in places)
        )
        found = first_of(concerned, rendered)
        if found:
            yield from found
            return


def decides(variant: str, layer: str, change: TemplateChange) -> bool:
    """Whether a condition has another value in a variant than the change gives it."""
    values = rendered_variant(variant).parameters.get(layer)
    if values is None:
        return False
    scope = scope_of(templates()[layer], values, rendered_variant(variant).region, layer)
    if change.path[0] == "Conditions":
        return scope.condition(change.name) != (change.operator == "always")
    return not scope.condition(templates()[layer]["Resources"][change.name]["Condition"])


def differences(before: Rendered, after: Rendered) -> Iterator[tuple[str, str, str]]:
    """Layer, logical ID and property or attribute of each difference; the last is empty for a resource of one side only."""
    for layer in {*before.layers, *after.layers}:
        ours, theirs = (each.layers.get(layer, {}).get("Resources", {}) for each in (before, after))
        for name in {*ours, *theirs}:
            if name not in ours or name not in theirs:
                yield layer, name, ""
            elif ours[name] != theirs[name]:
                for key in changed_keys(ours[name], theirs[name]):
                    yield layer, name, key


def changed_keys(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Properties and attributes that differ."""
    for first, second in ((one, other), (one.get("Properties", {}), other.get("Properties", {}))):
        for key in {*first, *second} - {"Properties"}:
            if first.get(key) != second.get(key):
                yield key
