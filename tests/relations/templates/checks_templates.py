"""Published templates: texts in the console, limits of a launch, and replacements in an update."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.release.assemble import serialize
from tests.relations.registry import Templates, template_relation

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
TEMPLATE_BYTES = 1_000_000
RESOURCES, PARAMETERS, OUTPUTS = 500, 200, 200
DESCRIPTION_BYTES = 1024
SWITCH = frozenset({"true", "false"})
COMMANDS = frozenset({"ApiCommand", "WorkerCommand", "BeatCommand"})
TEXTS = ("String", "CommaDelimitedList")
CONSTRAINTS = ("AllowedPattern", "AllowedValues", "MinLength", "MaxLength", "MinValue", "MaxValue")


@template_relation
def parameters_are_explained(templates: Templates) -> Iterator[str]:
    """Every parameter has a label, a group and a description, and a message with its name if a value can be refused."""
    for layer, template in templates.items():
        interface = template["Metadata"]["AWS::CloudFormation::Interface"]
        labels = interface["ParameterLabels"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
        for name, parameter in template["Parameters"].items():
            where = f"{name} of layer {layer}"
            if not labels.get(name, {}).get("default", "").strip():
                yield f"{where} has no label."
            if grouped.count(name) != 1:
                yield f"{where} is in {grouped.count(name)} groups."
            if not parameter.get("Description", "").strip():
                yield f"{where} has no description."
            constrained = any(key in parameter for key in CONSTRAINTS)
            if constrained and name not in parameter.get("ConstraintDescription", ""):
                yield f"{where} refuses values with a message that does not name it."
        for name in sorted({*labels, *grouped} - template["Parameters"].keys()):
            yield f"Layer {layer} explains the parameter {name}, which it does not have."


@template_relation
def texts_have_a_pattern(templates: Templates) -> Iterator[str]:
    """A text has a pattern or a list of values: without one, a service refuses a wrong value in the middle of a launch."""
    for layer, template in templates.items():
        for name, parameter in template["Parameters"].items():
            if parameter["Type"] in TEXTS and not {"AllowedPattern", "AllowedValues"} & set(
                parameter
            ):
                yield f"{name} of layer {layer} accepts any text."


@template_relation
def switches_have_both_values(templates: Templates) -> Iterator[str]:
    """A switch can be turned on and off: a parameter that accepts true accepts false, too."""
    for layer, template in templates.items():
        for name, parameter in template["Parameters"].items():
            accepted = set(parameter.get("AllowedValues", ()))
            for value in sorted(SWITCH - accepted) if SWITCH & accepted else ():
                yield f"{name} of layer {layer} does not accept {value}."


@template_relation
def optional_texts_are_empty_by_default(templates: Templates) -> Iterator[str]:
    """A text that may be empty is empty unless the user gives one. The commands of containers are the exception: empty selects that of the image."""
    for layer, template in templates.items():
        for name, parameter in template["Parameters"].items():
            optional = re.fullmatch(parameter.get("AllowedPattern", "."), "")
            if optional and parameter.get("Default") != "" and name not in COMMANDS:
                yield f"{name} of layer {layer} may be empty, but its default is {parameter.get('Default')}."


@template_relation
def defaults_are_text(templates: Templates) -> Iterator[str]:
    """Defaults are strings, because taskcat cannot override a default of another type."""
    for layer, template in templates.items():
        for name, parameter in template["Parameters"].items():
            if not isinstance(parameter.get("Default", ""), str):
                yield f"{name} of layer {layer} has the default {parameter['Default']!r}, which is not text."


@template_relation
def outputs_are_explained(templates: Templates) -> Iterator[str]:
    """Every output has a description."""
    for layer, template in templates.items():
        for name, output in template.get("Outputs", {}).items():
            if not output.get("Description", "").strip():
                yield f"Output {name} of layer {layer} has no description."


@template_relation
def templates_fit_the_quotas(templates: Templates) -> Iterator[str]:
    """Templates are within CloudFormation's quotas of bytes, resources, parameters and outputs."""
    for layer, template in templates.items():
        for what, count, most in (
            ("bytes", len(serialize(template)), TEMPLATE_BYTES),
            ("resources", len(template["Resources"]), RESOURCES),
            ("parameters", len(template["Parameters"]), PARAMETERS),
            ("outputs", len(template.get("Outputs", {})), OUTPUTS),
            ("bytes of description", len(template["Description"].encode()), DESCRIPTION_BYTES),
        ):
            if count >= most:
                yield f"Layer {layer} has {count} {what}, of fewer than {most}."


@template_relation
def templates_need_no_transform(templates: Templates) -> Iterator[str]:
    """No template has a transform, which needs another capability and changes the reviewed template."""
    for layer, template in templates.items():
        if "Transform" in template or '"Fn::Transform"' in json.dumps(template):
            yield f"Layer {layer} uses a transform."


@template_relation
def load_balancer_waits_for_its_log_bucket(templates: Templates) -> Iterator[str]:
    """The load balancer depends on the policy of its log bucket, because it writes a test object immediately."""
    for layer, template in templates.items():
        for name, resource in template["Resources"].items():
            if resource["Type"] != "AWS::ElasticLoadBalancingV2::LoadBalancer":
                continue
            mentioned = set(references(resource["Properties"])) | set(resource.get("DependsOn", ()))
            for policy in policies_of(template, mentioned):
                if policy not in mentioned:
                    yield f"{name} of layer {layer} may write its logs before {policy} allows it."


def policies_of(template: dict[str, Any], buckets: set[str]) -> list[str]:
    """Logical IDs of the policies of some buckets of a template."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::S3::BucketPolicy"
        and buckets & set(references(resource["Properties"]["Bucket"]))
    ]


def references(value: Any) -> Iterator[str]:
    """Names of parameters and resources that Ref and Fn::GetAtt of a value refer to."""
    if isinstance(value, list):
        for part in value:
            yield from references(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key == "Ref":
                yield part
            elif key == "Fn::GetAtt":
                yield part[0]
            else:
                yield from references(part)
