"""Evaluate a principal's request over all policies that AWS evaluates, with the deciding statements.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pipeline.checks.iam.conditions import like, listed
from pipeline.checks.iam.policies import (
    Body,
    Policy,
    Request,
    Statement,
    applies,
    matches_action,
    obstacles,
)

# Services where the policy of the resource must allow the request; an identity policy alone is not enough.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
_RESOURCE_DECIDES = ("kms", "sts")


@dataclass(frozen=True)
class Principal:
    """A caller: a role (by its ARN), an AWS service (``service``), or a workflow (``federated`` is its provider).

    Without ``policies`` it has only the permissions of resource policies. ``boundary`` and ``session`` limit a role.
    """

    arn: str = ""
    account: str = ""
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    service: str = ""
    federated: str = ""
    organization: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def keys(self) -> dict[str, Any]:
        """Condition keys that AWS sends for the caller."""
        known = {
            "aws:PrincipalArn": self.arn,
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalOrgID": self.organization,
        }
        given = {key: value for key, value in known.items() if value}
        return given | {f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}


@dataclass(frozen=True)
class Resource:
    """The resource of a request: its account, and its policy if it has one."""

    account: str
    policy: Policy | None = None


class Obstacle(NamedTuple):
    """A statement for the action that does not apply, and the element that does not match."""

    statement: Statement
    element: str

    def __str__(self) -> str:
        return f"{self.statement}: {self.element}"


@dataclass(frozen=True)
class Decision:
    """Whether a request is allowed.

    ``denied_by`` is the statement that denies it. ``bounded`` says that the caller's policies allow the request, and
    the boundary or the session does not. ``obstacles`` are the elements that do not match, of statements that allow the
    action.
    """

    allowed: bool
    denied_by: Statement | None = None
    bounded: bool = False
    obstacles: tuple[Obstacle, ...] = ()

    def reasons(self) -> tuple[str, ...]:
        """Why a request is refused, one text for each statement; empty if it is allowed."""
        if self.allowed:
            return ()
        if self.denied_by:
            return (f"{self.denied_by}: Effect",)
        if self.bounded:
            return ("boundary", *map(str, self.obstacles))
        return tuple(map(str, self.obstacles)) or ("no statement",)


def decide(principal: Principal, request: Request, resource: Resource) -> Decision:
    """The decision on a request of a principal on a resource."""
    keys = {"aws:ResourceAccount": resource.account, "s3:ResourceAccount": resource.account}
    asked = replace(request, context={**keys, **principal.keys(), **request.context})
    limits = [each for each in (principal.boundary, principal.session) if each is not None]
    of_resource = [
        each for each in (resource.policy or ()) if trusts(each.body.get("Principal"), principal)
    ]
    everything = [*statements(principal.policies), *statements(limits), *of_resource]
    for statement in everything:
        if not statement.allows and applies(statement.body, asked):
            return Decision(False, denied_by=statement)
    within = all(any_allows(limit, asked) for limit in limits)
    own = any_allows(statements(principal.policies), asked)
    directly = any_allows(
        (each for each in of_resource if names(each.body["Principal"], principal)), asked
    )
    by_account = any_allows(of_resource, asked)
    same_account = principal.account == resource.account
    decides = asked.action.partition(":")[0] in _RESOURCE_DECIDES
    if not same_account:
        allowed = (own or not is_identity(principal)) and by_account
    elif decides:
        allowed = directly or (by_account and own)
    else:
        allowed = own or directly
    if allowed and within:
        return Decision(True)
    if allowed:
        return Decision(False, bounded=True, obstacles=in_the_way(statements(limits), asked))
    found = [] if own and not same_account else in_the_way(statements(principal.policies), asked)
    return Decision(False, obstacles=(*found, *in_the_way_of(resource, principal, asked)))


def statements(policies: Iterable[Policy]) -> Iterator[Statement]:
    """The statements of policies."""
    return (statement for each in policies for statement in each)


def any_allows(among: Iterable[Statement], request: Request) -> bool:
    """Whether one of the statements allows a request."""
    return any(each.allows and applies(each.body, request) for each in among)


def in_the_way(among: Iterable[Statement], request: Request) -> tuple[Obstacle, ...]:
    """Each element of each statement that allows the action and does not apply."""
    return tuple(
        Obstacle(each, element)
        for each in among
        if each.allows and matches_action(each.body, request.action)
        for element in obstacles(each.body, request)
    )


def in_the_way_of(resource: Resource, principal: Principal, request: Request) -> Iterator[Obstacle]:
    """The same for the resource's policy, whose statements can also name another principal."""
    for each in resource.policy or ():
        if each.allows and matches_action(each.body, request.action):
            if not trusts(each.body.get("Principal"), principal):
                yield Obstacle(each, "Principal")
            yield from in_the_way([each], request)


def is_identity(principal: Principal) -> bool:
    """Whether a principal has policies of an account; a service and a workflow have none."""
    return not (principal.service or principal.federated)


def names(element: Any, principal: Principal) -> bool:
    """Whether a Principal element names the caller itself, not only its account."""
    if element == "*":
        return True
    kinds: Body = element if isinstance(element, Mapping) else {}
    if principal.service:
        return principal.service in listed(kinds.get("Service"))
    if principal.federated:
        return principal.federated in listed(kinds.get("Federated"))
    known = listed(kinds.get("AWS"))
    return "*" in known or principal.arn in known


def trusts(element: Any, principal: Principal) -> bool:
    """Whether a Principal element names the caller or, as root, the caller's account."""
    if names(element, principal):
        return True
    if not is_identity(principal) or not isinstance(element, Mapping) or not principal.account:
        return False
    root = f"arn:*:iam::{principal.account}:root"
    return any(
        each == principal.account or like(str(each), root) for each in listed(element.get("AWS"))
    )
