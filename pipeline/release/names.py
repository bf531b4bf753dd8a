"""Check names that are composed from Project and Environment against the limits of the services."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from troposphere import encode_to_dict

from pipeline.errors import PipelineError
from pipeline.release.name_limits import ACCOUNT, LIMITS_OF, LONGEST_REGION, Limit
from pipeline.template.intrinsic_functions import NO_VALUE, Scope
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import ENVIRONMENT, PROJECT

# CloudFormation names a nested stack PARENT-LOGICALID-SUFFIX, with a suffix of 12 or 13 characters.
STACK_SUFFIX = "1ABCDEFGHIJKL"


def check_names_fit(layers: Iterable[Layer]) -> None:
    """Check every composed name against its service's limit, for the longest Project in each environment.

    Names that contain a resource's Ref or an unbounded parameter are not known before a launch and are left out. Raises
    PipelineError.
    """
    for layer in layers:
        for environment in sorted(ENVIRONMENT.allowed, key=len, reverse=True):
            _check_layer(layer, longest_values(layer, environment))


def longest_values(layer: Layer, environment: str) -> dict[str, str]:
    """Parameters and pseudo parameters of a layer with their longest values, if they have a bound."""
    project = longest_project()
    parameters = {
        name: longest
        for name, declaration in layer.declarations.items()
        if (longest := _longest(declaration)) is not None
    }
    stack = f"{project}-{environment}-{layer.name.capitalize()}-{STACK_SUFFIX}"
    return {
        **parameters,
        PROJECT.name: project,
        ENVIRONMENT.name: environment,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": LONGEST_REGION,
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com",
    }


def longest_project() -> str:
    """The longest value that Project accepts, with the most hyphens."""
    assert PROJECT.max_length is not None  # noqa: S101 - Project has a bound, or no name could be checked
    text = ("a" + "-1" * PROJECT.max_length)[: PROJECT.max_length]
    return f"{text[:-1]}1"


def _longest(declaration: Declaration) -> str | None:
    if declaration.allowed:
        return max(declaration.allowed, key=len)
    if declaration.max_value is not None:
        return str(declaration.max_value)
    return None


def _check_layer(layer: Layer, values: Mapping[str, str]) -> None:
    resources = [
        (title, resource, LIMITS_OF[resource.resource_type])
        for title, resource in layer.template.resources.items()
        if resource.resource_type in LIMITS_OF
    ]
    scope = Scope({}, {**values, **_log_groups(resources, values)})
    for title, resource, limits in resources:
        for limit in limits:
            for name in _names(resource, limit.path, scope):
                _check(layer.name, title, limit, name)


def _log_groups(
    resources: Iterable[tuple[str, Any, Any]], values: Mapping[str, str]
) -> dict[str, str]:
    """The Ref of each log group with an explicit name: the name, which other names are composed from."""
    scope = Scope({}, values)
    return {
        title: name
        for title, resource, _ in resources
        if resource.resource_type == "AWS::Logs::LogGroup"
        for name in _names(resource, ("LogGroupName",), scope)
    }


def _names(resource: Any, path: tuple[str, ...], scope: Scope) -> Iterator[str]:
    """Every value that the property can have, for all outcomes of its conditions."""
    given = resource.properties.get(path[0])
    if given is None or isinstance(given, str):
        return
    for value in _alternatives(encode_to_dict(given), path[1:]):
        name = scope.evaluate(value)
        if name is not NO_VALUE and isinstance(name, str):
            yield name


def _alternatives(node: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _alternatives(item, path)
    elif isinstance(node, dict) and "Fn::If" in node:
        for branch in node["Fn::If"][1:]:
            yield from _alternatives(branch, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _alternatives(node[path[0]], path[1:])


def _check(layer: str, title: str, limit: Limit, name: str) -> None:
    whole = name + limit.suffix
    what = f"{'.'.join(limit.path)} of {title} in layer {layer}"
    if len(whole) > limit.longest:
        raise PipelineError(
            f"{what} is {whole!r} for the longest Project: {len(whole)} characters, but "
            f"{limit.kind} accepts {limit.longest}; shorten the text around Project and Environment ({limit.source})."
        )
    if not re.fullmatch(limit.pattern, whole, re.ASCII):
        raise PipelineError(
            f"{what} is {whole!r}, which is not a valid name for {limit.kind}; see {limit.source}."
        )
