"""Policies and their statements: what a statement is about, and which of its elements keeps it from a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.iam.conditions import (
    MissingVariableError,
    clauses_of,
    holds,
    like,
    listed,
    pattern_of,
)

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """A call: the action, the ARN that it is about, and the condition keys that the service sends with it."""

    action: str
    arn: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)

    def keys(self) -> dict[str, Any]:
        """The condition keys in lower case, as IAM compares them."""
        return {key.lower(): value for key, value in self.context.items()}


@dataclass(frozen=True)
class Statement:
    """A statement, and the name of the policy that holds it."""

    policy: str
    body: Body

    @property
    def sid(self) -> str:
        """Its Sid, or empty."""
        return str(self.body.get("Sid", ""))

    @property
    def allows(self) -> bool:
        """Whether it allows; otherwise it denies."""
        return bool(self.body["Effect"] == "Allow")

    def __str__(self) -> str:
        return f"{self.policy}/{self.sid or self.body['Effect']}"


@dataclass(frozen=True)
class Policy:
    """A policy document under a name."""

    name: str
    statements: tuple[Body, ...]

    def __iter__(self) -> Iterator[Statement]:
        return (Statement(self.name, body) for body in self.statements)


def policy(name: str, document: Any) -> Policy:
    """A policy from its document, which may be JSON text, or from a list of statements."""
    found = json.loads(document) if isinstance(document, str) else document
    if isinstance(found, Mapping):
        found = found["Statement"]
    return Policy(name, tuple(listed(found)))


def matches_action(body: Body, action: str) -> bool:
    """Whether a statement is about an action; IAM ignores case in it."""
    name = action.lower()
    if "NotAction" in body:
        return not any(like(name, each.lower()) for each in listed(body["NotAction"]))
    return any(like(name, each.lower()) for each in listed(body.get("Action")))


def matches_resource(body: Body, request: Request) -> bool:
    """Whether a statement is about the request's resource. A policy without Resource is about what it is attached to.

    A wildcard crosses the colons of an ARN here, so that no statement looks narrower than it may be.
    """
    keys = request.keys()

    def one_of(patterns: Any) -> bool:
        return any(
            like(request.arn, pattern_of(pattern, keys, literal=False))
            for pattern in listed(patterns)
        )

    try:
        if "NotResource" in body:
            return not one_of(body["NotResource"])
        return "Resource" not in body or one_of(body["Resource"])
    except MissingVariableError:
        return False


def obstacles(body: Body, request: Request) -> Iterator[str]:
    """Elements that keep a statement about the request's action from applying.

    ``Resource``, or ``Condition KEY`` for each key whose clause does not hold.
    """
    if not matches_resource(body, request):
        yield "Resource"
    keys = request.keys()
    for clause in clauses_of(body.get("Condition", {})):
        if not holds(clause, keys):
            yield f"Condition {clause.key}"


def applies(body: Body, request: Request) -> bool:
    """Whether action, resource and conditions of a statement match a request; its principal is not looked at."""
    return matches_action(body, request.action) and not any(obstacles(body, request))


def allows(statements: Iterable[Body], request: Request) -> bool:
    """Whether an identity's statements allow a call: one allows it, none denies it."""
    effects = {body["Effect"] for body in statements if applies(body, request)}
    return "Allow" in effects and "Deny" not in effects


def denies(statements: Iterable[Body], request: Request) -> bool:
    """Whether one of the statements denies a call."""
    return any(body["Effect"] == "Deny" and applies(body, request) for body in statements)
