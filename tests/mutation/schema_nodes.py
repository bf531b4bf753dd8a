"""The parts of a provider schema that describe a value of a resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.relations.schemas import schema_of

# The way from a resource to a value, by keys and positions.
Path = tuple[str | int, ...]
Node = Mapping[str, Any]
CHOICES = ("anyOf", "oneOf", "allOf")


class Schema:
    """The provider schema of a type; empty for a custom resource."""

    def __init__(self, kind: str) -> None:
        self.document: Node = {} if kind.startswith("Custom::") else schema_of(kind)

    def top(self) -> list[Node]:
        """The nodes of the properties of the resource."""
        return list(self._all(self.document))

    def below(self, nodes: Sequence[Node], step: str | int) -> list[Node]:
        """The nodes of a key of an object, or of an element of a list."""
        found: list[Node] = []
        for node in nodes:
            if isinstance(step, int):
                inner = node.get("items")
                children = inner if isinstance(inner, list) else [inner]
            else:
                children = [node.get("properties", {}).get(step)]
            for child in children:
                if isinstance(child, Mapping):
                    found += self._all(child)
        return found

    def _all(self, node: Node, depth: int = 0) -> Iterator[Node]:
        """A node with its references followed and its alternatives."""
        while "$ref" in node:
            node = self._referred(node["$ref"])
        yield node
        if depth < 4:
            for choice in CHOICES:
                for part in node.get(choice, ()):
                    if isinstance(part, Mapping):
                        yield from self._all(part, depth + 1)

    def _referred(self, pointer: str) -> Node:
        found: Any = self.document
        for step in pointer.removeprefix("#/").split("/"):
            found = found[step]
        node: Node = found
        return node


def allowed(nodes: Sequence[Node]) -> list[Any]:
    """The values of an enumeration."""
    return [value for node in nodes for value in node.get("enum", ())]


def bound(nodes: Sequence[Node], key: str) -> Any:
    """The first bound of this name, or None."""
    return next((node[key] for node in nodes if key in node), None)


def is_number(nodes: Sequence[Node]) -> bool:
    """Whether the schema accepts a number."""
    return any(
        kind in ("integer", "number")
        for node in nodes
        for kind in ([node["type"]] if isinstance(node.get("type"), str) else node.get("type", ()))
    )
