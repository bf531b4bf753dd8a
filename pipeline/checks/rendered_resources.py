"""The resources of a rendered environment, with every reference as the token of its resource."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.template.references import Name, token
from templates_src.environment import ROOT, stack_title

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")


@dataclass(frozen=True)
class RenderedResource:
    """A resource of a rendered template; ``body`` is its text there."""

    name: Name
    layer: str
    kind: str
    properties: Mapping[str, Any]
    body: Mapping[str, Any]


def rendered_resources(rendered: Rendered) -> list[RenderedResource]:
    """Every resource of every layer."""
    return list(_resources(rendered))


def _resources(rendered: Rendered) -> Iterator[RenderedResource]:
    references = _References(rendered)
    for layer, template in rendered.layers.items():
        for logical_id, body in template["Resources"].items():
            properties = references.resolved(layer, body.get("Properties", {}))
            yield RenderedResource(
                Name(stack_of(layer), logical_id), layer, body["Type"], properties, body
            )


def stack_of(layer: str) -> str:
    """The logical ID of the nested stack of a layer; empty for the root."""
    return "" if layer == ROOT else stack_title(layer)


class _References:
    """Tokens in place of references: to a resource of the same layer, or to another by its example value."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self.tokens = {
            example: token(Name(stack_of(origin.layer), origin.logical_id), origin.attribute)
            for example, origin in rendered.origins.items()
        }
        # A port is an example value too, and would match any number within a text.
        texts = sorted((each for each in self.tokens if not each.isdigit()), key=len, reverse=True)
        self.examples = re.compile("|".join(map(re.escape, texts)) or r"(?!)")

    def resolved(self, layer: str, value: Any) -> Any:
        """A value with tokens."""
        match value:
            case {"Ref": str(name)} if len(value) == 1 and self._has(layer, name):
                return token(Name(stack_of(layer), name))
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return token(Name(stack_of(layer), name), attribute)
            case {"Fn::Sub": [str(text), dict(given)]}:
                known = self.resolved(layer, given)
                parts = (self._variable(layer, text), list(known.values()))
                return {"Fn::Sub": list(parts)}
            case {"Fn::Sub": str(text)}:
                return self._variable(layer, text)
            case dict():
                return {key: self.resolved(layer, part) for key, part in value.items()}
            case list():
                return [self.resolved(layer, part) for part in value]
            case str():
                return self._text(value)
        return value

    def _has(self, layer: str, name: str) -> bool:
        return name in self.rendered.layers[layer]["Resources"]

    def _text(self, text: str) -> str:
        if text in self.tokens:
            return self.tokens[text]
        return self.examples.sub(lambda found: self.tokens[found.group()], text)

    def _variable(self, layer: str, text: str) -> str:
        def replaced(found: re.Match[str]) -> str:
            name, attribute = found.groups()
            if not self._has(layer, name):
                return found.group()
            return token(Name(stack_of(layer), name), attribute)

        return self._text(_VARIABLE.sub(replaced, text))
