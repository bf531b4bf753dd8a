"""References in a template's values, and tokens for values that are known only after a launch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
CONDITION = "Condition"
# Characters that no template uses, so that a token can be found in any text.
_OPEN, _CLOSE = "\u27e8", "\u27e9"
TOKEN = re.compile(rf"{_OPEN}([^.{_CLOSE}]*)\.([^.{_CLOSE}]+)(?:\.([^{_CLOSE}]+))?{_CLOSE}")


@dataclass(frozen=True, order=True)
class Name:
    """A resource of an environment: the logical ID of its nested stack, empty for the root, and that of the resource."""

    stack: str
    logical_id: str

    def __str__(self) -> str:
        return f"{self.stack}.{self.logical_id}" if self.stack else self.logical_id


def token(name: Name, attribute: str | None = None) -> str:
    """The token for the Ref, or for an attribute, of a resource."""
    return f"{_OPEN}{name.stack}.{name.logical_id}{'.' + attribute if attribute else ''}{_CLOSE}"


def has_token(text: str) -> bool:
    """Whether a text contains a token."""
    return _OPEN in text


def tokens(value: Any) -> Iterator[tuple[Name, str | None]]:
    """The resources, with the attribute unless it is the Ref, that an evaluated value depends on."""
    if isinstance(value, str):
        if _OPEN in value:
            for stack, logical_id, attribute in TOKEN.findall(value):
                yield Name(stack, logical_id), attribute or None
        return
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        # Most values are texts without a token; a generator for each of them takes most of the time.
        if not isinstance(part, str) or _OPEN in part:
            yield from tokens(part)


def mentioned(value: Any) -> Iterator[tuple[str, str]]:
    """The references of an expression: ("Ref", name), ("Output", "Stack.Name") and ("Condition", name)."""
    match value:
        case {"Ref": str(name)}:
            yield "Ref", name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            yield from _in_text(f"{name}.{attribute}")
        case {"Condition": str(name)}:
            yield CONDITION, name
        case {"Fn::If": [condition, *branches]}:
            yield CONDITION, condition
            for branch in branches:
                yield from mentioned(branch)
        case {"Fn::Sub": argument}:
            yield from _in_sub(*(argument if isinstance(argument, list) else (argument, {})))
        case dict():
            for part in value.values():
                yield from mentioned(part)
        case list():
            for part in value:
                yield from mentioned(part)
        case _:
            return


def _in_sub(text: str, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in VARIABLE.findall(text):
        if name not in values:
            yield from _in_text(name)
    yield from mentioned(values)


def _in_text(name: str) -> Iterator[tuple[str, str]]:
    head, _, attribute = name.partition(".")
    if attribute.startswith("Outputs."):
        yield "Output", f"{head}.{attribute.removeprefix('Outputs.')}"
    else:
        yield "Ref", head
