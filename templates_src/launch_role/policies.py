"""The launch role's policies: every needed action in one statement, statements by area, each area within IAM's size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from awacs.aws import PolicyDocument, Statement

from templates_src.core import iam
from templates_src.core.errors import TemplateError
from templates_src.launch_role.gaps import UNBOUND, gap_actions
from templates_src.launch_role.grants import (
    FUNCTIONS,
    KEYS_AND_STACKS,
    NETWORKS,
    OWN,
    STORES,
    Grant,
    identity,
    of_account,
    of_project,
)
from templates_src.launch_role.permissions import Permissions

# Services by policy.
AREAS: Mapping[str, tuple[str, ...]] = {
    "Identity": ("cloudformation", "iam", "kms", "secretsmanager", "ssm"),
    "Network": ("ec2", "route53", "acm", "elasticloadbalancing", "wafv2"),
    "Compute": ("ecs", "ecr", "autoscaling", "application-autoscaling", "lambda"),
    "Data": ("s3", "rds", "elasticache", "dlm"),
    "Operations": ("logs", "cloudwatch", "events", "sns"),
}
ELSEWHERE = "Elsewhere"
# Can be bound to a data set, but is about none where metrics are read in their account.
WIDENED = ("cloudwatch:GetMetricData",)


def documents(permissions: Permissions) -> dict[str, PolicyDocument]:
    """A policy document by area."""
    found = {
        area: iam.document(*statements(permissions, services)) for area, services in AREAS.items()
    }
    found[ELSEWHERE] = iam.document(*elsewhere(permissions))
    return found


def statements(permissions: Permissions, services: Sequence[str]) -> list[Statement]:
    """The statements of an area: special grants, what bears the project's tag, this account's, and what has no resource."""
    bound, unbound = needed(permissions)
    rest = of_services(bound, services)
    special = (*identity(permissions.passed_to), *KEYS_AND_STACKS, *STORES, own(rest), *NETWORKS)
    made: list[Statement] = []
    for grant in (*special, *FUNCTIONS):
        rest = take(grant, rest, made)
    owners = [service for service in services if of_services(rest, [service])]
    take(Grant("InThisAccount", ("*",), of_account(*owners)), rest, made)
    take(anywhere(), of_services(unbound, services), made)
    return made


def needed(permissions: Permissions) -> tuple[list[str], list[str]]:
    """Every action that can be bound to a resource, and every one that takes none; gaps included."""
    bound = {*permissions.bound, *gap_actions()} - set(UNBOUND)
    widened = bound & set(WIDENED)
    return sorted(bound - widened), sorted({*permissions.unbound, *UNBOUND, *widened})


def of_services(actions: Iterable[str], services: Sequence[str]) -> list[str]:
    """Those of the actions that are of one of the services."""
    return [action for action in actions if action.partition(":")[0] in services]


def own(actions: Iterable[str]) -> Grant:
    """What ends or opens something: only what bears the project's tag."""
    services = sorted({action.partition(":")[0] for action in actions if action in OWN})
    return Grant("WhatBearsTheProjectsTag", OWN, of_account(*services), of_project())


def anywhere() -> Grant:
    """Actions that take no resource."""
    return Grant("TakesNoResource", ("*",), ("*",), reason="the service knows no resource to name")


def elsewhere(permissions: Permissions) -> list[Statement]:
    """What the handlers declare and no reference documents. Raises TemplateError for a service without an area."""
    here = {service for services in AREAS.values() for service in services}
    for actions in needed(permissions):
        if missing := [action for action in actions if action.partition(":")[0] not in here]:
            raise TemplateError(
                f"A handler of the templates' resource types calls {missing[0]}; name its service in AREAS of "
                "templates_src/launch_role/policies.py, or say in unused.py why it is not called."
            )
    made: list[Statement] = []
    rest = list(permissions.undocumented)
    for grant in (*STORES, *FUNCTIONS):
        rest = take(undocumented(grant), rest, made)
    take(
        Grant(
            "DeclaredButNotInTheReference",
            ("*",),
            ("*",),
            reason="what they could be bound to is not documented",
        ),
        rest,
        made,
    )
    return made


def undocumented(grant: Grant) -> Grant:
    """A grant of actions that handlers declare and no reference knows."""
    return Grant(f"Undocumented{grant.sid}", grant.actions, grant.resources, grant.condition)


def take(grant: Grant, actions: Iterable[str], made: list[Statement]) -> list[str]:
    """Add a statement of the actions that a grant selects, if any; returns what is left."""
    actions = list(actions)
    selected = grant.select(actions)
    if not selected:
        return actions
    made.append(grant.statement(selected))
    return actions if grant.also else [action for action in actions if action not in selected]
