"""JSON text in a template, in which CloudFormation substitutes parameters and parts that depend on conditions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from troposphere import If, Sub

from templates_src.core.errors import TemplateError


@dataclass(frozen=True)
class Choice:
    """One of two values, by a condition of the template."""

    condition: str
    yes: Any
    no: Any


@dataclass(frozen=True)
class ConditionalEntry:
    """An entry of a list that exists under a condition of the template; not the first entry."""

    condition: str
    entry: Any


def json_text(value: Any) -> Sub | str:
    """The value as JSON text.

    Strings can contain ``${Name}`` and ``${LogicalId.Attribute}`` if their values need no escape in JSON, such as names
    and ARNs. Raises TemplateError for a list whose first entry is an Only, because the comma after it would be invalid.
    """
    return _completed(value)


def _completed(value: Any, before: str = "") -> Sub | str:
    """The value as JSON text, with literal text before it."""
    parts: dict[str, Any] = {}
    text = before + _written(value, parts)
    if parts:
        return Sub(text, **parts)
    return Sub(text) if "${" in text else text


def _written(value: Any, parts: dict[str, Any]) -> str:
    """JSON text of a value; each conditional part becomes a placeholder and an entry of ``parts``."""
    if isinstance(value, Choice):
        return _placeholder(parts, If(value.condition, _completed(value.yes), _completed(value.no)))
    if isinstance(value, dict):
        members = (f"{json.dumps(key)}: {_written(item, parts)}" for key, item in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + _entries(value, parts) + "]"
    return json.dumps(value)


def _entries(items: list[Any], parts: dict[str, Any]) -> str:
    if items and isinstance(items[0], ConditionalEntry):
        raise TemplateError(
            f"A list begins with an entry that exists only under {items[0].condition}; "
            "put an entry first that always exists."
        )
    text = ""
    for position, item in enumerate(items):
        separator = ", " if position else ""
        if isinstance(item, ConditionalEntry):
            text += _placeholder(parts, If(item.condition, _completed(item.entry, before=", "), ""))
        else:
            text += separator + _written(item, parts)
    return text


def _placeholder(parts: dict[str, Any], part: If) -> str:
    name = f"Part{len(parts) + 1}"
    parts[name] = part
    return f"${{{name}}}"
