"""The root parameters whose change replaces a resource: the sources of its create-only properties, traced to the root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from templates_src.environment import ROOT, stack_title
from tests.relations.registry import Templates
from tests.relations.schemas import create_only

VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
# Replaces the instance with the snapshot; conditional in the schema, whose list also has properties that do not
# replace.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html
ALSO_REPLACING = {"AWS::RDS::DBInstance": {"DBSnapshotIdentifier"}}
CONDITION = "Condition"


@dataclass
class Tracer:
    """Follows values of templates back to parameters of the root."""

    templates: Templates
    known: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def replacing(self, layer: str, logical_id: str) -> dict[str, set[str]]:
        """The root parameters that replace a resource, by the property; ``Condition`` has those that remove it."""
        resource = self.templates[layer]["Resources"][logical_id]
        kind, properties = resource["Type"], resource.get("Properties", {})
        keys = create_only(kind) | ALSO_REPLACING.get(kind, set())
        found = {
            key: self.parameters(layer, properties[key])
            for key in sorted(keys)
            if key in properties
        }
        if CONDITION in resource:
            found[CONDITION] = self._of_condition(layer, resource[CONDITION])
        return found

    def parameters(self, layer: str, value: Any) -> set[str]:
        """The root parameters that a value depends on."""
        return {name for found in _mentioned(value) for name in self._of_name(layer, *found)}

    def _of_name(self, layer: str, kind: str, name: str) -> set[str]:
        template = self.templates[layer]
        if kind == CONDITION:
            return self._of_condition(layer, name)
        if name in template.get("Parameters", {}):
            return self._of_parameter(layer, name)
        if name in template["Resources"]:
            return self._of_resource(layer, name)
        return set()

    def _of_condition(self, layer: str, name: str) -> set[str]:
        return self.parameters(layer, self.templates[layer]["Conditions"][name])

    def _of_parameter(self, layer: str, name: str) -> set[str]:
        if layer == ROOT:
            return {name}
        stack = self.templates[ROOT]["Resources"][stack_title(layer)]
        given = stack["Properties"]["Parameters"][name]
        found = set()
        for source, output in _outputs(given):
            earlier = next(each for each in self.templates if stack_title(each) == source)
            found |= self.parameters(earlier, self.templates[earlier]["Outputs"][output]["Value"])
        return found or self.parameters(ROOT, given)

    def _of_resource(self, layer: str, name: str) -> set[str]:
        """The parameters that replace a resource also change its Ref."""
        if (layer, name) not in self.known:
            self.known[layer, name] = set()
            if layer != ROOT:
                self.known[layer, name] = {
                    parameter
                    for key, found in self.replacing(layer, name).items()
                    if key != CONDITION
                    for parameter in found
                }
        return self.known[layer, name]


def _outputs(value: Any) -> Iterator[tuple[str, str]]:
    """Nested stacks and outputs that a value of the root refers to."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "Fn::GetAtt" and part[1].startswith("Outputs."):
                yield part[0], part[1].removeprefix("Outputs.")
            else:
                yield from _outputs(part)
    elif isinstance(value, list):
        for part in value:
            yield from _outputs(part)


def _mentioned(value: Any) -> Iterator[tuple[str, str]]:
    """The references of a value: ("Ref", name) and ("Condition", name)."""
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
            yield "Ref", name
        case {"Condition": str(name)}:
            yield CONDITION, name
        case {"Fn::If": [condition, *branches]}:
            yield CONDITION, condition
            for branch in branches:
                yield from _mentioned(branch)
        case {"Fn::Sub": argument}:
            text, values = argument if isinstance(argument, list) else (argument, {})
            for name in VARIABLE.findall(text):
                if name not in values:
                    yield "Ref", name.partition(".")[0]
            yield from _mentioned(values)
        case dict():
            for part in value.values():
                yield from _mentioned(part)
        case list():
            for part in value:
                yield from _mentioned(part)
        case _:
            return
