"""The operators: what each changes in a rendered resource. Provider schemas say what a value may be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.mutation.additions import additions
from tests.mutation.schema_nodes import Node, Path, Schema, allowed, bound

DROP = object()
# Texts for people, which no service acts on.
TEXTS = frozenset({"Description", "GroupDescription", "AlarmDescription", "Comment"})
TAGS = frozenset({"Tags", "HostedZoneTags", "TagSpecifications"})
INTRINSIC = frozenset(
    {"Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Split", "Fn::Base64", "Fn::GetAZs"}
)
# Lists of a policy's statement, in which a repeated element means the same.
SETS = frozenset({"Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"})
REVERSED = {
    "GreaterThanThreshold": "LessThanThreshold",
    "GreaterThanOrEqualToThreshold": "LessThanOrEqualToThreshold",
    "LessThanThreshold": "GreaterThanThreshold",
    "LessThanOrEqualToThreshold": "GreaterThanOrEqualToThreshold",
}
# Attributes of a resource beside its properties.
ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy")


@dataclass(frozen=True)
class Change:
    """A change of a resource: the operator, the path from the resource, and the changed resource; None removes it."""

    operator: str
    path: Path
    body: dict[str, Any] | None

    @property
    def place(self) -> str:
        """The path without ``Properties``; positions are ``*``."""
        steps = self.path[1:] if self.path[:1] == ("Properties",) else self.path
        return "/".join("*" if isinstance(step, int) else step for step in steps)


@dataclass
class Mutator:
    """Changes of the resources of a region. ``others`` gives values that refer to other resources of the same type."""

    region: str
    others: Callable[[Any], Any | None]
    schemas: dict[str, Schema] = field(default_factory=dict)

    def changes(self, body: dict[str, Any]) -> Iterator[Change]:
        """Every change of a resource."""
        kind = body["Type"]
        schema = self.schemas.setdefault(kind, Schema(kind))
        yield Change("remove the resource", (), None)
        for name in ATTRIBUTES:
            if name in body:
                yield changed("drop", (name,), body, DROP)
        for position in range(len(body.get("DependsOn", ()))):
            yield changed("drop element", ("DependsOn", position), body, DROP)
        if set(body.get("Metadata", {})) - {"cfn-lint"}:
            yield changed("drop", ("Metadata",), body, DROP)
        for operator, path, value in self._values(
            body.get("Properties", {}), schema, schema.top(), ("Properties",)
        ):
            yield changed(operator, path, body, value)
        for operator, path, value in additions(body, schema):
            yield changed(operator, path, body, value)

    def _values(
        self, value: Any, schema: Schema, nodes: Sequence[Node], path: Path
    ) -> Iterator[tuple[str, Path, Any]]:
        if isinstance(value, dict) and not INTRINSIC & value.keys():
            yield from statements(value, path)
            for key, part in value.items():
                if key in TEXTS or (path == ("Properties",) and key == "ServiceToken"):
                    continue
                if key == "Parameters" and "TemplateURL" in value:
                    continue
                yield "drop", (*path, key), DROP
                if key not in TAGS:
                    below = schema.below(nodes, key)
                    yield from self._values(part, schema, below, (*path, key))
        elif isinstance(value, list):
            for position, part in enumerate(value):
                yield "drop element", (*path, position), DROP
                below = schema.below(nodes, position)
                yield from self._values(part, schema, below, (*path, position))
            if value and not is_set(path):
                yield "repeat element", path, [*value, copy.deepcopy(value[0])]
        else:
            yield from self._scalars(value, nodes, path)

    def _scalars(
        self, value: Any, nodes: Sequence[Node], path: Path
    ) -> Iterator[tuple[str, Path, Any]]:
        other = self.others(value)
        if other is not None:
            yield "refer to another", path, other
        moved = elsewhere(value, self.region)
        if moved != value and other is None:
            yield "another region", path, moved
        for operator, turned in (*flips(value), *numbers(value, nodes), *texts(value, nodes)):
            yield operator, path, turned
        for smaller in fewer_widgets(value):
            yield "drop widget", path, smaller


def changed(operator: str, path: Path, body: dict[str, Any], value: Any) -> Change:
    """The change that sets or drops a value."""
    return Change(operator, path, replaced(body, path, value))


def replaced(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy with another value at a path; ``DROP`` removes it. The copy shares what is beside the path."""
    result = copy.copy(body)
    holder: Any = result
    for step in path[:-1]:
        holder[step] = copy.copy(holder[step])
        holder = holder[step]
    if value is DROP:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return result


