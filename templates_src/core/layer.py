"""A layer: one CloudFormation template with declared parameters, tagged resources and described outputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from troposphere import (
    AWSHelperFn,
    AWSObject,
    Equals,
    If,
    Not,
    NoValue,
    Output,
    Ref,
    Select,
    Sub,
    Tags,
    Template,
)

from templates_src.core.errors import TemplateError
from templates_src.core.parameters.declaration import TRUE, Declaration
from templates_src.core.parameters.groups import ORDER
from templates_src.core.parameters.shared import ENVIRONMENT, PERMISSIONS_BOUNDARY, PROD, PROJECT

# The folder of this package.
_CORE = Path(__file__).resolve().parent
Resource = TypeVar("Resource", bound=AWSObject)
Expression: TypeAlias = "AWSHelperFn | dict[str, Any]"


@dataclass(frozen=True)
class Rule:
    """A combination of parameters that a launch requires.

    If ``when`` is true or absent, ``holds`` must be true; otherwise CloudFormation shows ``message`` and creates
    nothing. Both expressions refer only to ``parameters``, which the layer declares.
    """

    name: str
    parameters: tuple[Declaration, ...]
    holds: Expression
    message: str
    when: Expression | None = None


# The order of the sections; troposphere sorts them by name.
SECTION_ORDER = (
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Conditions",
    "Resources",
    "Outputs",
)
RESOURCE_ORDER = (
    "Type",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "CreationPolicy",
    "UpdatePolicy",
    "Metadata",
    "Properties",
)

# What CloudFormation does without policies, written down where a reader of the template asks: logs and derived secrets.
DELETED_WITH_THE_STACK: Mapping[str, str] = {
    "DeletionPolicy": "Delete",
    "UpdateReplacePolicy": "Delete",
}


def follow_if_created(conditions: Mapping[str, str]) -> dict[str, Any]:
    """Metadata with which a resource follows resources that may not exist: their conditions by logical ID.

    DependsOn accepts no function, and no resource that a condition leaves out (cfn-lint E3005). A reference in the metadata is a
    dependency too: https://cloudonaut.io/optional-dependson-with-cloudformation-metadata-to-the-rescue
    """
    return {
        "Follows": [If(condition, Ref(title), NoValue) for title, condition in conditions.items()]
    }


class Layer:
    """One template under construction.

    Every resource that can be tagged gets the tags Project, Environment and Layer; every parameter comes from a
    Declaration with group and label; every output has a description. ``common`` are the parameters for the tags: a
    template that is deployed once per account has no Environment.
    """

    def __init__(
        self,
        name: str,
        description: str,
        *,
        common: tuple[Declaration, ...] = (PROJECT, ENVIRONMENT),
    ) -> None:
        self.name = name
        self.common = common
        self.template = Template(Description=description)
        self.template.set_version()
        self.declarations: dict[str, Declaration] = {}
        self.sources: dict[str, str] = {}
        self.rules: dict[str, Rule] = {}
        self.public_outputs: list[str] = []
        for declaration in common:
            self.parameter(declaration)

    def parameter(self, declaration: Declaration) -> Ref:
        """Declare the parameter if it is not declared yet, and return a reference to it.

        Raises TemplateError if another declaration has its name, or if its label, group or description is empty.
        """
        known = self.declarations.get(declaration.name)
        if known is None:
            for what in ("label", "group", "description"):
                self._require(declaration.name, getattr(declaration, what), what)
            self.declarations[declaration.name] = declaration
            self.template.add_parameter(declaration.parameter())
        elif known != declaration:
            raise TemplateError(
                f"Parameter {declaration.name} of layer {self.name} has two declarations; share one of them."
            )
        return Ref(declaration.name)

    def condition(self, name: str, expression: Expression) -> str:
        """Add a condition if it does not exist; returns its name, for If and Condition.

        Raises TemplateError if the name has another meaning already.
        """
        known = self.template.conditions.setdefault(name, expression)
        if _plain(known) != _plain(expression):
            raise TemplateError(
                f"Condition {name} of layer {self.name} has two meanings; give one of them another name."
            )
        return name

    def has(self, declaration: Declaration) -> str:
        """Condition ``Has…``: an optional parameter, or list, is given."""
        value: Any = self.parameter(declaration)
        if is_list(declaration):
            value = Select("0", value)
        return self.condition(f"Has{declaration.name}", Not(Equals(value, "")))

    def use(self, declaration: Declaration) -> str:
        """Condition ``Use…``: a switch is on."""
        return self.condition(f"Use{declaration.name}", Equals(self.parameter(declaration), TRUE))

    def is_prod(self) -> str:
        """Condition ``IsProd``: the environment is prod."""
        return self.condition("IsProd", Equals(self.parameter(ENVIRONMENT), PROD))

    def optional(self, declaration: Declaration) -> If:
        """The value of an optional parameter; the template omits the property if the value is empty."""
        return If(self.has(declaration), self.parameter(declaration), NoValue)

    def role_properties(self) -> dict[str, Any]:
        """Properties of every role: path and permissions boundary.

        A role has no explicit name: a name would block its replacement and conflict between regions.
        """
        return {
            "Path": Sub(
                "/${Project}/${Environment}/",
            ),
            "PermissionsBoundary": self.optional(PERMISSIONS_BOUNDARY),
        }

    def rule(self, rule: Rule) -> None:
        """Add a rule, so that CloudFormation refuses a combination of parameters before it creates anything."""
        for declaration in rule.parameters:
            self.parameter(declaration)
        self.rules[rule.name] = rule
        condition: dict[str, Any] = {} if rule.when is None else {"RuleCondition": rule.when}
        assertion = {"Assert": rule.holds, "AssertDescription": rule.message}
        self.template.add_rule(rule.name, {**condition, "Assertions": [assertion]})

    def require_in_prod(
        self, name: str, declaration: Declaration, *, holds: Expression, message: str
    ) -> None:
        """Add a rule that a parameter must satisfy if Environment is prod."""
        self.rule(
            Rule(
                name,
                parameters=(ENVIRONMENT, declaration),
                when=Equals(Ref(ENVIRONMENT.name), PROD),
                holds=holds,
                message=message,
            )
        )

    def add(self, resource: Resource) -> Resource:
        """Add a resource, with tags if its type supports them and it has none yet."""
        if "Tags" in resource.props and "Tags" not in resource.properties:
            resource.Tags = (
                self.tags() if resource.props["Tags"][0] is dict else Tags(**self.tags())
            )
        self.template.add_resource(resource)
        self.sources[resource.title] = _source()
        return resource

    def tags(self, **more: Any) -> dict[str, Any]:
        """The tags of everything in this layer, and ``more``, by key."""
        return {
            **{declaration.name: Ref(declaration.name) for declaration in self.common},
            "Layer": self.name,
            **more,
        }

    def output(self, name: str, value: Any, description: str, *, public: bool = False) -> None:
        """Output a value, for later layers and, if public, for users of the environment.

        An output always exists, with an empty value if it does not apply: the root cannot refer to an output that may
        be missing.
        """
        self._require(name, description, "description")
        self.template.add_output(Output(name, Value=value, Description=description))
        if public:
            self.public_outputs.append(name)

    def document(self) -> dict[str, Any]:
        """The template as plain JSON data, with the console's parameter groups and labels."""
        groups: dict[str, list[str]] = {}
        for declaration in self.declarations.values():
            groups.setdefault(declaration.group, []).append(declaration.name)
        order = {group: position for position, group in enumerate(ORDER)}
        interface = {
            "ParameterGroups": [
                {"Label": {"default": group}, "Parameters": names}
                for group, names in sorted(
                    groups.items(), key=lambda each: order.get(each[0], len(order))
                )
            ],
            "ParameterLabels": {
                declaration.name: {"default": declaration.label}
                for declaration in self.declarations.values()
            },
        }
        body: dict[str, Any] = self.template.to_dict()
        body["Metadata"] = {
            "Generated": "from templates_src by build.py: edit that, not this",
            "AWS::CloudFormation::Interface": interface,
        }
        body["Resources"] = {
            name: _ordered(resource, RESOURCE_ORDER)
            for name, resource in body.get("Resources", {}).items()
        }
        return _ordered(body, SECTION_ORDER)

    def _require(self, name: str, text: str, what: str) -> None:
        if not text.strip():
            raise TemplateError(
                f"{name} of layer {self.name} has no {what}; add it to the declaration."
            )


def _source() -> str:
    """File and line of the module that adds a resource, such as ``templates_src/data/database.py:120``.

    The modules of ``core`` are passed over: they add resources for a module of a layer.
    """
    frame = sys._getframe(2)
    while frame.f_back and Path(frame.f_code.co_filename).is_relative_to(_CORE):
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    inside = path.relative_to(_CORE.parents[1]) if path.is_relative_to(_CORE.parents[1]) else path
    return f"{inside.as_posix()}:{frame.f_lineno}"


def is_list(declaration: Declaration) -> bool:
    """Whether the parameter's value is a list, which a nested stack receives joined by commas."""
    return declaration.type == "CommaDelimitedList" or declaration.type.startswith("List<")


def _plain(expression: Expression) -> str:
    return json.dumps(expression, default=lambda helper: helper.to_dict(), sort_keys=True)


def _ordered(mapping: dict[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    """The mapping with its keys in the given order. Raises TemplateError for a key that is not in the order."""
    unknown = set(mapping) - set(order)
    if unknown:
        raise TemplateError(
            f"A template has the key {sorted(unknown)[0]}, which has no place in its order."
        )
    return {key: mapping[key] for key in order if key in mapping}
