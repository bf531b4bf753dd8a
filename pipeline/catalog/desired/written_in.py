"""Write the value of a parameter into a template, and remove the parameter."""

from __future__ import annotations

from typing import Any

# In the description of a version whose template has no parameter for source and boundary: since release 1.2.0.
WRITTEN_IN_TEXT = "source and boundary written in"


def without_parameter(body: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """Return the template with a value in place of a parameter.

    ``value`` is text for Fn::Sub, and can name pseudo parameters. The condition ``Has…`` of the parameter becomes its
    result for this value: CloudFormation documents no Fn::Sub within a condition.
    """
    if name not in body["Parameters"]:
        return body
    del body["Parameters"][name]
    interface = body["Metadata"]["AWS::CloudFormation::Interface"]
    del interface["ParameterLabels"][name]
    for group in interface["ParameterGroups"]:
        group["Parameters"] = [known for known in group["Parameters"] if known != name]
    interface["ParameterGroups"] = [
        group for group in interface["ParameterGroups"] if group["Parameters"]
    ]
    condition = f"Has{name}"
    if condition in body.get("Conditions", {}):
        del body["Conditions"][condition]
        body = _chosen(body, condition, bool(value))
    written: dict[str, Any] = _written(body, name, value)
    return written


def _chosen(part: Any, condition: str, holds: bool) -> Any:
    """A part of a template, with every condition that is always true, or always false, resolved."""
    if isinstance(part, list):
        return [_chosen(item, condition, holds) for item in part]
    if not isinstance(part, dict):
        return part
    if "Fn::If" in part and part["Fn::If"][0] == condition:
        return _chosen(part["Fn::If"][1 if holds else 2], condition, holds)
    return {key: _chosen(item, condition, holds) for key, item in part.items()}


def _written(part: Any, name: str, value: str) -> Any:
    if part == {"Ref": name}:
        return substitution(value)
    if isinstance(part, list):
        return [_written(item, name, value) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _written(item, name, value) for key, item in part.items()}
    if "Fn::Sub" in found:
        text, reference = found["Fn::Sub"], f"${{{name}}}"
        if isinstance(text, list):
            return {"Fn::Sub": [text[0].replace(reference, value), *text[1:]]}
        return substitution(text.replace(reference, value))
    return found


def substitution(text: str) -> str | dict[str, str]:
    """Fn::Sub of a text, or the text alone: cfn-lint rejects a Sub without a variable."""
    return {"Fn::Sub": text} if "${" in text else text
