"""Mutants of a template as CloudFormation reads it: parameters, rules, conditions, outputs and the form in the console."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.mutation.operators import DROP, numbers
from tests.mutation.schema_nodes import Path

STACK = "AWS::CloudFormation::Stack"
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
DESCRIPTION_BYTES = 1024
INTERFACE = ("Metadata", "AWS::CloudFormation::Interface")
BOUNDS = ("MinLength", "MaxLength", "MinValue", "MaxValue")
DROPPED = (*BOUNDS, "Default", "AllowedValues", "AllowedPattern", "NoEcho", "ConstraintDescription")
ALWAYS = {"Fn::Equals": ["", ""]}
CONSTANT = {"always": ALWAYS, "never": {"Fn::Not": [ALWAYS]}}
Template = Mapping[str, Any]


@dataclass(frozen=True)
class TemplateChange:
    """A change of a template: the operator, the path, and the new value; ``DROP`` removes it."""

    operator: str
    path: Path
    value: Any

    @property
    def place(self) -> str:
        """The path; names and positions are ``*``."""
        return "/".join(
            "*" if number in (1, 4) or isinstance(step, int) else str(step)
            for number, step in enumerate(self.path)
        )

    @property
    def name(self) -> str:
        """The parameter, rule, condition, resource or output."""
        return str(self.path[min(1, len(self.path) - 1)])


def changes(template: Template) -> Iterator[TemplateChange]:
    """Every change of a template, except those of the properties of its resources."""
    for name, parameter in template.get("Parameters", {}).items():
        yield from of_parameter(parameter, ("Parameters", name))
    for name, rule in template.get("Rules", {}).items():
        yield from of_rule(rule, ("Rules", name))
    for name in template.get("Conditions", {}):
        for operator, value in CONSTANT.items():
            yield TemplateChange(operator, ("Conditions", name), value)
    for name, resource in template["Resources"].items():
        if "Condition" in resource:
            yield TemplateChange("drop", ("Resources", name, "Condition"), DROP)
    yield from of_stacks(template["Resources"])
    yield TemplateChange("past the length", ("Description",), "x" * (DESCRIPTION_BYTES + 1))
    yield TemplateChange("add", ("Transform",), "AWS::LanguageExtensions")
    for name, output in template.get("Outputs", {}).items():
        yield TemplateChange("drop", ("Outputs", name), DROP)
        yield TemplateChange("drop", ("Outputs", name, "Description"), DROP)
        if "Condition" in output:
            yield TemplateChange("drop", ("Outputs", name, "Condition"), DROP)
    yield from of_form(template)


def of_parameter(parameter: Mapping[str, Any], path: Path) -> Iterator[TemplateChange]:
    """What a parameter accepts, and what it is without a value."""
    for key in DROPPED:
        if key in parameter:
            yield TemplateChange("drop", (*path, key), DROP)
    for key in BOUNDS:
        if key in parameter:
            for operator, value in numbers(parameter[key], ()):
                yield TemplateChange(operator, (*path, key), value)
    allowed = parameter.get("AllowedValues", ())
    for position in range(len(allowed)):
        yield TemplateChange("drop element", (*path, "AllowedValues", position), DROP)
    if "Default" not in parameter:
        return
    default = parameter["Default"]
    if default in allowed and len(allowed) > 1:
        value = allowed[(allowed.index(default) + 1) % len(allowed)]
        yield TemplateChange("next value", (*path, "Default"), value)
    elif default.isdigit():
        for operator, value in numbers(default, ()):
            yield TemplateChange(operator, (*path, "Default"), value)
        yield TemplateChange("another type", (*path, "Default"), int(default))
    else:
        yield TemplateChange("another text", (*path, "Default"), f"{default}x")


def of_rule(rule: Mapping[str, Any], path: Path) -> Iterator[TemplateChange]:
    """A rule, its condition and its assertions."""
    yield TemplateChange("drop", path, DROP)
    if "RuleCondition" in rule:
        yield TemplateChange("drop", (*path, "RuleCondition"), DROP)
        yield TemplateChange("never", (*path, "RuleCondition"), CONSTANT["never"])
    for position in range(len(rule["Assertions"])):
        yield TemplateChange("drop element", (*path, "Assertions", position), DROP)
        yield TemplateChange("always", (*path, "Assertions", position, "Assert"), ALWAYS)
        place = (*path, "Assertions", position, "AssertDescription")
        yield TemplateChange("another text", place, "Wrong.")


def of_stacks(resources: Mapping[str, Any]) -> Iterator[TemplateChange]:
    """What nested stacks receive, and from which template they are."""
    stacks = {name: each for name, each in resources.items() if each["Type"] == STACK}
    locations = [each["Properties"]["TemplateURL"] for each in stacks.values()]
    for name, stack in stacks.items():
        path = ("Resources", name, "Properties")
        location = stack["Properties"]["TemplateURL"]
        other = next(each for each in locations if each != location)
        yield TemplateChange("another template", (*path, "TemplateURL"), other)
        given = stack["Properties"].get("Parameters", {})
        for key, value in given.items():
            yield TemplateChange("drop", (*path, "Parameters", key), DROP)
            wrong = next((each for each in given.values() if each != value), None)
            if wrong is not None:
                yield TemplateChange("another value", (*path, "Parameters", key), wrong)


def of_form(template: Template) -> Iterator[TemplateChange]:
    """Groups and labels of the form."""
    form = template["Metadata"][INTERFACE[1]]
    for position in range(len(form["ParameterGroups"])):
        yield TemplateChange("drop element", (*INTERFACE, "ParameterGroups", position), DROP)
    for name in form["ParameterLabels"]:
        yield TemplateChange("drop", (*INTERFACE, "ParameterLabels", name), DROP)


def is_about_resources(change: TemplateChange) -> bool:
    """Whether a change decides which resources exist, and with which properties."""
    return change.path[0] == "Conditions" or change.path[-1] == "Condition"


def written(template: Template) -> bytes:
    """A template as a file."""
    return json.dumps(template).encode()
