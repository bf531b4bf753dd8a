"""Policies and their statements, and the elements of a statement that do not match a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.checks.iam.conditions import (
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
    """A call: the action, the ARN of the resource, and the condition keys that the service sends."""

    action: str
    arn: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)

    def keys(self) -> dict[str, Any]:
        """The condition keys in lower case, as IAM compares them."""
        return {key.lower(): value for key, value in self.context.items()}


@dataclass(frozen=True)
class Statement:
    """A statement, and the name of its policy."""

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
    """Whether a statement matches an action; IAM ignores case."""
    name = action.lower()
    if "NotAction" in body:
        return not any(like(name, each.lower()) for each in listed(body["NotAction"]))
    return any(like(name, each.lower()) for each in listed(body.get("Action")))


def matches_resource(body: Body, request: Request) -> bool:
    """Whether a statement matches the request's resource. A policy without Resource is for the resource that it is
    attached to.

    A wildcard also matches colons of an ARN here, so that no statement appears narrower than it is.
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
    """Elements that do not match, of a statement for the request's action.

    ``Resource``, or ``Condition KEY`` for each key whose condition is false.
    """
    if not matches_resource(body, request):
        yield "Resource"
    keys = request.keys()
    for clause in clauses_of(body.get("Condition", {})):
        if not holds(clause, keys):
            yield f"Condition {clause.key}"


def applies(body: Body, request: Request) -> bool:
    """Whether action, resource and conditions of a statement match a request, without its principal."""
    return matches_action(body, request.action) and not any(obstacles(body, request))


def allows(statements: Iterable[Body], request: Request) -> bool:
    """Whether an identity's statements allow a call: one allows it, none denies it."""
    effects = {body["Effect"] for body in statements if applies(body, request)}
    return "Allow" in effects and "Deny" not in effects


def denies(statements: Iterable[Body], request: Request) -> bool:
    """Whether one of the statements denies a call."""
    return any(body["Effect"] == "Deny" and applies(body, request) for body in statements)
