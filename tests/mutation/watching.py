"""Which properties of which resources a check reads. A mutant of another property cannot change its result."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered

# The layer, the logical ID, and a property, an attribute such as DependsOn, or EVERYTHING.
Read = tuple[str, str, str]
EVERYTHING = "*"
# What every search for resources of a type reads.
USUAL = frozenset({"Type", "Properties"})


class Watched(dict[str, Any]):
    """A dictionary that notes the keys that are read; a loop over it reads everything."""

    def __init__(self, values: dict[str, Any], place: tuple[str, str], reads: set[Read]) -> None:
        super().__init__(values)
        self.place, self.reads = place, reads

    def _note(self, key: Any) -> None:
        self.reads.add((*self.place, str(key)))

    def __getitem__(self, key: str) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._note(EVERYTHING)
        return super().__iter__()

    def __len__(self) -> int:
        self._note(EVERYTHING)
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._note(EVERYTHING)
        return super().__eq__(other)

    def __repr__(self) -> str:
        self._note(EVERYTHING)
        return super().__repr__()

    __hash__ = None

    def keys(self) -> Any:
        self._note(EVERYTHING)
        return super().keys()

    def values(self) -> Any:
        self._note(EVERYTHING)
        return super().values()

    def items(self) -> Any:
        self._note(EVERYTHING)
        return super().items()


def watched(rendered: Rendered, reads: set[Read]) -> Rendered:
    """A copy of a rendered environment whose resources note into ``reads`` what is read of them."""
    result = copy.copy(rendered)
    result.layers = {
        layer: {
            **template,
            "Resources": {
                name: Watched(
                    {
                        **body,
                        "Properties": Watched(body.get("Properties", {}), (layer, name), reads),
                    },
                    (layer, name),
                    reads,
                )
                for name, body in template["Resources"].items()
            },
        }
        for layer, template in rendered.layers.items()
    }
    return result
