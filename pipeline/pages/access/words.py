"""Policies in words, with the names of resources in place of ARNs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.checks.iam.conditions import Clause, clauses_of, listed, parsed
from pipeline.template.references import TOKEN

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+|\*")
_OPERATORS: Mapping[str, str] = {
    "stringequals": "is",
    "stringnotequals": "is not",
    "stringequalsignorecase": "is",
    "stringnotequalsignorecase": "is not",
    "stringlike": "matches",
    "stringnotlike": "does not match",
    "arnequals": "is",
    "arnlike": "matches",
    "arnnotequals": "is not",
    "arnnotlike": "does not match",
    "bool": "is",
    "numericequals": "is",
    "numericlessthan": "is below",
    "numericlessthanequals": "is at most",
    "numericgreaterthan": "is above",
    "numericgreaterthanequals": "is at least",
    "ipaddress": "is in",
    "notipaddress": "is not in",
}


def readable(text: str) -> str:
    """A text with the names of resources, such as Data.MediaBucket, in place of tokens."""
    return TOKEN.sub(lambda found: _name(found.group(1), found.group(2)), text)


def _name(stack: str, logical_id: str) -> str:
    return f"{stack}.{logical_id}" if stack else logical_id


def as_policy(value: Any) -> Any:
    """A policy in CloudFormation's form, with ${Stack.LogicalId.Attribute} in place of tokens."""
    match value:
        case str():
            return TOKEN.sub(lambda found: _variable(*found.groups()), value)
        case dict():
            return {key: as_policy(part) for key, part in value.items()}
        case list():
            return [as_policy(part) for part in value]
    return value


def _variable(stack: str, logical_id: str, attribute: str | None) -> str:
    return f"${{{_name(stack, logical_id)}{'.' + attribute if attribute else ''}}}"


def action_words(action: str) -> str:
    """An action in words: ``secretsmanager:GetSecretValue`` is "get secret value"."""
    _, colon, name = action.partition(":")
    if not colon or name == "*":
        return "do everything" if action == "*" else f"do everything in {action.partition(':')[0]}"
    words = _WORD.findall(name)
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def statement_words(statement: Mapping[str, Any]) -> str:
    """A statement as a sentence."""
    may = "May" if statement["Effect"] == "Allow" else "May not"
    if "NotAction" in statement:
        what = (
            f"do everything except {', '.join(map(action_words, listed(statement['NotAction'])))}"
        )
    else:
        what = ", ".join(map(action_words, listed(statement["Action"])))
    return f"{may} {what}{_where(statement)}{_when(statement)}."


def _where(statement: Mapping[str, Any]) -> str:
    if "NotResource" in statement:
        return f" except on {', '.join(map(resource_words, listed(statement['NotResource'])))}"
    found = [resource_words(each) for each in listed(statement.get("Resource"))]
    return f": {', '.join(found)}" if found else ""


def resource_words(value: Any) -> str:
    """A resource pattern for a reader."""
    text = readable(str(value))
    return "every resource" if text == "*" else text


def _when(statement: Mapping[str, Any]) -> str:
    found = list(condition_words(statement))
    return f", only if {' and '.join(found)}" if found else ""


def condition_words(statement: Mapping[str, Any]) -> Iterator[str]:
    """The conditions of a statement, each in words."""
    for clause in clauses_of(statement.get("Condition", {})):
        yield _clause(clause)


def _clause(clause: Clause) -> str:
    values = " or ".join(readable(str(value)) for value in clause.values)
    if clause.operator.lower() == "null":
        return f"{clause.key} is {'absent' if values.lower() == 'true' else 'present'}"
    quantifier, operator, if_exists = parsed(clause.operator)
    each = {"forallvalues": "each of ", "foranyvalue": "one of "}.get(quantifier, "")
    absent = " or is absent" if if_exists else ""
    return f"{each}{clause.key} {_OPERATORS[operator]} {values}{absent}"
