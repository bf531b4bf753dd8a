"""An attempt, the guard that refuses it, and the same policies without only that guard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pipeline.checks.iam.evaluation import Principal, Resource, decide
from pipeline.checks.iam.policies import Body, Policy, Request

NO_STATEMENT = "no statement"
BOUNDARY = "boundary"


class Attempt(Protocol):
    """An attempt of a principal, with the policies of a launched environment."""

    def reasons(self) -> tuple[str, ...]:
        """Why it is refused; empty if it succeeds."""

    def without(self, guard: str) -> Attempt:
        """The same attempt without one guard; everything else is as launched.

        Raises ValueError for a guard that does not exist.
        """


@dataclass(frozen=True)
class Attack:
    """An attempt that must be refused.

    ``guards`` refuse it, in the words of ``reasons``. If there are several, each refuses the attempt alone.
    """

    principal: str
    name: str
    attempt: Callable[[], Attempt]
    guards: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.principal}: {self.name}"


def findings(attack: Attack) -> list[str]:
    """Why an attempt is not refused exactly by its guards, as sentences; empty if it is."""
    attempt = attack.attempt()
    if not attempt.reasons():
        return [f"{attack}: the attempt succeeds."]
    found = []
    try:
        for guard in attack.guards:
            others = [other for other in attack.guards if other != guard]
            if guard not in without(attempt, others).reasons():
                found.append(f"{attack}: {guard} does not refuse the attempt.")
        left = without(attempt, attack.guards).reasons()
        if left:
            found.append(f"{attack}: without its guards, {' and '.join(left)} refuses the attempt.")
    except ValueError as error:
        found.append(f"{attack}: {error}")
    return found


def without(attempt: Attempt, guards: Iterable[str]) -> Attempt:
    """The attempt without these guards."""
    for guard in guards:
        attempt = attempt.without(guard)
    return attempt


@dataclass(frozen=True)
class Call:
    """A principal's request on a resource.

    A guard is a policy, the Sid of a statement and the element that decides (``use-buckets/KeepObjects: Resource``),
    ``boundary``, or ``no statement``.
    """

    principal: Principal
    request: Request
    resource: Resource

    def reasons(self) -> tuple[str, ...]:
        """Why AWS refuses the request; empty if it does not."""
        return decide(self.principal, self.request, self.resource).reasons()

    def without(self, guard: str) -> Call:
        """The request under policies without one guard. Raises ValueError for a guard that no policy has."""
        if guard == NO_STATEMENT:
            return _with_statement(self)
        if guard == BOUNDARY:
            if self.principal.boundary is None:
                raise ValueError(f"{self.principal.arn} has no boundary.")
            return replace(self, principal=replace(self.principal, boundary=None))
        changed = replace(
            self,
            principal=replace(
                self.principal,
                policies=tuple(_opened(each, guard) for each in self.principal.policies),
                boundary=self.principal.boundary and _opened(self.principal.boundary, guard),
            ),
            resource=replace(
                self.resource, policy=self.resource.policy and _opened(self.resource.policy, guard)
            ),
        )
        if changed == self:
            raise ValueError(f"No policy has the guard {guard}.")
        return changed


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
        lambda: Call(by(), Request(action, arn(), context()), on()),
        guards,
    )


def _with_statement(call: Call) -> Call:
    """The call with a statement for exactly this request in the principal's policies; for another account, in the resource's policy."""
    principal, resource, request = call.principal, call.resource, call.request
    body: Body = {
        "Sid": "Added",
        "Effect": "Allow",
        "Action": request.action,
        "Resource": request.arn,
    }
    if resource.policy and principal.account != resource.account:
        bodies = (*resource.policy.statements, {**body, "Principal": "*"})
        opened = replace(resource.policy, statements=bodies)
        return replace(call, resource=replace(resource, policy=opened))
    policies = (*principal.policies, Policy("added", (body,)))
    return replace(call, principal=replace(principal, policies=policies))


def _opened(policy: Policy, guard: str) -> Policy:
    """A policy without one guard; the same policy if the guard is in another one."""
    statements: list[Body] = []
    for statement in policy:
        holder, _, element = guard.partition(": ")
        if str(statement) != holder:
            statements.append(statement.body)
        elif element != "Effect":
            statements.append(_widened(statement.body, element))
    return Policy(policy.name, tuple(statements))


def _widened(body: Body, element: str) -> Body:
    """A statement whose element allows everything."""
    if element in ("Resource", "Principal"):
        return {**body, element: "*"}
    key = element.removeprefix("Condition ")
    left = {
        operator: {name: values for name, values in keys.items() if name != key}
        for operator, keys in body.get("Condition", {}).items()
    }
    return {**body, "Condition": {operator: keys for operator, keys in left.items() if keys}}
