"""What the statements of a rendered environment allow, evaluated as IAM does."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pipeline.render import Rendered
from tests.relations.text import listed, text_of
from tests.rendering import id_of, role_statements

Context = Mapping[str, str]
Statements = Sequence[tuple[str, Mapping[str, Any]]]


def allows(
    rendered: Rendered, role: str, action: str, target: str, context: Context | None = None
) -> bool:
    """Whether a role's own and attached policies allow an action on the resource of logical ID ``target``.

    ``context`` holds the condition keys of the request. Raises KeyError for a condition operator that is not known
    here: it is to be added, not passed over.
    """
    return granted(rendered, list(role_statements(rendered, role)), action, target, context)


def granted(
    rendered: Rendered,
    statements: Statements,
    action: str,
    target: str,
    context: Context | None = None,
) -> bool:
    """The same of statements, each with the layer that its references are of."""
    effects = {
        statement["Effect"]
        for layer, statement in statements
        if matches_action(statement, action)
        and _matches_target(rendered, layer, statement, target)
        and holds(statement, context or {})
    }
    return "Allow" in effects and "Deny" not in effects


def matches_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether a statement is about an action; IAM ignores case in it."""
    name = action.lower()
    return any(_expression(pattern).match(name) for pattern in listed(statement.get("Action")))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """What a pattern of an action matches. fnmatch remembers 256 patterns; the launch role alone has more."""
    return re.compile(fnmatch.translate(pattern.lower()))


def holds(statement: Mapping[str, Any], context: Context) -> bool:
    """Whether the conditions of a statement hold for a request."""
    return all(
        key in context and _COMPARISONS[operator](context[key], listed(wanted))
        for operator, conditions in statement.get("Condition", {}).items()
        for key, wanted in conditions.items()
    )


def _matches_target(
    rendered: Rendered, layer: str, statement: Mapping[str, Any], target: str
) -> bool:
    return any(
        text_of(resource) == "*" or id_of(rendered, layer, resource) == target
        for resource in listed(statement.get("Resource"))
    )


def _equal(value: str, wanted: list[Any]) -> bool:
    return value in map(text_of, wanted)


def _like(value: str, wanted: list[Any]) -> bool:
    return any(fnmatch.fnmatchcase(value, text_of(pattern)) for pattern in wanted)


_COMPARISONS = {"StringEquals": _equal, "StringLike": _like, "ArnLike": _like, "Bool": _equal}
