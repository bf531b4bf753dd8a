"""The calls that roles make: each with the resource and the condition keys that the service sends.

A *place* is a text in which ``{LogicalId}`` stands for each reference, whatever its attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.checks.iam import policies
from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from tests.relations.text import listed, text_of
from tests.rendering import id_of, role_statements

REFERENCE = re.compile(r"<(\w+)(?:\.[\w.]+)?>")
BUCKET = re.compile(r"arn:aws:s3:::(?=\{)")
Context = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """A call of a role. Each key of ``context`` decides: with another value the call is denied."""

    role: str
    action: str
    target: str = "*"
    context: Context = field(default_factory=dict)


def needs(
    role: str,
    actions: Sequence[str],
    targets: Sequence[str] = ("*",),
    context: Context | None = None,
) -> Iterator[Need]:
    """Each action on each target."""
    for action in actions:
        for target in targets:
            yield Need(role, action, target, context or {})


def arn(rendered: Rendered, service: str, resource: str) -> str:
    """The ARN of a resource of this account and region."""
    return f"arn:aws:{service}:{rendered.region}:{ACCOUNT}:{resource}"


def whole(place_: str) -> str:
    """A reference as an ARN, which the ARN operators of conditions compare."""
    return f"arn:aws:service:region:account:{place_}" if place_.startswith("{") else place_


def place(rendered: Rendered, layer: str, value: Any) -> str:
    """A value of a layer as a place."""
    text = text_of(value)
    if text.startswith("<"):
        return REFERENCE.sub(r"{\1}", text)
    found = id_of(rendered, layer, value) if isinstance(value, str) else text
    if found != text:
        return f"{{{found}}}"
    text = REFERENCE.sub(r"{\1}", text)
    for example, name in _examples(rendered):
        if example in text:
            text = text.replace(example, f"{{{name}}}")
    return BUCKET.sub("", text)


def _examples(rendered: Rendered) -> list[tuple[str, str]]:
    """Values of other layers, as rendered, with the resource of each; the longest first."""
    key = (id(rendered.origins), len(rendered.origins))
    if key not in _EXAMPLES:
        pairs = [
            (example, origin.logical_id)
            for example, origin in rendered.origins.items()
            if not example.isdigit()
        ]
        # The origins are kept, so that no other object gets their identity.
        pairs.sort(key=lambda pair: -len(pair[0]))
        _EXAMPLES[key] = (rendered.origins, pairs)
    return _EXAMPLES[key][1]


_EXAMPLES: dict[tuple[int, int], tuple[object, list[tuple[str, str]]]] = {}


def bodies(rendered: Rendered, role: str) -> list[dict[str, Any]]:
    """The statements of a role, their resources and conditions as places."""
    return [body(rendered, layer, each) for layer, each in role_statements(rendered, role)]


def body(rendered: Rendered, layer: str, statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement, its resources and conditions as places."""
    return {
        **statement,
        "Resource": [place(rendered, layer, each) for each in listed(statement.get("Resource"))],
        "Condition": {
            operator: {
                key: [whole(place(rendered, layer, value)) for value in listed(values)]
                for key, values in keys.items()
            }
            for operator, keys in statement.get("Condition", {}).items()
        },
    }


def is_allowed(statements: Sequence[Mapping[str, Any]], need: Need) -> bool:
    """Whether the statements of its role allow a call."""
    return policies.allows(statements, policies.Request(need.action, need.target, need.context))


def other(value: Any) -> Any:
    """Another value of a condition key, of the same form."""
    if isinstance(value, list):
        return [other(each) for each in value]
    return {"true": "false", "false": "true"}.get(value, f"{value}-other")