def statements(value: dict[str, Any], path: Path) -> Iterator[tuple[str, Path, Any]]:
    """What a statement of a policy may allow beyond what it should."""
    if "Effect" not in value or "Action" not in value:
        return
    actions = [value["Action"]] if isinstance(value["Action"], str) else value["Action"]
    if value["Effect"] == "Allow":
        every = f"{actions[0].partition(':')[0]}:*"
        if every not in actions:
            yield "widen", (*path, "Action"), [every]
        for key in ("Resource", "Principal"):
            if key in value and value[key] not in ("*", ["*"]):
                yield "widen", (*path, key), "*" if key == "Principal" else ["*"]
    yield "flip", (*path, "Effect"), "Deny" if value["Effect"] == "Allow" else "Allow"


def is_set(path: Path) -> bool:
    """Whether a path leads to a list of a policy's statement whose order and repetitions mean nothing."""
    return any(
        isinstance(position, int) and step == "Statement" and key in SETS
        for step, position, key in zip(path, path[1:], path[2:], strict=False)
    )


def flips(value: Any) -> Iterator[tuple[str, Any]]:
    """The other value of a boolean, and the reverse of a comparison."""
    if isinstance(value, bool):
        yield "flip", not value
    elif value in ("true", "false"):
        yield "flip", "false" if value == "true" else "true"
    elif isinstance(value, str) and value in REVERSED:
        yield "reverse", REVERSED[value]


def numbers(value: Any, nodes: Sequence[Node]) -> Iterator[tuple[str, Any]]:
    """A number times and divided by ten, and one past its bounds."""
    text = isinstance(value, str)
    if isinstance(value, bool) or not (
        isinstance(value, int | float) or (text and value.isdigit())
    ):
        return
    number = float(value)
    whole = number.is_integer()

    def form(result: float) -> Any:
        kept = int(result) if whole else result
        return str(kept) if text else kept

    if number:
        yield "times ten", form(number * 10)
    if form(number / 10) != value:
        yield "divide by ten", form(number / 10)
    for key, step in (("minimum", -1), ("maximum", 1)):
        limit = bound(nodes, key)
        if isinstance(limit, int | float):
            yield f"past the {key}", form(limit + step)


def texts(value: Any, nodes: Sequence[Node]) -> Iterator[tuple[str, Any]]:
    """The next value of an enumeration, and a text that is too long."""
    if not isinstance(value, str) or value in ("true", "false") or value.isdigit():
        return
    values = [each for each in dict.fromkeys(allowed(nodes)) if isinstance(each, str)]
    if value in values and len(values) > 1 and value not in REVERSED:
        yield "next value", values[(values.index(value) + 1) % len(values)]
    longest = bound(nodes, "maxLength")
    if isinstance(longest, int) and longest < 1024:
        yield "past the length", value + "x" * (longest + 1 - len(value))


def elsewhere(value: Any, region: str) -> Any:
    """A value in another region."""
    other = "eu-west-2" if region != "eu-west-2" else "eu-west-1"
    written = json.dumps(value)
    return json.loads(written.replace(region, other)) if region in written else value


def fewer_widgets(value: Any) -> Iterator[Any]:
    """A dashboard without one of its widgets."""
    body = value.get("Fn::Sub") if isinstance(value, dict) else value
    text, values = body if isinstance(body, list) else (body, {})
    if not isinstance(text, str) or '"widgets"' not in text:
        return
    # Parts of the document that depend on conditions.
    for name, part in values.items():
        given = part.get("Fn::Sub") if isinstance(part, dict) else part
        if isinstance(given, str):
            text = text.replace(f"${{{name}}}", given)
    widgets = json.loads(text)["widgets"]
    for position in range(len(widgets)):
        fewer = json.dumps({"widgets": widgets[:position] + widgets[position + 1 :]})
        yield {"Fn::Sub": [fewer, values]} if isinstance(value, dict) else fewer
