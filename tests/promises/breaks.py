"""Changes of a rendered environment that break a promise: its relations must find each of them."""

from __future__ import annotations

import copy
import json
import re

from pipeline.checks.render import Rendered
from tests.promises.figures import follow
from tests.relations.planting import body
from tests.relations.variants import rendered_variant

VARIANT = re.compile(r"^in ([\w -]+): ")
WITHOUT, VALUE_OF = "without ", "value of "
COMPLETE = "complete prod"


def broken(change: str) -> Rendered:
    """A copy of an environment with a change: ``ID/PATH = JSON``, ``ID/PATH = value of ID/PATH``, ``without ID/PATH`` or ``without ID``.

    Without ``in VARIANT: `` before it, the environment is the prod in which every option is in use.
    """
    given = VARIANT.match(change)
    rendered = copy.deepcopy(rendered_variant(given[1] if given else COMPLETE))
    for each in VARIANT.sub("", change).split(" and "):
        _make(rendered, each)
    return rendered


def variant_of(change: str) -> str:
    """The name of the environment that a change concerns."""
    given = VARIANT.match(change)
    return given[1] if given else COMPLETE


def _make(rendered: Rendered, change: str) -> None:
    place, equals, value = change.removeprefix(WITHOUT).partition(" = ")
    logical_id, _, path = place.partition("/")
    if not path:
        for layer in rendered.layers.values():
            if layer["Resources"].pop(logical_id, None):
                return
        raise KeyError(logical_id)
    holder, key = follow(body(rendered, logical_id), path)
    if change.startswith(WITHOUT):
        del holder[key]
        return
    if not equals:
        raise ValueError(f"{change!r} has neither a value nor {WITHOUT!r}.")
    if value.startswith(VALUE_OF):
        other, _, path = value.removeprefix(VALUE_OF).partition("/")
        source, name = follow(body(rendered, other), path)
        holder[key] = copy.deepcopy(source[name])
    else:
        holder[key] = json.loads(value)
