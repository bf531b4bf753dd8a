"""What the policies of the two foundations allow, evaluated as IAM does."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.assemble import serialize
from pipeline.render import render_resource, scope_of
from templates_src.core.layer import Layer
from tests.relations.iam import matches_action
from tests.relations.text import listed

REGION = "eu-north-1"
Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """A call: the action, the ARN that it is about, and the condition keys that the service sends with it."""

    action: str
    arn: str = "*"
    context: Mapping[str, Any] = field(default_factory=dict)


def resources_of(layer: Layer, region: str = REGION, **given: str) -> dict[str, dict[str, Any]]:
    """The resources of a template, rendered with its defaults and what is given."""
    template = json.loads(serialize(layer.document()))
    values = {
        name: given.get(name, declaration.default or "")
        for name, declaration in layer.declarations.items()
    }
    scope = scope_of(template, values, region, layer.name)
    return {
        name: rendered
        for name, resource in template["Resources"].items()
        if (rendered := render_resource(scope, resource)) is not None
    }


def role_statements(resources: Mapping[str, Mapping[str, Any]]) -> list[Statement]:
    """The statements of the managed policies that the launch role has."""
    attached = [arn["Ref"] for arn in resources["LaunchRole"]["Properties"]["ManagedPolicyArns"]]
    return [
        statement
        for name in attached
        for statement in resources[name]["Properties"]["PolicyDocument"]["Statement"]
    ]


def allows(statements: Iterable[Statement], request: Request) -> bool:
    """Whether an identity's statements allow a call: one allows it, none denies it."""
    effects = {statement["Effect"] for statement in statements if is_about(statement, request)}
    return "Allow" in effects and "Deny" not in effects


def denies(statements: Iterable[Statement], request: Request) -> bool:
    """Whether one of the statements denies a call."""
    return any(
        statement["Effect"] == "Deny" and is_about(statement, request) for statement in statements
    )


def is_about(statement: Statement, request: Request) -> bool:
    """Whether action, resource and conditions of a statement match a call."""
    return (
        matches_action(statement, request.action)
        and any(
            fnmatch.fnmatchcase(request.arn, pattern) for pattern in listed(statement["Resource"])
        )
        and all(
            _OPERATORS[operator](request.context.get(key), [str(one) for one in listed(wanted)])
            for operator, conditions in statement.get("Condition", {}).items()
            for key, wanted in conditions.items()
        )
    )


def _equal(value: Any, wanted: list[str]) -> bool:
    return value is not None and value in wanted


def _like(value: Any, wanted: list[str]) -> bool:
    return value is not None and any(fnmatch.fnmatchcase(value, pattern) for pattern in wanted)


def _all_equal(values: Any, wanted: list[str]) -> bool:
    return all(value in wanted for value in listed(values))


def _not_equal(value: Any, wanted: list[str]) -> bool:
    return not _equal(value, wanted)


def _equal_if_exists(value: Any, wanted: list[str]) -> bool:
    return value is None or _equal(value, wanted)


def _missing(value: Any, wanted: list[str]) -> bool:
    return str(value is None).lower() in wanted


# A key that a request does not have: equality does not hold, its negation does, and Null asks for it.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
_OPERATORS: Mapping[str, Callable[[Any, list[str]], bool]] = {
    "ArnLike": _like,
    "Bool": _equal,
    "ForAllValues:StringEquals": _all_equal,
    "Null": _missing,
    "StringEquals": _equal,
    "StringEqualsIfExists": _equal_if_exists,
    "StringLike": _like,
    "StringNotEquals": _not_equal,
}
