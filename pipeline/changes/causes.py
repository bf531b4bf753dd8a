"""Why a value changes: the root parameters and conditions behind an expression, traced through nested stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.changes.state import ROOT, Evaluated
from pipeline.template.references import CONDITION, Name, mentioned

TEMPLATE = "the template differs"


@dataclass
class Tracer:
    """The two evaluations of an environment, and the root parameters that differ."""

    before: Evaluated
    after: Evaluated
    known: dict[tuple[int, str, str, str], frozenset[str]] = field(default_factory=dict)

    def why(self, name: Name, path: str) -> str:
        """The causes of a changed property: parameters of the root with both values, else the template."""
        key = path.split("/", maxsplit=1)[0]
        changed = sorted(self._behind(self.before, name, key) | self._behind(self.after, name, key))
        return "; ".join(self.values(parameter) for parameter in changed) or TEMPLATE

    def why_condition(self, name: Name) -> str:
        """The causes of a changed condition of a resource."""
        found: set[str] = set()
        conditions = set()
        for side in (self.before, self.after):
            body = side.templates.get(name.stack, {}).get("Resources", {}).get(name.logical_id, {})
            if CONDITION in body:
                conditions.add(body[CONDITION])
                found |= self._of(side, name.stack, CONDITION, body[CONDITION])
        if not conditions:
            return TEMPLATE
        reasons = "; ".join(map(self.values, sorted(found & self.differing))) or TEMPLATE
        return f"condition {', '.join(sorted(conditions))}: {reasons}"

    @property
    def differing(self) -> set[str]:
        """Root parameters with different values, or that exist on only one side."""
        one, other = self.before.given[ROOT], self.after.given[ROOT]
        return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}

    def values(self, parameter: str) -> str:
        """A parameter with its value before and after."""
        one, other = (side.given[ROOT].get(parameter) for side in (self.before, self.after))
        return f"{parameter} {_quoted(one)} → {_quoted(other)}"

    def _behind(self, side: Evaluated, name: Name, key: str) -> set[str]:
        body = side.templates.get(name.stack, {}).get("Resources", {}).get(name.logical_id, {})
        value = body.get("Properties", {}).get(key)
        return self.of_value(side, name.stack, value) & self.differing

    def of_value(self, side: Evaluated, stack: str, value: Any) -> set[str]:
        """The root parameters that an expression depends on."""
        return {
            parameter
            for kind, name in mentioned(value)
            for parameter in self._of(side, stack, kind, name)
        }

    def _of(self, side: Evaluated, stack: str, kind: str, name: str) -> frozenset[str]:
        key = id(side), stack, kind, name
        if key not in self.known:
            self.known[key] = frozenset()
            self.known[key] = frozenset(self._found(side, stack, kind, name))
        return self.known[key]

    def _found(self, side: Evaluated, stack: str, kind: str, name: str) -> Iterator[str]:
        template = side.templates.get(stack, {})
        if kind == CONDITION:
            yield from self.of_value(side, stack, template.get("Conditions", {}).get(name))
        elif kind == "Output":
            nested, _, output = name.partition(".")
            declared: Mapping[str, Any] = side.templates.get(nested, {}).get("Outputs", {})
            yield from self.of_value(side, nested, declared.get(output, {}).get("Value"))
        elif name in template.get("Parameters", {}):
            if stack == ROOT:
                yield name
            else:
                resources = side.templates[ROOT]["Resources"]
                given = resources[stack]["Properties"].get("Parameters", {})
                yield from self.of_value(side, ROOT, given.get(name))


def _quoted(value: str | None) -> str:
    return "(none)" if value is None else repr(value)
