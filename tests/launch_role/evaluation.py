"""The policies of the two bootstrap stacks, rendered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pipeline.aws import partition_of
from pipeline.checks.render import render_resource, scope_of
from pipeline.release.assemble import serialize
from pipeline.template.example_values import ACCOUNT
from templates_src.core.layer import Layer
from templates_src.launch_role.boundary import BOUNDARY, SUFFIX
from templates_src.launch_role.template import LAUNCH_ROLE_NAME, launch_role

REGION = "eu-north-1"
Statement = Mapping[str, Any]


@cache
def launch_role_layer() -> Layer:
    """The template of the launch role, built once; read only."""
    return launch_role()


# Templates that a test evaluates in place of the layers of their names.
REPLACED: dict[str, Mapping[str, Any]] = {}


def template_of(layer: Layer) -> Mapping[str, Any]:
    """The template of a layer, or the one that a test evaluates in its place."""
    return REPLACED.get(layer.name) or json.loads(serialize(layer.document()))


def resources_of(layer: Layer, region: str = REGION, **given: str) -> dict[str, dict[str, Any]]:
    """The resources of a template, rendered with its defaults and the given values."""
    template = template_of(layer)
    values = {
        name: given.get(name, declaration.default or "")
        for name, declaration in layer.declarations.items()
    }
    scope = scope_of(template, values, region, layer.name)
    if BOUNDARY in template["Resources"]:
        name = f"policy/{values[LAUNCH_ROLE_NAME.name]}{SUFFIX}"
        scope = replace(
            scope,
            values={**scope.values, BOUNDARY: f"arn:{partition_of(region)}:iam::{ACCOUNT}:{name}"},
        )
    return {
        name: rendered
        for name, resource in template["Resources"].items()
        if (rendered := render_resource(scope, resource)) is not None
    }


def role_statements(resources: Mapping[str, Mapping[str, Any]]) -> list[Statement]:
    """The statements of the launch role's managed policies."""
    attached = [arn["Ref"] for arn in resources["LaunchRole"]["Properties"]["ManagedPolicyArns"]]
    return [
        statement
        for name in attached
        for statement in resources[name]["Properties"]["PolicyDocument"]["Statement"]
    ]
