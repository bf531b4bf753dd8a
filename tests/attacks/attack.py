"""An attempt, the guard that refuses it, and the same policies without exactly that guard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.iam.evaluation import Decision, Principal, Resource, decide
from tests.iam.policies import Body, Policy, Request

NO_STATEMENT = "no statement"
BOUNDARY = "boundary"


@dataclass(frozen=True)
class Attempt:
    """A principal's request on a resource."""

    principal: Principal
    request: Request
    resource: Resource

    def decision(self) -> Decision:
        """What AWS answers."""
        return decide(self.principal, self.request, self.resource)


@dataclass(frozen=True)
class Attack:
    """An attempt that must be refused.

    ``guards`` are what refuses it, in the words of ``Decision.reasons``: a policy, the Sid of a statement and the
    element that decides (``use-buckets/KeepObjects: Resource``), ``boundary`` or ``no statement``. Where there are
    several, each refuses the attempt by itself.
    """

    principal: str
    name: str
    attempt: Callable[[], Attempt]
    guards: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.principal}: {self.name}"


def attack(
    principal: str,
    name: str,
    *guards: str,
    by: Callable[[], Principal],
    action: str,
    arn: Callable[[], str] = lambda: "*",
    on: Callable[[], Resource],
    context: Callable[[], Mapping[str, Any]] = dict,
) -> Attack:
    """An attack whose environments are rendered when it runs, not when the table is read."""
    return Attack(
        principal,
        name,
        lambda: Attempt(by(), Request(action, arn(), context()), on()),
        guards,
    )


def without(attempt: Attempt, guards: Iterable[str]) -> Attempt:
    """The attempt with these guards removed and everything else as launched.

    Raises ValueError for a guard that no policy has.
    """
    for guard in guards:
        attempt = _without(attempt, guard)
    return attempt


def _without(attempt: Attempt, guard: str) -> Attempt:
    principal, resource = attempt.principal, attempt.resource
    if guard == NO_STATEMENT:
        opened = Policy("added", (_allowing(attempt.request),))
        if resource.policy and principal.account != resource.account:
            added = {**_allowing(attempt.request), "Principal": "*"}
            return replace(attempt, resource=_with(resource, added))
        return replace(
            attempt, principal=replace(principal, policies=(*principal.policies, opened))
        )
    if guard == BOUNDARY:
        if principal.boundary is None:
            raise ValueError(f"{principal.arn} has no boundary.")
        return replace(attempt, principal=replace(principal, boundary=None))
    changed = replace(
        attempt,
        principal=replace(
            principal,
            policies=tuple(_opened(each, guard) for each in principal.policies),
            boundary=principal.boundary and _opened(principal.boundary, guard),
        ),
        resource=replace(resource, policy=resource.policy and _opened(resource.policy, guard)),
    )
    if changed == attempt:
        raise ValueError(f"No policy has the guard {guard}.")
    return changed


def _allowing(request: Request) -> dict[str, Any]:
    return {"Sid": "Added", "Effect": "Allow", "Action": request.action, "Resource": request.arn}


def _with(resource: Resource, body: Body) -> Resource:
    policy = resource.policy or Policy("resource", ())
    return replace(resource, policy=Policy(policy.name, (*policy.statements, body)))


def _opened(policy: Policy, guard: str) -> Policy:
    """A policy without one guard; the same policy where it is another's."""
    statements: list[Body] = []
    for statement in policy:
        holder, _, element = guard.partition(": ")
        if str(statement) != holder:
            statements.append(statement.body)
        elif element != "Effect":
            statements.append(_widened(statement.body, element))
    return Policy(policy.name, tuple(statements))


def _widened(body: Body, element: str) -> Body:
    """A statement whose element is open to everything."""
    if element in ("Resource", "Principal"):
        return {**body, element: "*"}
    key = element.removeprefix("Condition ")
    left = {
        operator: {name: values for name, values in keys.items() if name != key}
        for operator, keys in body.get("Condition", {}).items()
    }
    return {**body, "Condition": {operator: keys for operator, keys in left.items() if keys}}
