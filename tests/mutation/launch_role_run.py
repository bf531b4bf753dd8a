"""Mutants of the launch role's policies and of its boundary: the calls of a launch, attempts, and the tests of the launch role find them."""

from __future__ import annotations

import importlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from types import ModuleType
from typing import Any

from pipeline.checks.iam.policies import Request, allows, matches_action
from templates_src.environment import ROOT
from tests.attacks import launching
from tests.attacks.attack import findings
from tests.launch_role import evaluation
from tests.launch_role.calls import Calls
from tests.launch_role.evaluation import launch_role_layer, resources_of, role_statements
from tests.launch_role.test_launch_role import REFUSED
from tests.mutation.operators import Change, Mutator, replaced
from tests.mutation.results import BY_ERROR, Result
from tests.mutation.templates_run import (
    LAUNCH_ROLE,
    changes_of_layer,
    launch_role_template,
    template_results,
)
from tests.relations.variants import REGION, rendered_variant

# Environments whose handlers make all calls, together.
LAUNCHES = ("complete prod", "dev on what exists")
# Tests of the launch role that evaluate its policies and take milliseconds, by module.
TESTS = {
    "tests.launch_role.test_template": (
        "policies_have_the_form_that_iam_reads",
        "no_list_has_an_element_twice",
        "the_stack_names_the_role_and_its_owner",
        "without_parameters_it_launches_every_environment_of_this_account",
        "a_parameter_accepts",
        "a_parameter_refuses",
    ),
    "tests.launch_role.test_conditions": (
        "trust_has_one_statement",
        "service_catalog_assumes_the_role_for_this_account",
        "no_other_service_assumes_the_role",
        "no_identity_assumes_the_role",
        "service_catalog_only_assumes_the_role",
        "a_launch_role_reaches_its_environments_only",
        "a_role_imports_a_certificate_with_its_tags_only",
        "a_role_does_not_import_over_a_certificate_of_others",
        "a_role_protects_the_stack_of_a_product",
        "every_condition_and_resource_has_a_value",
        "denials_are_about_this_project",
        "roles_work_with_their_own_values_only",
        "a_launch_works_with_its_own_values_only",
    ),
    "tests.launch_role.test_launch_role": (
        "actions_that_no_handler_needs_are_not_allowed",
        "dangerous_calls_are_refused",
        "gaps_are_granted",
        "only_releases_of_a_named_bucket_are_read",
        "only_buckets_of_the_publisher_account_are_read",
    ),
    "tests.launch_role.test_boundary": (
        "role_with_all_permissions_cannot_escalate",
        "a_role_of_development_does_not_reach_production",
        "production_can_use_its_resources",
        "image_of_development_can_run_in_production",
        "function_code_cannot_create_network_interfaces",
        "a_key_is_used_through_a_service_only",
        "its_name_follows_the_launch_role",
        "no_role_without_the_boundary",
        "an_organizations_boundary_replaces_that_of_the_template",
        "guards_refuse_the_calls",
        "a_boundary_is_not_removed",
        "only_publishing_marks_a_role",
        "boundary_cannot_be_changed",
        "users_and_groups_cannot_be_created",
        "only_roles_under_the_path_of_a_launched_environment",
        "statements_name_their_actions",
    ),
    "tests.launch_role.test_others": (
        "resources_with_the_tags_of_another_project_cannot_be_changed",
        "resources_without_tags_can_be_changed_only_like_new_ones",
    ),
}
ATTEMPTS = (*launching.MODIFIED, *launching.BOUNDED, *launching.DEV_ONLY)
Case = tuple[str, Callable[[], object]]


def launch_role_mutants(most: int) -> list[tuple[str, Change]]:
    """The first mutants of each type, place and operator, with the logical ID of the resource."""
    found, counted = [], Counter[tuple[str, str, str]]()
    for name, body in launch_role_template()["Resources"].items():
        for change in changes_of_resource(name):
            key = (body["Type"], change.place, change.operator)
            counted[key] += 1
            if counted[key] <= most:
                found.append((name, change))
    return found


def changes_of_resource(logical_id: str) -> list[Change]:
    """The mutants of a resource of the template; the parts of a condition are not changed by themselves."""
    body = launch_role_template()["Resources"][logical_id]
    changes = Mutator(REGION, lambda _: None).changes(body)
    return [each for each in changes if "Fn::If" not in each.path]


def launch_role_result(mutant: tuple[str, Change]) -> Result:
    """A mutant of a resource, with the check that finds it."""
    logical_id, change = mutant
    return Result(
        launch_role_template()["Resources"][logical_id]["Type"],
        f"{LAUNCH_ROLE}.{logical_id}",
        change.place,
        change.operator,
        launch_role_killers(logical_id, change),
    )


