"""Relations hold for layers that are launched alone with their own defaults, and for the templates of an account's roles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.checks.render import Rendered
from pipeline.errors import PipelineError
from pipeline.release.assemble import template_path
from templates_src.core.protection import PROTECTED_BY
from tests.relations import proofs
from tests.relations.alone import layers_alone
from tests.relations.functions import checks_guards
from tests.relations.registry import RELATIONS, Relation, Templates
from tests.relations.templates import checks_defaults
from tests.relations.variants import built
from tests.rendering import named

assert proofs  # registers the relations
# Of a layer within an environment only: its root turns the protection on.
WITHIN_AN_ENVIRONMENT = {checks_guards.nested_stacks_create_nothing_protected}
OF_ROLES = (
    checks_defaults.templates_agree_on_their_parameters,
    checks_defaults.defaults_are_accepted,
    checks_defaults.rules_accept_the_defaults,
)


@pytest.fixture(scope="module")
def alone() -> Rendered:
    """The layers with their own defaults; read only."""
    return layers_alone(built())


def with_default(layer: str, parameter: str, value: str) -> Rendered:
    """The layers, one of them with another default."""
    release = built()
    path = template_path(layer)
    template: dict[str, Any] = json.loads(release.files[path])
    template["Parameters"][parameter]["Default"] = value
    return layers_alone(
        replace(release, files={**release.files, path: json.dumps(template).encode()})
    )


@pytest.mark.parametrize(
    "check",
    [each for each in RELATIONS if each not in WITHIN_AN_ENVIRONMENT],
    ids=lambda check: check.__name__,
)
def test_layers_alone_hold_to(check: Relation, alone: Rendered) -> None:
    assert check(alone) == []


def test_layers_alone_protect_themselves(alone: Rendered) -> None:
    """A layer has no root that turns the protection on, so its resources follow their parameters."""

    def follows(rendered: Rendered) -> bool:
        return "DeletionProtection" in named(rendered, "Database").properties

    assert follows(alone)
    assert not follows(with_default("data", PROTECTED_BY.name, "environment"))


@pytest.mark.parametrize(
    ("layer", "parameter", "value", "check"),
    [
        (
            "network",
            "CacheMode",
            "replication-group",
            "network_acls_allow_the_ports_of_the_engines",
        ),
        ("security", "CacheMode", "replication-group", "engines_are_reached_on_their_port"),
        ("data", "CacheCredentials", "second", "secrets_have_exactly_their_readers"),
        ("edge", "Environment", "staging", "roles_are_bounded"),
        (
            "compute",
            "CacheMode",
            "replication-group",
            "jobs_are_counted_in_the_cache_of_the_containers",
        ),
        ("compute", "Environment", "staging", "containers_know_where_they_run"),
        ("monitoring", "CacheMode", "replication-group", "alarms_read_what_is_published"),
    ],
)
def test_default_that_contradicts_another_layer_is_found(
    layer: str, parameter: str, value: str, check: str
) -> None:
    (relation,) = (each for each in RELATIONS if each.__name__ == check)

    assert relation(with_default(layer, parameter, value)) != []


def test_default_against_a_rule_is_refused() -> None:
    with pytest.raises(PipelineError, match="EnableExecuteCommand"):
        with_default("compute", "EnableExecuteCommand", "true")


@pytest.mark.parametrize("check", OF_ROLES, ids=lambda check: check.__name__)
def test_templates_of_roles_hold_to(check: Any) -> None:
    release = built()
    templates: Templates = {
        path: json.loads(body)
        for path, body in {**release.files, **release.bootstrap_stacks}.items()
        if path.endswith(".json")
    }
    assert check(templates) == []
