"""Figures in promises, read from a rendered environment, the parameters of the root, or the code."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.relations.planting import body
from tests.relations.variants import built, rendered_variant

PLACE = re.compile(r"\{([^{}]+)\}")
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
DEFAULT, LEAST, MOST, FIRST, LAST = "default ", "least ", "most ", "first ", "last "
VARIANT = re.compile(r"^in ([\w -]+): ")
ABOVE = ".."

UNITS: Mapping[str, Callable[[float], float]] = {
    "minutes": lambda seconds: seconds / 60,
    "hours": lambda seconds: seconds / 3600,
    "MiB": lambda size: size / 2**20,
    "percent": lambda share: share * 100,
}


def stated(text: str) -> str:
    """The text of a ``states`` clause with its figures; ``in VARIANT: `` before it names another environment than prod."""
    given = VARIANT.match(text)
    variant = given[1] if given else "prod"
    return PLACE.sub(lambda found: _figure(found[1], variant), VARIANT.sub("", text))


def _figure(place: str, variant: str) -> str:
    """The figure at a place; ``as`` gives it in another unit, as a word, or with separators of thousands."""
    where, _, form = place.partition(" as ")
    value: Any = _value(where, variant)
    for word in form.split():
        if word in UNITS:
            value = UNITS[word](float(value))
        elif word == "word":
            return WORDS[int(value)]
        elif word == "thousands":
            return f"{int(value):,}"
        else:
            raise ValueError(f"{word!r} in {place!r} is not a form of a figure.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _value(where: str, variant: str) -> Any:
    declarations = built().root.declarations
    if where.startswith(DEFAULT):
        return declarations[where.removeprefix(DEFAULT)].default
    if where.startswith(LEAST):
        return declarations[where.removeprefix(LEAST)].min_value
    if where.startswith(MOST):
        return declarations[where.removeprefix(MOST)].max_value
    for word, position in ((FIRST, 0), (LAST, -1)):
        if where.startswith(word):
            return declarations[where.removeprefix(word)].allowed[position]
    if ":" in where:
        module, _, name = where.partition(":")
        return getattr(importlib.import_module(module), name)
    logical_id, _, path = where.partition("/")
    resource = body(rendered_variant(variant), logical_id)
    holder, key = follow(resource, path)
    return holder[key]


def follow(resource: Any, path: str) -> tuple[Any, Any]:
    """The dictionary or list with a value of a resource, and its key or position.

    The path leads from the properties, or after ``../`` from the resource; KEY=VALUE is the element of a list.
    """
    holder = resource
    steps = path.split("/")
    steps = steps[1:] if steps[0] == ABOVE else ["Properties", *steps]
    *steps, last = steps
    for step in steps:
        holder = holder[_key(holder, step)]
    return holder, _key(holder, last)


def _key(holder: Any, step: str) -> Any:
    if not isinstance(holder, list):
        return step
    name, equals, value = step.partition("=")
    if not equals:
        return int(step)
    return next(at for at, each in enumerate(holder) if str(each.get(name)) == value)
