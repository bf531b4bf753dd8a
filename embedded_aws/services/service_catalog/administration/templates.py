"""The templates of versions: fetched once, their parameters, and the rules of constraints."""

import json
import re
from typing import Any

from embedded_aws.bridge import functions
from embedded_aws.bridge.service_calls import call
from embedded_aws.cloudformation.requests.template_urls import locate
from embedded_aws.errors import ServiceCallError
from embedded_aws.services.service_catalog import state
from embedded_aws.services.service_catalog.state import Record

Template = dict[str, Any]
Rules = dict[str, Any]

_LIMITS = (
    "AllowedPattern",
    "ConstraintDescription",
    "MaxLength",
    "MinLength",
    "MaxValue",
    "MinValue",
)


def load(url: str, *, validate: bool) -> str:
    """The template at an S3 URL; with `validate`, CloudFormation validates it."""
    place = locate(url)
    if place is None or not place[0] or not place[1]:
        raise state.invalid(f"LoadTemplateFromURL must be the URL of an S3 object: {url}")
    try:
        if validate:
            call("cloudformation", "ValidateTemplate", TemplateURL=url)
        return str(call("s3", "GetObject", Bucket=place[0], Key=place[1])["Body"])
    except ServiceCallError as problem:
        raise state.invalid(f"Invalid templateBody. {problem}") from problem


def of_stack(stack_arn: str) -> str:
    """The template of an existing stack."""
    try:
        body = call("cloudformation", "GetTemplate", StackName=stack_arn)["TemplateBody"]
    except ServiceCallError as problem:
        raise state.invalid(f"Invalid physical id. {problem}") from problem
    return body if isinstance(body, str) else json.dumps(body)


def parameters(body: str, rules: Rules | None = None) -> list[Record]:
    """The parameters in the form of DescribeProvisioningParameters. A rule without a condition that allows only
    listed values of a parameter restricts the allowed values; every other rule is evaluated at launch.
    """
    declared = functions.parse_template(body).get("Parameters") or {}
    narrowed = _admitted(rules or {})
    return [_parameter(name, declared[name], narrowed.get(name)) for name in declared]


def _parameter(name: str, declaration: Record, admitted: list[str] | None) -> Record:
    limits: Record = {key: str(declaration[key]) for key in _LIMITS if key in declaration}
    allowed = [_text(value) for value in declaration.get("AllowedValues", ())]
    if admitted is not None:
        allowed = [v for v in allowed if v in admitted] if allowed else admitted
    if allowed:
        limits["AllowedValues"] = allowed
    shown = {
        "ParameterKey": name,
        "ParameterType": declaration.get("Type", "String"),
        "IsNoEcho": _text(declaration.get("NoEcho", False)) == "true",
        "ParameterConstraints": limits,
    }
    if "Default" in declaration:
        shown["DefaultValue"] = _text(declaration["Default"])
    if "Description" in declaration:
        shown["Description"] = declaration["Description"]
    return shown


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _admitted(rules: Rules) -> dict[str, list[str]]:
    """The values that unconditional {"Fn::Contains": [[…], {"Ref": …}]} leave, by parameter."""
    admitted: dict[str, list[str]] = {}
    for rule in rules.values():
        if "RuleCondition" in rule:
            continue
        for assertion in rule["Assertions"]:
            values, name = _contained(assertion["Assert"])
            if name:
                before = admitted.get(name, values)
                admitted[name] = [value for value in values if value in before]
    return admitted


def _contained(assertion: Any) -> tuple[list[str], str]:
    match assertion:
        case {"Fn::Contains": [[*values], {"Ref": str(name)}]}:
            return [_text(value) for value in values], name
    return [], ""


def outputs(body: str) -> list[Record]:
    """The outputs that a launch will have, as DescribeProvisioningParameters shows them."""
    declared = functions.parse_template(body).get("Outputs") or {}
    return [
        {"Key": name, "Description": output.get("Description", "")}
        for name, output in declared.items()
    ]


def check_rules(rules: Any) -> None:
    """Refuse text that is not a valid Rules section of a template."""
    try:
        functions.check_rules({"Rules": rules})
    except ValueError as problem:
        raise state.invalid(str(problem)) from problem
    if not rules or not all(_is_rule(rule) for rule in rules.values()):
        raise state.invalid("Rules must map names to rules, each with Assertions with an Assert.")


def _is_rule(rule: Any) -> bool:
    assertions = rule.get("Assertions") if isinstance(rule, dict) else None
    if not isinstance(assertions, list) or not assertions:
        return False
    return all(isinstance(one, dict) and "Assert" in one for one in assertions)


def with_rules(body: str, rules: Rules) -> str:
    """The template with the rules of its TEMPLATE constraints."""
    if not rules:
        return body
    template = functions.parse_template(body)
    return json.dumps({**template, "Rules": {**(template.get("Rules") or {}), **rules}})


def rule_name(constraint: str, name: str) -> str:
    """A rule name that the template does not use; names of rules are alphanumeric."""
    return re.sub(r"\W|_", "", f"{constraint}{name}")
