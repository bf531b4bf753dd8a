"""The launch role's policies: every needed action in one statement, statements by area, each area within IAM's size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from awacs.aws import Condition, PolicyDocument, Statement

from templates_src.core import iam
from templates_src.core.errors import TemplateError
from templates_src.launch_role.bindings import (
    NAMES,
    OWN,
    OWN_OR_NEW,
    in_account,
    own_or_new,
    own_tags,
)
from templates_src.launch_role.gaps import UNBOUND, gap_actions
from templates_src.launch_role.grant import Grant
from templates_src.launch_role.grants import (
    KEYS_AND_STACKS,
    NETWORKS,
    STORES,
    UNTAGGED,
    identity,
    new_secrets,
)
from templates_src.launch_role.permissions import Permissions

# Services by policy.
AREAS: Mapping[str, tuple[str, ...]] = {
    "Identity": ("cloudformation", "iam", "kms", "ssm"),
    "Network": ("ec2", "route53"),
    "Edge": ("acm", "elasticloadbalancing", "wafv2"),
    "Compute": ("ecs", "ecr", "autoscaling", "application-autoscaling", "lambda"),
    "Data": ("s3", "rds", "elasticache", "dlm"),
    "Operations": ("logs", "cloudwatch", "events", "secretsmanager", "sns"),
}
ELSEWHERE = "Elsewhere"
# It has the resource type data set, which is absent if metrics are read in their account.
WIDENED = ("cloudwatch:GetMetricData",)


def documents(permissions: Permissions) -> dict[str, PolicyDocument]:
    """A policy document by area."""
    found = {
        area: iam.document(*statements(permissions, services)) for area, services in AREAS.items()
    }
    found[ELSEWHERE] = iam.document(*undocumented_actions(permissions))
    return found


def statements(permissions: Permissions, services: Sequence[str]) -> list[Statement]:
    """The statements of an area: actions limited by tags, special grants, actions limited by names, and actions without a resource."""
    bound, unbound = allowed_actions(permissions)
    rest = of_services(bound, services)
    made: list[Statement] = []
    for grant in UNTAGGED:
        rest = add_statement(grant, rest, made)
    tagged = Grant("OwnByTags", OWN, (), own_tags())
    of_account = tuple(in_account(each)[0] for each in services_of(tagged.select(rest)))
    rest = add_statement(replace(tagged, resources=of_account), rest, made)
    new = Grant("OwnOrNew", OWN_OR_NEW, (), Condition(own_or_new()))
    rest = add_statement(replace(new, resources=names_of(new.select(rest))), rest, made)
    special = (*identity(permissions.passed_to), new_secrets(permissions.secrets))
    for grant in (*special, *KEYS_AND_STACKS, *STORES, *NETWORKS):
        rest = add_statement(grant, rest, made)
    add_statement(Grant("ByName", ("*",), names_of(rest)), rest, made)
    add_statement(actions_without_resource(), of_services(unbound, services), made)
    return made


def names_of(actions: Iterable[str]) -> tuple[str, ...]:
    """The resources of the services of these actions."""
    return tuple(name for service in services_of(actions) for name in NAMES[service])


def services_of(actions: Iterable[str]) -> list[str]:
    """The services of actions."""
    return sorted({action.partition(":")[0] for action in actions})


def allowed_actions(permissions: Permissions) -> tuple[list[str], list[str]]:
    """All actions with a resource type, and all without; gaps included."""
    bound = {*permissions.bound, *gap_actions()} - set(UNBOUND)
    widened = bound & set(WIDENED)
    return sorted(bound - widened), sorted({*permissions.unbound, *UNBOUND, *widened})


def of_services(actions: Iterable[str], services: Sequence[str]) -> list[str]:
    """The actions that belong to one of the services."""
    return [action for action in actions if action.partition(":")[0] in services]


def actions_without_resource() -> Grant:
    """Actions that take no resource."""
    return Grant("TakesNoResource", ("*",), ("*",), reason="the service knows no resource to name")


def undocumented_actions(permissions: Permissions) -> list[Statement]:
    """Actions that handlers declare and the service authorization reference does not list. Raises TemplateError for a service without an area."""
    here = {service for services in AREAS.values() for service in services}
    for actions in allowed_actions(permissions):
        if missing := [action for action in actions if action.partition(":")[0] not in here]:
            raise TemplateError(
                f"A handler of the templates' resource types calls {missing[0]}; name its service in AREAS of "
                "templates_src/launch_role/policies.py, or state in unused.py why it is not called."
            )
    made: list[Statement] = []
    rest = list(permissions.undocumented)
    for grant in STORES:
        rest = add_statement(undocumented(grant), rest, made)
    add_statement(
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
    """A grant of actions that handlers declare and the reference does not list."""
    return Grant(f"Undocumented{grant.sid}", grant.actions, grant.resources, grant.condition)


def add_statement(grant: Grant, actions: Iterable[str], made: list[Statement]) -> list[str]:
    """Add a statement of the actions that a grant selects, if any; returns what is left."""
    actions = list(actions)
    selected = grant.select(actions)
    if not selected:
        return actions
    made.append(grant.statement(selected))
    return actions if grant.also else [action for action in actions if action not in selected]
