"""Which resources the values of a rendered environment refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.checks.render import Rendered
from templates_src.environment import ROOT, stack_title

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


class Key(NamedTuple):
    """A resource: its layer and logical ID."""

    layer: str
    logical_id: str

    def __str__(self) -> str:
        """The name in messages: the nested stack and the logical ID."""
        stack = "" if self.layer == ROOT else f"{stack_title(self.layer)}."
        return f"{stack}{self.logical_id}"


class Resources:
    """The resources of a rendered environment, and the references between them."""

    def __init__(self, rendered: Rendered) -> None:
        self.bodies: dict[Key, Mapping[str, Any]] = {
            Key(layer, name): body
            for layer, template in rendered.layers.items()
            for name, body in template.get("Resources", {}).items()
        }
        self.origins = {
            text: Key(origin.layer, origin.logical_id)
            for text, origin in rendered.origins.items()
            # A port is an example value too, and would match any number.
            if not text.isdigit()
        }
        longest = sorted(self.origins, key=lambda text: (-len(text), text))
        self._examples = re.compile("|".join(map(re.escape, longest)) or r"(?!)")

    def kind(self, key: Key) -> str:
        """The type of a resource."""
        return str(self.bodies[key]["Type"])

    def properties(self, key: Key) -> Mapping[str, Any]:
        """The properties of a resource."""
        found: Mapping[str, Any] = self.bodies[key].get("Properties", {})
        return found

    def of_type(self, *kinds: str) -> list[Key]:
        """The resources of the types, in the order of the templates."""
        return [key for key, body in self.bodies.items() if body["Type"] in kinds]

    def named_by(self, layer: str, value: Any) -> set[Key]:
        """Every resource that a value of a layer refers to, at any depth, also within text."""
        return set(self._named_by(layer, value))

    def _named_by(self, layer: str, value: Any) -> Iterator[Key]:
        match value:
            case {"Ref": str(name)} if len(value) == 1:
                yield from self._local(layer, name)
            case {"Fn::GetAtt": [str(name), *_]}:
                yield from self._local(layer, name)
            case str():
                if value in self.origins:
                    yield self.origins[value]
                    return
                for found in self._examples.findall(value):
                    yield self.origins[found]
                for name in _VARIABLE.findall(value):
                    yield from self._local(layer, name)
            case Mapping():
                for part in value.values():
                    yield from self._named_by(layer, part)
            case list():
                for part in value:
                    yield from self._named_by(layer, part)

    def _local(self, layer: str, name: str) -> Iterator[Key]:
        if Key(layer, name) in self.bodies:
            yield Key(layer, name)
