"""Figures in promises, read from a rendered environment, the parameters of the root, or the code."""

from __future__ import annotations

import ast
import contextlib
import importlib
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.paths import PROJECT_FOLDER
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
DURATIONS = {60: "minute", 120: "two minutes", 300: "five minutes", 1800: "half an hour"}
PRODUCT, SOURCE = " * ", ".py:"
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
    factors = [_value(factor, variant) for factor in where.split(PRODUCT)]
    value: Any = factors[0] if len(factors) == 1 else math.prod(map(float, factors))
    for word in form.split():
        if word in UNITS:
            value = UNITS[word](float(value))
        elif word == "word":
            return WORDS[int(value)]
        elif word == "duration":
            return DURATIONS.get(int(value), f"{int(value) // 60} minutes")
        elif word == "rest":
            # The share of values above a percentile, such as p95.
            value = 100 - int(str(value).removeprefix("p"))
        elif word == "limit":
            # The number of metric math from which on an expression counts.
            (value,) = re.findall(r">= (\d+)", str(value))
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
    if SOURCE in where:
        path, _, name = where.partition(":")
        return constants(PROJECT_FOLDER / path)[name]
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


def constants(path: Path) -> dict[str, Any]:
    """The constants of a module that is not imported: its numbers, and products of them."""
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            (target,) = node.targets
            pair = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(names, values, strict=True) if pair or len(values) == 1 else ():
                with contextlib.suppress(KeyError, TypeError):
                    found[ast.unparse(name)] = _number(value, found)
    return found


def _number(value: ast.expr, known: Mapping[str, Any]) -> Any:
    if isinstance(value, ast.Constant):
        return value.value
    if isinstance(value, ast.Name):
        return known[value.id]
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
        return _number(value.left, known) * _number(value.right, known)
    raise TypeError(value)
