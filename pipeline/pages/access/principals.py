"""The roles of a rendered environment: their policies, who assumes them, and the resources that use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.iam.conditions import listed
from pipeline.checks.iam.evaluation import Principal
from pipeline.checks.iam.policies import Policy, policy
from pipeline.checks.rendered_resources import RenderedResource
from pipeline.pages.access.words import condition_words, readable
from pipeline.template.example_values import ACCOUNT
from pipeline.template.references import Name, token, tokens

ROLE = "AWS::IAM::Role"
# Resources with a policy of a role, and the policies' properties.
ATTACHED = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")
# What refers to a role without using it.
_NO_USER = {*ATTACHED, ROLE, "AWS::CloudFormation::Stack"}


@dataclass(frozen=True)
class Role:
    """A role. ``assumed_by`` names the principals of its trust policy, ``used_by`` the resources that have it."""

    name: Name
    principal: Principal
    policies: tuple[Policy, ...]
    assumed_by: tuple[str, ...]
    used_by: tuple[Name, ...]
    managed: tuple[str, ...] = ()
    boundary: str = ""


def roles(resources: Iterable[RenderedResource]) -> list[Role]:
    """Every role, by name."""
    every = list(resources)
    # Reading the references of each resource again for every role takes a second.
    named = {each.name: _names(dict(each.properties)) for each in every}
    found = [_role(each, every, named) for each in every if each.kind == ROLE]
    return sorted(found, key=lambda role: role.name)


def _role(
    role: RenderedResource, every: list[RenderedResource], named: Mapping[Name, set[Name]]
) -> Role:
    policies = tuple(_policies(role, every))
    arn = token(role.name, "Arn")
    managed = listed(role.properties.get("ManagedPolicyArns"))
    own = {each.name for each in every if each.kind == "AWS::IAM::ManagedPolicy"}
    return Role(
        role.name,
        Principal(arn=arn, account=ACCOUNT, policies=policies),
        policies,
        tuple(_assumed_by(role.properties["AssumeRolePolicyDocument"])),
        tuple(_used_by(role.name, every, named)),
        tuple(readable(str(each)) for each in managed if not own & _names(each)),
        readable(str(role.properties.get("PermissionsBoundary", ""))),
    )


def _policies(role: RenderedResource, every: list[RenderedResource]) -> Iterator[Policy]:
    for inline in listed(role.properties.get("Policies")):
        yield policy(f"{role.name}/{inline['PolicyName']}", inline["PolicyDocument"])
    for each in every:
        if each.kind in ATTACHED and role.name in _holders(each, role):
            yield policy(str(each.name), each.properties["PolicyDocument"])


def _holders(each: RenderedResource, role: RenderedResource) -> set[Name]:
    held = {*_names(each.properties.get("Roles")), *_names(each.properties.get("RoleName"))}
    if each.name in _names(role.properties.get("ManagedPolicyArns")):
        held.add(role.name)
    return held


def _names(value: Any) -> set[Name]:
    return {name for name, _ in tokens(value)}


def _assumed_by(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in listed(document["Statement"]):
        when = " and ".join(condition_words(statement))
        for principal in principals_of(statement["Principal"]):
            yield f"{principal}{', only if ' + when if when else ''}"


def principals_of(element: Any) -> list[str]:
    """The principals of a Principal element, for a reader."""
    if element == "*":
        return ["anyone"]
    return [readable(str(each)) for values in element.values() for each in listed(values)]


def _used_by(
    role: Name, every: list[RenderedResource], named: Mapping[Name, set[Name]]
) -> Iterator[Name]:
    profiles = {
        each.name
        for each in every
        if each.kind == "AWS::IAM::InstanceProfile" and role in named[each.name]
    }
    for each in every:
        if each.kind in _NO_USER or each.name in profiles:
            continue
        if ({role} | profiles) & named[each.name]:
            yield each.name
