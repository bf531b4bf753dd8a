"""Relations between the resources of an environment that no linter checks, in every variant of a launch.

Planted faults prove each relation: each is planted in a copy, and must be found.
"""

from __future__ import annotations

import copy
import json

import pytest

from templates_src.environment import TEMPLATE_FOLDER, TEMPLATE_SUFFIX
from tests.relations import page
from tests.relations.data import checks_replacement
from tests.relations.data.replacement import Tracer
from tests.relations.identity import checks_identity
from tests.relations.proofs import FAULTS, TEMPLATE_FAULTS
from tests.relations.registry import (
    RELATIONS,
    TEMPLATE_RELATIONS,
    Fault,
    Relation,
    TemplateFault,
    TemplateRelation,
    Templates,
)
from tests.relations.templates import checks_names
from tests.relations.variants import VARIANTS, built, rendered_variant
from tests.rendering import named, resources


@pytest.fixture(scope="module")
def templates() -> Templates:
    """Every template by its layer's name; read only."""
    return {
        path.removeprefix(f"{TEMPLATE_FOLDER}/").removesuffix(TEMPLATE_SUFFIX): json.loads(body)
        for path, body in built().files.items()
        if path.startswith(TEMPLATE_FOLDER)
    }


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("check", RELATIONS, ids=lambda check: check.__name__)
def test_environments_hold_to(check: Relation, variant: str) -> None:
    assert check(rendered_variant(variant)) == []


@pytest.mark.parametrize("check", TEMPLATE_RELATIONS, ids=lambda check: check.__name__)
def test_templates_hold_to(check: TemplateRelation, templates: Templates) -> None:
    assert check(templates) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_found_in_an_environment(fault: Fault) -> None:
    faulty = copy.deepcopy(rendered_variant(fault.variant))
    fault.plant(faulty)
    findings = fault.found_by(faulty)
    assert [finding for finding in findings if fault.says in finding], findings


@pytest.mark.parametrize("fault", TEMPLATE_FAULTS, ids=lambda fault: fault.what)
def test_found_in_templates(fault: TemplateFault, templates: Templates) -> None:
    faulty = copy.deepcopy(templates)
    fault.plant(faulty)
    findings = fault.found_by(faulty)
    assert [finding for finding in findings if fault.says in finding], findings


def test_every_relation_is_proven_by_a_fault() -> None:
    proven = {fault.found_by.__name__ for fault in (*FAULTS, *TEMPLATE_FAULTS)}
    assert {check.__name__ for check in (*RELATIONS, *TEMPLATE_RELATIONS)} - proven == set()


def test_every_listed_name_exists() -> None:
    given = {
        (resource.logical_id, key)
        for variant in VARIANTS
        for _, resource in resources(rendered_variant(variant))
        for key in resource.properties
    }
    assert checks_names.NAMED.keys() - given == set()


def test_every_listed_wildcard_is_used() -> None:
    used = {
        statement.get("Sid", "")
        for variant in VARIANTS
        for _, _, statement in checks_identity.statements(rendered_variant(variant))
    }
    assert checks_identity.WILDCARDS.keys() - used == set()


def test_every_listed_parameter_replaces(templates: Templates) -> None:
    tracer = Tracer(templates)
    layers = {
        name: layer for layer, template in templates.items() for name in template["Resources"]
    }
    for (name, key), (allowed, _) in checks_replacement.ALLOWED.items():
        assert tracer.replacing(layers[name], name)[key] == allowed, (name, key)


def test_longest_name_reaches_the_limit() -> None:
    name = named(rendered_variant("staging of the longest name"), "CacheUser").properties["UserId"]
    longest = built().root.declarations["Project"].max_length or 0
    assert name == "p" * longest + "-staging"


def test_page_of_checks_is_up_to_date() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), (
        "run `python -m tests.relations.page`"
    )


def test_every_check_says_what_it_protects() -> None:
    checks: list[Relation | TemplateRelation] = [*RELATIONS, *TEMPLATE_RELATIONS]
    assert [check.__name__ for check in checks if not (check.__doc__ or "").strip()] == []
    assert len({page.identity(check) for check in checks}) == len(checks)
