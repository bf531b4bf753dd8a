"""Render an environment for a launch: substitute parameters, evaluate conditions, pass values from parents to children."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.aws import partition_of
from pipeline.checks.launch_examples import launch_examples
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, rejection, resolve
from pipeline.parameters.relations import check_region
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release, template_path
from pipeline.template.example_values import ACCOUNT, example
from pipeline.template.intrinsic_functions import NO_VALUE, Scope
from templates_src.environment import ROOT, stack_title


@dataclass(frozen=True)
class Origin:
    """The resource that a value of another layer comes from, with its attribute unless the value is its Ref."""

    layer: str
    logical_id: str
    attribute: str | None


@dataclass
class Rendered:
    """A rendered environment.

    ``layers`` holds the templates by layer name, the root under ``environment``, each with Resources and Outputs only.
    ``parameters`` holds the values of each. ``origins`` maps the example value of a resource to the resource.
    """

    environment: str
    region: str
    layers: dict[str, dict[str, Any]] = field(default_factory=dict)
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)


def render(
    release: Release,
    name: str,
    region: str = "eu-north-1",
    overrides: Mapping[str, str] | None = None,
    profiles: Path = PARAMETERS,
) -> Rendered:
    """Render environment ``name`` with the values of its profile and ``overrides``.

    A parameter without a value in the profile has an example value unless ``overrides`` sets one. Raises PipelineError for a
    rejected value and a violated rule.
    """
    given = {**launch_examples(region, name), **(overrides or {})}
    given = {
        name: value
        for name, value in given.items()
        if name in release.root.declarations or name in (overrides or {})
    }
    profile = load_profile(release.root, name, profiles)
    return render_values(release, name, region, resolve(release.root, profile, given))


def render_values(release: Release, name: str, region: str, values: Mapping[str, str]) -> Rendered:
    """Render an environment with a value for every root parameter.

    Raises PipelineError for a value of another region and for a violated rule.
    """
    misplaced = check_region(values, region)
    if misplaced:
        raise PipelineError(misplaced)
    rendered = Rendered(name, region)
    root = json.loads(release.files[template_path(ROOT)])
    outputs: dict[str, dict[str, Any]] = {}
    stacks = {stack_title(layer.name): layer.name for layer in release.layers}

    def output(stack: str, attribute: str) -> Any:
        kind, _, output_name = attribute.partition(".")
        return outputs[stack][output_name] if stack in stacks and kind == "Outputs" else None

    scope = scope_of(root, values, region, f"{values['Project']}-{name}", output)
    check_rules(scope)
    resources: dict[str, Any] = {}
    for logical_id, resource in root["Resources"].items():
        evaluated = render_resource(scope, resource)
        if evaluated is None:
            continue
        resources[logical_id] = evaluated
        if logical_id in stacks:
            outputs[logical_id] = render_layer(
                release, rendered, stacks[logical_id], evaluated["Properties"]["Parameters"]
            )
    rendered.layers[ROOT] = rendered_template(scope, root, resources)
    rendered.parameters[ROOT] = dict(values)
    return rendered


def render_layer(
    release: Release, rendered: Rendered, name: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """Render one nested template into ``rendered``; returns its outputs for the root."""
    layer = next(layer for layer in release.layers if layer.name == name)
    for parameter, value in values.items():
        reason = rejection(layer.declarations[parameter], str(value))
        if reason:
            raise PipelineError(f"Layer {name} would receive {parameter} as {value!r}. {reason}")
    template = json.loads(release.files[template_path(name)])
    stack = f"{values['Project']}-{values['Environment']}-{stack_title(name)}"
    scope = scope_of(template, values, rendered.region, stack)
    resources = {
        logical_id: evaluated
        for logical_id, resource in template["Resources"].items()
        if (evaluated := render_resource(scope, resource)) is not None
    }
    rendered.layers[name] = rendered_template(scope, template, resources)
    rendered.parameters[name] = dict(values)
    existing = _Existing(rendered, name, resources)
    return {
        output: existing.value(body["Value"])
        for output, body in rendered.layers[name].get("Outputs", {}).items()
    }


def scope_of(
    template: Mapping[str, Any],
    values: Mapping[str, str],
    region: str,
    stack: str,
    outputs: Any = lambda _stack, _attribute: None,
) -> Scope:
    """The scope of a template: parameters, with list types split, and the pseudo parameters."""
    given: dict[str, Any] = {}
    for name, parameter in template.get("Parameters", {}).items():
        value = values[name]
        kind = parameter["Type"]
        split = kind == "CommaDelimitedList" or kind.startswith("List<")
        given[name] = [item.strip() for item in value.split(",")] if split else value
    return Scope(template, {**given, **pseudo_parameters(region, stack)}, outputs)


def pseudo_parameters(region: str, stack: str) -> dict[str, str]:
    """Pseudo parameters in a region; the account is AWS's example account."""
    partition = partition_of(region)
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{ACCOUNT}:stack/{stack}/1",
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def check_rules(scope: Scope) -> None:
    """Check the parameters against the template's rules, as CloudFormation does before it creates resources."""
    for name, rule in scope.template.get("Rules", {}).items():
        if "RuleCondition" in rule and not scope.holds(rule["RuleCondition"]):
            continue
        for assertion in rule["Assertions"]:
            if not scope.holds(assertion["Assert"]):
                raise PipelineError(f"{assertion['AssertDescription']} (rule {name})")


