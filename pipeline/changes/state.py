"""The state of an environment: its templates and values, and the resources that they define."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.checks.render import pseudo_parameters
from pipeline.errors import PipelineError
from pipeline.template.intrinsic_functions import KNOWN_FUNCTIONS, NO_VALUE, Scope
from pipeline.template.references import Name, has_token, token

STACK = "AWS::CloudFormation::Stack"
ROOT = ""
# The name of a nested template, at the end of its URL.
_ADDRESS = re.compile(r"([\w-]+)\.template\.json$")

Template = Mapping[str, Any]


@dataclass(frozen=True)
class State:
    """Templates by name, ``root`` among them, and the values of the root's parameters; others have their defaults.

    A nested stack's template is the one that its TemplateURL ends with. ``nested`` has, by logical ID, the values of a
    nested stack that differ from those of the root.
    """

    templates: Mapping[str, Template]
    values: Mapping[str, str]
    region: str
    root: str
    nested: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A resource with every function evaluated; ``body`` is its text in the template."""

    name: Name
    kind: str
    properties: Mapping[str, Any]
    body: Template

    def policy(self, key: str) -> str:
        """DeletionPolicy or UpdateReplacePolicy; Delete if the template has none."""
        return str(self.body.get(key, "Delete"))


@dataclass
class Evaluated:
    """The resources and outputs of a state. ``templates`` and ``given`` are by nested stack; the root has the key ""."""

    resources: dict[Name, Resource] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    given: dict[str, Mapping[str, str]] = field(default_factory=dict)
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)


def evaluate(state: State) -> Evaluated:
    """Every resource of a state, nested stacks included.

    Raises PipelineError for a template that is missing, a parameter without a value, and a function that cannot be evaluated.
    """
    found = Evaluated()
    _Stack(state, found, ROOT, state.templates[state.root], state.values).evaluate()
    return found


class _Stack:
    """The evaluation of one stack; a nested stack is evaluated when its first output is read."""

    def __init__(
        self,
        state: State,
        found: Evaluated,
        name: str,
        template: Template,
        values: Mapping[str, str],
    ) -> None:
        self.state, self.found, self.name, self.template = state, found, name, template
        self.values = with_defaults(template, values, name)
        found.templates[name], found.given[name] = template, self.values
        stack = f"stack-{name}" if name else "stack"
        self.scope = Scope(
            template,
            _Values(self.parameters() | pseudo_parameters(state.region, stack), template, name),
            self.attribute,
            opaque=has_token,
        )

    def evaluate(self) -> None:
        """Evaluate every resource and output."""
        for logical_id in self.template["Resources"]:
            self.resource(logical_id)
        evaluated = {
            name: self.scope.evaluate(output["Value"])
            for name, output in self.template.get("Outputs", {}).items()
            if "Condition" not in output or self.scope.condition(output["Condition"])
        }
        self.found.outputs[self.name] = {
            name: value for name, value in evaluated.items() if value is not NO_VALUE
        }

    def parameters(self) -> dict[str, Any]:
        """The values of the parameters, lists split."""
        declared = self.template.get("Parameters", {})
        return {
            name: [item.strip() for item in value.split(",")]
            if is_list(declared[name]["Type"])
            else value
            for name, value in self.values.items()
            if name in declared
        }

    def resource(self, logical_id: str) -> Resource | None:
        """A resource, evaluated once; None if its condition is false."""
        name = Name(self.name, logical_id)
        body = self.template["Resources"][logical_id]
        if name in self.found.resources:
            return self.found.resources[name]
        if "Condition" in body and not self.scope.condition(body["Condition"]):
            return None
        properties = self.scope.evaluate(body.get("Properties", {}))
        for what in unresolved(properties):
            raise PipelineError(f"Resource {name} has {what}, which cannot be evaluated.")
        resource = Resource(name, body["Type"], properties, body)
        self.found.resources[name] = resource
        if resource.kind == STACK and not self.name:
            self.nested(logical_id, properties)
        return resource

    def nested(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        """Evaluate a nested stack."""
        name = template_name(str(properties["TemplateURL"]))
        if name not in self.state.templates:
            raise PipelineError(
                f"Nested stack {logical_id} reads {properties['TemplateURL']}, which is not a template of this release."
            )
        values = {key: str(value) for key, value in properties.get("Parameters", {}).items()}
        values |= self.state.nested.get(logical_id, {})
        _Stack(self.state, self.found, logical_id, self.state.templates[name], values).evaluate()

    def attribute(self, logical_id: str, attribute: str) -> Any:
        """The value of an output, or the token of any other attribute."""
        if not self.name and attribute.startswith("Outputs."):
            self.resource(logical_id)
            outputs = self.found.outputs.get(logical_id, {})
            return outputs.get(attribute.removeprefix("Outputs."), "")
        if logical_id not in self.template["Resources"]:
            where = f"nested stack {self.name}" if self.name else "the root"
            raise PipelineError(
                f"The template of {where} refers to {logical_id}.{attribute}, which it does not have."
            )
        return token(Name(self.name, logical_id), attribute)


def unresolved(value: Any) -> Iterator[str]:
    """The part that evaluation leaves of an unknown function, or of a Ref to an unknown name."""
    if isinstance(value, list):
        for item in value:
            yield from unresolved(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            is_unknown = key.startswith("Fn::") and key not in KNOWN_FUNCTIONS
            if len(value) == 1 and (key == "Ref" or is_unknown):
                yield f"{key} {item}" if isinstance(item, str) else key
            else:
                yield from unresolved(item)


class _Values(dict[str, Any]):
    """Values of parameters, and the token of each resource of the template."""

    def __init__(self, values: Mapping[str, Any], template: Template, stack: str) -> None:
        super().__init__(
            {logical_id: token(Name(stack, logical_id)) for logical_id in template["Resources"]}
            | dict(values)
        )


def template_name(address: str) -> str:
    """The name of the template at the end of a URL; empty if it does not end with a template of a release."""
    found = _ADDRESS.search(address)
    return found.group(1) if found else ""


def with_defaults(template: Template, values: Mapping[str, str], stack: str) -> dict[str, str]:
    """The value of each parameter of a template. Raises PipelineError for one that has none."""
    return dict(_values(template, values, stack))


def _values(template: Template, values: Mapping[str, str], stack: str) -> Iterator[tuple[str, str]]:
    for name, parameter in template.get("Parameters", {}).items():
        if name in values:
            yield name, values[name]
        elif "Default" in parameter:
            yield name, str(parameter["Default"])
        else:
            where = f"nested stack {stack}" if stack else "the root"
            raise PipelineError(f"Parameter {name} of {where} has no value and no default.")


def is_list(kind: str) -> bool:
    """Whether a parameter's type is a list."""
    return kind == "CommaDelimitedList" or kind.startswith("List<")
