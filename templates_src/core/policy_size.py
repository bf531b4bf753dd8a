"""The size of every policy as IAM counts it, with the longest possible values."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from templates_src.core.errors import TemplateError
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration

# IAM's quotas in characters without white space: for a managed policy, for all inline policies of a role together, and
# for a trust policy. The last is the default quota of managed policies for a role.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MAX_MANAGED = 6_144
MAX_INLINE = 10_240
MAX_TRUST = 2_048
MAX_ATTACHED = 10
# An ARN or a name that is known only at the launch. The longest that occurs is the ARN of a nested stack: a root stack
# of Service Catalog, two suffixes and a logical ID, about 190 characters.
LONGEST_VALUE = 200
LONGEST_PSEUDO = {
    "AWS::AccountId": "1" * 12,
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-1",
    "AWS::URLSuffix": "amazonaws.com.cn",
}
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


def check_policies(layers: Sequence[Layer]) -> None:
    """Compare the managed, trust and inline policies of templates that are launched together with IAM's quotas.

    Raises TemplateError for a policy that is too large, and for more managed policies than a role may have.
    """
    inline: Counter[str] = Counter()
    roles = {name: role for layer in layers for name, role in _output_roles(layer)}
    for layer in layers:
        values = longest_values(layer.declarations.values())
        for name, resource in layer.document()["Resources"].items():
            properties = resource.get("Properties", {})
            subject = f"{name} of template {layer.name}"
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                size = longest_size(properties["PolicyDocument"], values)
                _require(f"Managed policy {subject} is", size, MAX_MANAGED)
            elif resource["Type"] == "AWS::IAM::Role":
                size = longest_size(properties["AssumeRolePolicyDocument"], values)
                _require(f"The trust policy of {subject} is", size, MAX_TRUST)
                _require_attached(subject, properties.get("ManagedPolicyArns", ()))
                inline[name] += _inline_size(properties.get("Policies", ()), values)
            elif resource["Type"] == "AWS::IAM::Policy":
                for role in properties.get("Roles", ()):
                    inline[roles.get(role["Ref"], role["Ref"])] += _inline_size(
                        [properties], values
                    )
    for role_name, size in inline.items():
        _require(f"The inline policies of role {role_name} are", size, MAX_INLINE)


def longest_values(declarations: Iterable[Declaration]) -> dict[str, str]:
    """The longest value of each parameter that has a bound."""
    return {
        one.name: max((*one.allowed, "x" * (one.max_length or 0)), key=len)
        for one in declarations
        if one.allowed or one.max_length
    }


def _require(subject: str, size: int, most: int) -> None:
    if size > most:
        raise TemplateError(
            f"{subject} too large: {size:,} characters at the longest values, and IAM allows {most:,}; "
            "remove actions that are not needed, or divide it among policies."
        )


def _require_attached(subject: str, arns: Sequence[object]) -> None:
    if len(arns) > MAX_ATTACHED:
        raise TemplateError(
            f"Role {subject} has {len(arns)} managed policies, but IAM allows {MAX_ATTACHED}; join two of them."
        )


def _output_roles(layer: Layer) -> Iterator[tuple[str, str]]:
    """The outputs that are the Ref of a resource, with the resource: a later template names roles by them."""
    for name, output in layer.document().get("Outputs", {}).items():
        if isinstance(output["Value"], dict) and "Ref" in output["Value"]:
            yield name, output["Value"]["Ref"]


def _inline_size(policies: Iterable[Mapping[str, Any]], values: Mapping[str, str]) -> int:
    return sum(longest_size(policy["PolicyDocument"], values) for policy in policies)


def longest_size(document: object, values: Mapping[str, str]) -> int:
    """Characters of a document in CloudFormation's JSON.

    ``values`` contains the longest values of parameters; any other value counts as ``LONGEST_VALUE`` characters.
    """
    return len("".join(json.dumps(_Longest(values).of(document)).split()))


class _Longest:
    """Evaluates functions to the longest possible result."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = {**LONGEST_PSEUDO, **values}

    def of(self, value: Any) -> Any:
        """The value, or None if it is omitted."""
        match value:
            case {"Ref": "AWS::NoValue"}:
                return None
            case {"Ref": str(name)}:
                return self._text(name)
            case {"Fn::GetAtt": _}:
                return "x" * LONGEST_VALUE
            case {"Fn::Sub": str(text)}:
                return _VARIABLE.sub(lambda found: self._text(found[1]), text)
            case {"Fn::Sub": [str(text), dict(values)]}:
                inner = {name: str(self.of(one)) for name, one in values.items()}
                return _Longest({**self.values, **inner}).of({"Fn::Sub": text})
            case {"Fn::If": [_, yes, no]}:
                return max(self.of(yes), self.of(no), key=_length)
            case {"Fn::Split": [str(separator), source]}:
                return str(self.of(source)).split(separator)
            case (
                {"Fn::Select": _} | {"Fn::Join": _} | {"Fn::FindInMap": _} | {"Fn::ImportValue": _}
            ):
                return "x" * LONGEST_VALUE
            case dict():
                found = {key: self.of(item) for key, item in value.items()}
                return {key: item for key, item in found.items() if item is not None}
            case list():
                items = [self.of(item) for item in value]
                return [item for item in items if item is not None]
        return value

    def _text(self, name: str) -> str:
        return self.values.get(name, "x" * LONGEST_VALUE)


def _length(value: Any) -> int:
    return 0 if value is None else len(json.dumps(value))
