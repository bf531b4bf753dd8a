"""Evaluate the statements of a rendered environment, with logical IDs in place of references."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.checks.iam import policies
from pipeline.checks.iam.policies import Request
from pipeline.checks.render import Rendered
from tests.relations.text import listed, text_of
from tests.rendering import id_of, role_statements

REFERENCE = re.compile(r"<[\w.]+>")
Context = Mapping[str, str]
Statements = Sequence[tuple[str, Mapping[str, Any]]]


def allows(
    rendered: Rendered, role: str, action: str, target: str, context: Context | None = None
) -> bool:
    """Whether the inline and attached policies of a role allow an action on the resource with logical ID ``target``.

    ``context`` holds the condition keys of the request.
    """
    return granted(rendered, list(role_statements(rendered, role)), action, target, context)


def granted(
    rendered: Rendered,
    statements: Statements,
    action: str,
    target: str,
    context: Context | None = None,
) -> bool:
    """The same for statements, each with the layer of its references."""
    bodies = [plain(rendered, layer, statement) for layer, statement in statements]
    known = {key: arn_of_reference(value) for key, value in (context or {}).items()}
    return policies.allows(bodies, Request(action, target, known))


def arn_of_reference(text: str) -> str:
    """A reference such as ``<Cluster.Arn>`` in the form of an ARN, which the ARN operators require."""
    return f"arn:aws:service:region:account:{text}" if REFERENCE.fullmatch(text) else text


def plain(rendered: Rendered, layer: str, statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement whose resources are logical IDs and whose conditions are text."""
    resources = [
        "*" if text_of(each) == "*" else id_of(rendered, layer, each)
        for each in listed(statement.get("Resource"))
    ]
    return {**statement, "Resource": resources, "Condition": conditions(statement)}


def is_about(statement: Mapping[str, Any], action: str, context: Context) -> bool:
    """Whether action and conditions of a statement match, for the resource that the policy is attached to."""
    return policies.applies(
        {"Action": statement["Action"], "Condition": conditions(statement)},
        Request(action, "*", {key: arn_of_reference(value) for key, value in context.items()}),
    )


def conditions(statement: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The conditions of a statement, their values as text."""
    return {
        operator: {
            key: [arn_of_reference(text_of(value)) for value in listed(values)]
            for key, values in keys.items()
        }
        for operator, keys in statement.get("Condition", {}).items()
    }
