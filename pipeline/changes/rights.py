"""The IAM actions that each role of an environment gains or loses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.changes.state import Evaluated, Resource
from pipeline.template.references import Name, tokens

ROLE = "AWS::IAM::Role"
# Types with one policy document for the roles that they name.
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")


@dataclass(frozen=True)
class RightsChange:
    """The actions that a role gains and loses."""

    role: Name
    gained: tuple[str, ...]
    lost: tuple[str, ...]


def rights_changes(before: Evaluated, after: Evaluated) -> list[RightsChange]:
    """The roles whose allowed actions differ. A new role gains all its actions, a removed one loses all."""
    one, other = allowed(before), allowed(after)
    return [
        RightsChange(
            role,
            tuple(sorted(other.get(role, set()) - one.get(role, set()))),
            tuple(sorted(one.get(role, set()) - other.get(role, set()))),
        )
        for role in sorted(one.keys() | other.keys())
        if one.get(role, set()) != other.get(role, set())
    ]


def allowed(evaluated: Evaluated) -> dict[Name, set[str]]:
    """The actions that the statements of each role's policies allow, for any resources and conditions."""
    found: defaultdict[Name, set[str]] = defaultdict(set)
    for resource in evaluated.resources.values():
        if resource.kind == ROLE:
            found[resource.name].update(*map(_actions, _inline(resource)))
            for name, _ in tokens(resource.properties.get("ManagedPolicyArns", ())):
                attached = evaluated.resources.get(name)
                found[resource.name].update(_actions(_document(attached)) if attached else ())
        elif resource.kind in POLICIES:
            for name, _ in tokens([resource.properties.get(key) for key in ("Roles", "RoleName")]):
                found[name].update(_actions(_document(resource)))
    return dict(found)


def _inline(role: Resource) -> list[Mapping[str, Any]]:
    return [policy["PolicyDocument"] for policy in role.properties.get("Policies", ())]


def _document(policy: Resource) -> Mapping[str, Any]:
    document: Mapping[str, Any] = policy.properties.get("PolicyDocument", {})
    return document


def _actions(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in document.get("Statement", ()):
        if statement["Effect"] == "Allow":
            actions = statement.get("Action", ())
            yield from [actions] if isinstance(actions, str) else actions
