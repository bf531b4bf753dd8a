"""Grants: what a role allows is what its holder calls, and under no other condition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pipeline.checks.iam.conditions import like
from pipeline.checks.render import Rendered
from templates_src.environment import ROOT
from tests.relations.identity.checks_identity import ROLE
from tests.relations.identity.needs import Need, bodies, is_allowed, other
from tests.relations.identity.needs_of_functions import (
    certificates_of_others,
    interfaces_of_code,
    needs_of_functions,
)
from tests.relations.identity.needs_of_tasks import (
    needs_of_search,
    needs_of_services,
    needs_of_tasks,
    needs_of_workflows,
    settings_of_tasks,
)
from tests.relations.registry import relation
from tests.relations.text import listed
from tests.rendering import resources_of_type


def every_need(rendered: Rendered) -> Iterator[Need]:
    """The calls of every role."""
    yield from needs_of_tasks(rendered)
    yield from needs_of_workflows(rendered)
    yield from needs_of_services(rendered)
    yield from needs_of_search(rendered)
    yield from needs_of_functions(rendered)


def calls_by_role(rendered: Rendered) -> dict[str, set[tuple[str, str]]]:
    """Role, to the actions with their targets."""
    found = defaultdict(set)
    for need in every_need(rendered):
        found[need.role].add((need.action, need.target))
    return found


@relation
def roles_may_do_their_work(rendered: Rendered) -> Iterator[str]:
    """A role allows each call of its holder: of the code of a function, of a task as the container contract says, and of a service as AWS documents it."""
    statements = {
        role.logical_id: bodies(rendered, role.logical_id)
        for role in resources_of_type(rendered, ROLE)
    }
    for need in every_need(rendered):
        if not is_allowed(statements.get(need.role, []), need):
            yield f"{need.role} does not allow {need.action} on {need.target} {dict(need.context) or ''}".rstrip()


@relation
def grants_hold_under_their_conditions_only(rendered: Rendered) -> Iterator[str]:
    """The same call is denied in another cluster or namespace, through another service, for resources of others, for the environment files of tasks, and to the code of a function where only Lambda makes it."""
    statements = {
        role.logical_id: bodies(rendered, role.logical_id)
        for role in resources_of_type(rendered, ROLE)
    }
    foreign = [
        *interfaces_of_code(rendered),
        *certificates_of_others(rendered),
        *settings_of_tasks(rendered),
    ]
    for need in every_need(rendered):
        for key, value in need.context.items():
            context = {**need.context, key: other(value)}
            foreign.append(Need(need.role, need.action, need.target, context))
    for need in foreign:
        if is_allowed(statements.get(need.role, []), need):
            yield f"{need.role} allows {need.action} on {need.target} with {dict(need.context)}."


@relation
def roles_may_do_nothing_more(rendered: Rendered) -> Iterator[str]:
    """Every action that a role allows, and every resource that it allows it on, is that of a call of its holder: an unused permission is removed."""
    given = rendered.parameters[ROOT]
    if not given["ImageTag"] or given["ApplicationSettingsVersion"] == "0":
        # The roles of tasks already allow what an image and its settings will need.
        return
    called = calls_by_role(rendered)
    for role in resources_of_type(rendered, ROLE):
        calls = called[role.logical_id]
        for statement in bodies(rendered, role.logical_id):
            if statement["Effect"] != "Allow":
                continue
            targets = set()
            for granted in listed(statement.get("Action")):
                found = {target for action, target in calls if like(action, granted)}
                if not found:
                    yield f"{role.logical_id} allows {granted}, which its holder never calls."
                targets |= found
            for resource in statement["Resource"]:
                if not any(like(target, resource) for target in targets):
                    yield f"{role.logical_id} allows {statement['Action']} on {resource}, where its holder never calls it."
