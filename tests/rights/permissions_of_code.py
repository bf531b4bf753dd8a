"""The permissions of the code of a sink."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.rights.code_flows import STACK, Flows, Sink, Template, referred

LAUNCH_ROLE = "launch role"
MASTER_USER = "master user of the database"
NOBODY = "none (data)"
# The property that names the role, or the resource that does.
LEADS_TO_ROLE: Mapping[str, str] = {
    "AWS::ECS::TaskDefinition": "TaskRoleArn",
    "AWS::ECS::Service": "TaskDefinition",
    "AWS::Lambda::Function": "Role",
    "AWS::EC2::LaunchTemplate": "IamInstanceProfile",
    "AWS::IAM::InstanceProfile": "Roles",
}
FIXED: Mapping[str, str] = {
    STACK: LAUNCH_ROLE,
    "AWS::RDS::DBInstance": MASTER_USER,
    "AWS::EC2::Volume": NOBODY,
}


@dataclass(frozen=True)
class Permissions:
    """Finds roles from the root down."""

    root: Template
    flows: Flows

    def of(self, sink: Sink) -> str:
        """The logical ID of the role of a sink's code, or the entry in FIXED for its type."""
        if sink.type in FIXED:
            return FIXED[sink.type]
        template = self.root if sink.layer == "environment" else self.flows.layers[sink.layer]
        return self._role(sink.layer, template, sink.resource)

    def _role(self, layer: str, template: Template, logical_id: str) -> str:
        resource = template["Resources"][logical_id]
        if resource["Type"] == "AWS::IAM::Role":
            return logical_id
        value = named(resource["Properties"], LEADS_TO_ROLE[resource["Type"]])
        ((name, attribute),) = set(referred(template, value))
        return self._follow(layer, template, name, attribute)

    def _follow(self, layer: str, template: Template, name: str, attribute: str) -> str:
        """The role of a reference in a layer, through the root if another layer has it."""
        if name in template.get("Parameters", {}):
            stack = self.root["Resources"][layer.capitalize()]["Properties"]
            ((name, attribute),) = set(referred(self.root, stack["Parameters"][name]))
            return self._follow("environment", self.root, name, attribute)
        if attribute.startswith("Outputs."):
            layer = self.flows.layer_of(name)
            template = self.flows.layers[layer]
            output = template["Outputs"][attribute.removeprefix("Outputs.")]["Value"]
            ((name, attribute),) = set(referred(template, output))
            return self._follow(layer, template, name, attribute)
        return self._role(layer, template, name)


def named(part: Any, name: str) -> Any:
    """The value of the property with a name, at any depth; raises KeyError if it does not exist."""
    if isinstance(part, dict):
        if name in part:
            return part[name]
        for value in part.values():
            try:
                return named(value, name)
            except KeyError:
                continue
    raise KeyError(name)