def launch_role_killers(logical_id: str, change: Change) -> tuple[str, ...]:
    """The first check that finds a change of a resource of the template."""
    template = launch_role_template()
    resources = {
        name: change.body if name == logical_id else body
        for name, body in template["Resources"].items()
        if name != logical_id or change.body is not None
    }
    return killers_of({**template, "Resources": resources})


def launch_role_template_results() -> list[Result]:
    """The mutants of the template beside its resources: the relations find them, or the checks of the role."""
    found = []
    for each, change in zip(
        template_results(LAUNCH_ROLE), changes_of_layer(LAUNCH_ROLE), strict=True
    ):
        mutant = replaced(launch_role_template(), change.path, change.value)
        found.append(each if each.killers else replace(each, killers=killers_of(mutant)))
    return found


def killers_of(template: Mapping[str, Any]) -> tuple[str, ...]:
    """The first check of the launch role that a template does not pass; only if there is none, the first that raises an error."""
    known, raised = cases_of_all(), ""
    try:
        use(template)
        for name, case in known:
            try:
                case()
            except AssertionError:
                return (name,)
            except Exception:
                raised = raised or f"{name}{BY_ERROR}"
    finally:
        use(None)
    return (raised,) if raised else ()


def use(template: Mapping[str, Any] | None) -> None:
    """The tests evaluate this template of the launch role, or the usual one if it is None."""
    evaluation.REPLACED.clear()
    if template is not None:
        evaluation.REPLACED[LAUNCH_ROLE] = template
    for module in (launching, *map(importlib.import_module, TESTS)):
        for each in vars(module).values():
            if hasattr(each, "cache_clear") and each.__module__ == module.__name__:
                each.cache_clear()


@cache
def requests(variant: str) -> frozenset[tuple[str, str, tuple[tuple[str, Any], ...]]]:
    """The calls of the handlers of an environment, each once."""
    return frozenset(
        (call.action, call.arn, tuple((key, _frozen(part)) for key, part in call.context.items()))
        for _, call in Calls(rendered_variant(variant)).of_handlers()
        if call.action not in REFUSED
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def launch(variant: str) -> None:
    """The launch role of an environment allows every call of its handlers."""
    given = rendered_variant(variant).parameters[ROOT]
    among = role_statements(
        resources_of(
            launch_role_layer(),
            Project=given["Project"],
            Environments=given["Environment"],
            PermissionsBoundary=given.get("PermissionsBoundary", ""),
            ReleaseBuckets=given["ReleaseBucket"],
        )
    )
    statements: dict[str, list[Any]] = {}
    for action, arn, context in requests(variant):
        if action not in statements:
            statements[action] = [body for body in among if matches_action(body, action)]
        request = Request(
            action,
            arn,
            {key: list(part) if isinstance(part, tuple) else part for key, part in context},
        )
        assert allows(statements[action], request), request


def refuses(number: int) -> None:
    """An attempt with the launch role is refused by its guards."""
    assert findings(ATTEMPTS[number]) == []


@cache
def cases_of_all() -> tuple[Case, ...]:
    """The checks of the launch role: its tests, the attempts with it, and the calls of a launch."""
    found: list[Case] = [
        *(case for name in TESTS for case in cases(importlib.import_module(name))),
        *((f"attacks/{attack}", partial(refuses, n)) for n, attack in enumerate(ATTEMPTS)),
        *((f"launch-role/launch of {name}", partial(launch, name)) for name in LAUNCHES),
    ]
    use(launch_role_template())
    for _, case in found:
        case()
    return tuple(found)


def cases(module: ModuleType) -> Iterator[Case]:
    """The tests of a module with each combination of their parameters."""
    for name in TESTS[module.__name__]:
        test = vars(module)[f"test_{name}"]
        marks = [each for each in getattr(test, "pytestmark", ()) if each.name == "parametrize"]
        parts = [list(combinations(mark.args[0], mark.args[1])) for mark in marks]
        for chosen in itertools.product(*parts):
            given = {key: value for part in chosen for key, value in part.items()}
            area = module.__name__.removeprefix("tests.").replace(".test_", "/")
            yield f"{area}.{name}", partial(test, **given)


def combinations(names: Any, values: Any) -> Iterator[dict[str, Any]]:
    """The arguments of each row of a parametrization."""
    listed = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    for row in values:
        yield dict(zip(listed, row if len(listed) > 1 else (row,), strict=True))