def render_resource(scope: Scope, resource: Mapping[str, Any]) -> dict[str, Any] | None:
    """A resource with its functions evaluated; None if its condition is false."""
    if "Condition" in resource and not scope.condition(resource["Condition"]):
        return None
    body = {key: value for key, value in resource.items() if key != "Condition"}
    evaluated: dict[str, Any] = scope.evaluate(body)
    return evaluated


def rendered_template(
    scope: Scope, template: Mapping[str, Any], resources: dict[str, Any]
) -> dict[str, Any]:
    """A rendered template: the result of parameters, rules and conditions."""
    for resource in resources.values():
        after = resource.get("DependsOn", [])
        kept = [
            name for name in ([after] if isinstance(after, str) else after) if name in resources
        ]
        resource.pop("DependsOn", None)
        if kept:
            resource["DependsOn"] = kept
    outputs = {}
    for name, output in template.get("Outputs", {}).items():
        value = scope.evaluate(output["Value"])
        if value is not NO_VALUE:
            outputs[name] = {**output, "Value": value}
    body = {
        "AWSTemplateFormatVersion": template["AWSTemplateFormatVersion"],
        "Description": template["Description"],
        "Resources": resources,
        "Outputs": outputs,
    }
    return {key: value for key, value in body.items() if value}


class _Existing:
    """Output values with example values of a layer's resources."""

    def __init__(self, rendered: Rendered, layer: str, resources: Mapping[str, Any]) -> None:
        self.rendered, self.layer, self.resources = rendered, layer, resources
        self.scope = Scope({}, _Examples(self), self._attribute)

    def value(self, value: Any) -> Any:
        return self.scope.evaluate(value)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        return self.of(logical_id, attribute)

    def of(self, logical_id: str, attribute: str | None) -> str:
        found = example(
            self.rendered.region,
            partition_of(self.rendered.region),
            self.layer,
            logical_id,
            self.resources[logical_id]["Type"],
            attribute,
        )
        self.rendered.origins[found] = Origin(self.layer, logical_id, attribute)
        return found


class _Examples(Mapping[str, str]):
    """Ref of each resource of a layer."""

    def __init__(self, existing: _Existing) -> None:
        self.existing = existing

    def __getitem__(self, logical_id: str) -> str:
        if logical_id not in self.existing.resources:
            raise KeyError(logical_id)
        return self.existing.of(logical_id, None)

    def __iter__(self) -> Any:
        return iter(self.existing.resources)

    def __len__(self) -> int:
        return len(self.existing.resources)
