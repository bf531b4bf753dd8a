"""Values of rendered templates as text."""

from __future__ import annotations

from typing import Any

from tests.rendering import VARIABLE


def text_of(value: Any) -> str:
    """A value as text, with ``<LogicalId>`` or ``<LogicalId.Attribute>`` for values that exist only after a launch."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(text_of(part) for part in parts)
        case {"Fn::Sub": [text, {**values}]}:
            for name, part in values.items():
                text = text.replace(f"${{{name}}}", text_of(part))
            return text_of({"Fn::Sub": text})
        case {"Fn::Sub": str(text)}:
            return VARIABLE.sub(
                lambda found: "<" + ".".join(part for part in found.groups() if part) + ">", text
            )
        case _:
            return str(value)


def listed(value: Any) -> list[Any]:
    """A value as a list; a single value becomes a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_true(value: Any) -> bool:
    """A boolean in a template, which can be text."""
    return str(value).lower() == "true"
