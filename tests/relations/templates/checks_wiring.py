"""Connections between the root and its layers: each parameter of a layer receives the value with its own name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from templates_src.core.protection import PROTECTED_BY, PROTECTED_BY_ENVIRONMENT
from templates_src.environment import ROOT, TEMPLATE_FOLDER, TEMPLATE_SUFFIX, stack_title
from tests.relations.registry import Templates, template_relation
from tests.relations.templates.checks_templates import references

STACK = "AWS::CloudFormation::Stack"
OUTPUTS = "Outputs."


def nested_stacks(templates: Templates) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The layer, the logical ID and the properties of each nested stack of the root."""
    layers = {stack_title(layer): layer for layer in templates}
    for name, resource in templates[ROOT]["Resources"].items():
        if resource["Type"] == STACK:
            yield layers[name], name, resource["Properties"]


@template_relation
def layers_receive_values_by_name(templates: Templates) -> Iterator[str]:
    """A layer's parameter receives the root's parameter, or an earlier layer's output, of the same name: another one may be valid, and wrong."""
    available = templates[ROOT]["Parameters"].keys() | {
        output
        for layer, template in templates.items()
        if layer != ROOT
        for output in template.get("Outputs", {})
    }
    for layer, name, properties in nested_stacks(templates):
        given, declared = properties.get("Parameters", {}), templates[layer]["Parameters"]
        for parameter in sorted(given.keys() - declared.keys()):
            yield f"{name} passes {parameter}, which layer {layer} does not have."
        for parameter, described in declared.items():
            if parameter == PROTECTED_BY.name:
                if given.get(parameter) != PROTECTED_BY_ENVIRONMENT:
                    yield f"{name} turns its deletion protection on itself, before the environment is complete."
            elif parameter in given:
                source = source_of(given[parameter], described)
                if source != parameter:
                    yield f"{parameter} of {name} receives {source or given[parameter]}."
            elif parameter in available or "Default" not in described:
                yield f"{name} does not pass {parameter}."


def source_of(value: Any, described: Mapping[str, Any]) -> str:
    """The name of the parameter or output that a value is; empty if it is neither, or has another form than the parameter."""
    is_list = described["Type"] == "CommaDelimitedList" or described["Type"].startswith("List<")
    match value:
        case {"Fn::Join": [",", {"Ref": str(name)}]} if is_list:
            return name
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(_), str(attribute)]} if attribute.startswith(OUTPUTS):
            return attribute.removeprefix(OUTPUTS)
        case _:
            return ""


@template_relation
def outputs_pass_through_the_root_by_name(templates: Templates) -> Iterator[str]:
    """An output of the root with the name of a layer's output has its value, so that a user reads what the layer says."""
    outputs = {
        output: stack_title(layer)
        for layer, template in templates.items()
        if layer != ROOT
        for output in template.get("Outputs", {})
    }
    for name, output in templates[ROOT]["Outputs"].items():
        wanted = {"Fn::GetAtt": [outputs.get(name), f"{OUTPUTS}{name}"]}
        if name in outputs and output["Value"] != wanted:
            yield f"Output {name} of the root is {output['Value']}, not the output of {outputs[name]}."
    for _, name, properties in nested_stacks(templates):
        for stack, attribute in connected(properties.get("Parameters", {})):
            if outputs.get(attribute) != stack:
                yield f"{name} reads {attribute} of {stack}, which {outputs.get(attribute)} outputs."


def connected(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The stack and the output that each connected parameter reads."""
    for value in parameters.values():
        if isinstance(value, dict) and "Fn::GetAtt" in value:
            stack, attribute = value["Fn::GetAtt"]
            yield stack, attribute.removeprefix(OUTPUTS)


@template_relation
def nested_stacks_have_the_template_of_their_layer(templates: Templates) -> Iterator[str]:
    """A nested stack launches its own layer, from the release in the region of the launch."""
    for layer, name, properties in nested_stacks(templates):
        url = properties["TemplateURL"]
        text = url["Fn::Sub"] if isinstance(url, dict) else url
        if not text.endswith(f"/${{ReleasePrefix}}{TEMPLATE_FOLDER}/{layer}{TEMPLATE_SUFFIX}"):
            yield f"{name} launches {text}, not its layer of the release."
        if not text.startswith("https://${ReleaseBucket}.s3.${AWS::Region}.${AWS::URLSuffix}/"):
            yield f"{name} launches {text}, which is outside the release or the region of the launch."
        layer_tag = [each["Value"] for each in properties["Tags"] if each["Key"] == "Layer"]
        if layer_tag != [layer]:
            yield f"{name} tags its resources with the layer {layer_tag}."


@template_relation
def every_parameter_is_used(templates: Templates) -> Iterator[str]:
    """A template reads each of its parameters: a value that nothing reads has no effect, without a message."""
    for layer, template in templates.items():
        used = set(references({key: part for key, part in template.items() if key != "Parameters"}))
        used |= set(substituted(template))
        for name in sorted(template["Parameters"].keys() - used):
            yield f"Layer {layer} does not use {name}."


def substituted(value: Any) -> Iterator[str]:
    """Names in ``${…}`` of the texts of a value."""
    if isinstance(value, str):
        for part in value.split("${")[1:]:
            yield part.partition("}")[0].partition(".")[0]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from substituted(part)
