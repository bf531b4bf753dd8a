"""Parameters that decide which code runs: all values that flow into an image, a command, a code location and so on.

The flow is read from the templates: references, substitutions, conditions, nested stacks' parameters and outputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from templates_src.environment import stack_title

Template = Mapping[str, Any]
# Properties whose value is code, names code, or decides who can run or deploy code, at any depth of any resource.
EXECUTED = frozenset(
    {
        "AssumeRolePolicyDocument",
        "BuildSpec",
        "Code",
        "CodeUri",
        "Command",
        "Content",
        "DBSnapshotIdentifier",
        "Definition",
        "DefinitionString",
        "DefinitionS3Location",
        "EnableExecuteCommand",
        "EntryPoint",
        "Handler",
        "Image",
        "ImageId",
        "ImageUri",
        "Layers",
        "Runtime",
        "ServiceToken",
        "SnapshotId",
        "SnapshotIdentifier",
        "TemplateBody",
        "TemplateURL",
        "UserData",
    }
)
# Environment variables whose value a shell, an interpreter or Lambda executes or loads code from.
EXECUTED_VARIABLES = frozenset(
    {
        "AWS_LAMBDA_EXEC_WRAPPER",
        "BASH_ENV",
        "CELERY_APP",
        "ENV",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "NODE_OPTIONS",
        "PATH",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONSTARTUP",
    }
)
# Helper scripts of CloudFormation execute this metadata.
EXECUTED_METADATA = "AWS::CloudFormation::Init"
STACK = "AWS::CloudFormation::Stack"
_VARIABLE = re.compile(r"\$\{([^!}][^}.]*)(?:\.([^}]+))?\}")


@dataclass(frozen=True)
class Sink:
    """A value that decides which code runs: its resource, the property and the layer of the resource."""

    layer: str
    resource: str
    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.layer}.{self.resource} {self.name}"


@dataclass(frozen=True)
class Flows:
    """The templates among which values flow: ``layers`` by name, and a template over them."""

    layers: Mapping[str, Template]

    def into_code(self, template: Template, name: str = "environment") -> dict[str, set[Sink]]:
        """The sinks that each parameter of a template reaches, through nested stacks too."""
        found: dict[str, set[Sink]] = {}
        for logical_id, resource in template["Resources"].items():
            for sink_name, value in executed(resource):
                sink = Sink(name, logical_id, resource["Type"], sink_name)
                for parameter in self.references(template, value):
                    found.setdefault(parameter, set()).add(sink)
            if resource["Type"] == STACK:
                for parameter, sinks in self._through(template, logical_id).items():
                    found.setdefault(parameter, set()).update(sinks)
        return found

    def _through(self, template: Template, logical_id: str) -> dict[str, set[Sink]]:
        layer = self.layer_of(logical_id)
        passed = template["Resources"][logical_id]["Properties"].get("Parameters", {})
        found: dict[str, set[Sink]] = {}
        for inner, sinks in self.into_code(self.layers[layer], layer).items():
            for parameter in self.references(template, passed.get(inner)):
                found.setdefault(parameter, set()).update(sinks)
        return found

    def layer_of(self, logical_id: str) -> str:
        """The layer that a nested stack launches."""
        return next(name for name in self.layers if stack_title(name) == logical_id)

    def references(self, template: Template, value: Any) -> set[str]:
        """The template's parameters that a value depends on."""
        found: set[str] = set()
        for name, attribute in referred(template, value):
            if name in template.get("Parameters", {}):
                found.add(name)
            elif attribute.startswith("Outputs.") and name in template["Resources"]:
                found |= self._output(template, name, attribute.removeprefix("Outputs."))
        return found

    def _output(self, template: Template, logical_id: str, output: str) -> set[str]:
        inner = self.layers[self.layer_of(logical_id)]
        passed = template["Resources"][logical_id]["Properties"].get("Parameters", {})
        found: set[str] = set()
        for parameter in self.references(inner, inner["Outputs"][output]["Value"]):
            found |= self.references(template, passed.get(parameter))
        return found


def executed(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and value of each property of a resource that decides what code runs."""
    properties = resource.get("Properties", {})
    if resource["Type"] == STACK:
        # Its parameters are followed into the nested template.
        properties = {name: value for name, value in properties.items() if name != "Parameters"}
    yield from _executed(properties)
    if EXECUTED_METADATA in resource.get("Metadata", {}):
        yield EXECUTED_METADATA, resource["Metadata"][EXECUTED_METADATA]


def _executed(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, list):
        for item in part:
            yield from _executed(item)
    if not isinstance(part, dict):
        return
    if str(part.get("Name")) in EXECUTED_VARIABLES and "Value" in part:
        yield str(part["Name"]), part["Value"]
    for name, value in part.items():
        if name in EXECUTED or name in EXECUTED_VARIABLES:
            yield name, value
        else:
            yield from _executed(value)


def referred(template: Template, value: Any) -> Iterator[tuple[str, str]]:
    """The references of a value: logical ID or parameter, and the attribute, empty for a Ref; including conditions."""
    if isinstance(value, list):
        for item in value:
            yield from referred(template, item)
    if not isinstance(value, dict):
        return
    for function, argument in value.items():
        if function == "Ref":
            yield argument, ""
        elif function == "Fn::GetAtt":
            yield _attribute(argument)
        elif function == "Fn::Sub":
            yield from _substituted(template, argument)
        else:
            if function == "Condition" and isinstance(argument, str):
                yield from referred(template, template["Conditions"].get(argument))
            if function == "Fn::If":
                yield from referred(template, template["Conditions"][argument[0]])
            yield from referred(template, argument)


def _attribute(argument: Any) -> tuple[str, str]:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return name, str(attribute)


def _substituted(template: Template, argument: Any) -> Iterator[tuple[str, str]]:
    text, own = argument if isinstance(argument, list) else (argument, {})
    for match in _VARIABLE.finditer(text):
        if match[1] not in own:
            yield match[1], match[2] or ""
    yield from referred(template, list(own.values()))
