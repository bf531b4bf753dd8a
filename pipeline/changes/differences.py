"""The properties of a resource that differ, by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MISSING: Any = object()


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The paths at which two values differ; a list is compared as a whole, as CloudFormation does.

    The strings "true" and "1" equal the values true and 1, because templates contain both.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}/{key}" if path else str(key)
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), inner)
    elif not is_same(before, after):
        yield path


def is_same(one: Any, other: Any) -> bool:
    """Whether CloudFormation reads two values as the same."""
    if one is MISSING or other is MISSING:
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, Mapping | list) or isinstance(other, Mapping | list):
        return False
    return _text(one) == _text(other)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_at(properties: Mapping[str, Any], path: str) -> Any:
    """The value at a path; MISSING if it does not exist."""
    value: Any = properties
    for key in path.split("/"):
        if not isinstance(value, Mapping) or key not in value:
            return MISSING
        value = value[key]
    return value


def covers(declared: str, path: str) -> bool:
    """Whether one path contains the other: that of a schema, in which * is any item, and that of a difference."""
    one, other = declared.split("/"), path.split("/")
    return all(a in {"*", b} for a, b in zip(one, other, strict=False))
