"""The calls that the policies of an environment's roles allow, as requests for a permissions boundary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from pipeline.aws import partition_of
from pipeline.checks.iam.conditions import clauses_of, listed
from pipeline.checks.iam.policies import Request
from pipeline.checks.render import Rendered
from pipeline.template.example_values import example
from tests.rendering import VARIABLE, resources_of_type, role_statements

EXAMPLE_OF_MEDIA = re.compile(r"(?<=:::)mediabucket-[0-9a-f]+")
ROLE = "AWS::IAM::Role"
# The actions of a wildcard.
UNFOLDED = {"kms:ReEncrypt*": ("kms:ReEncryptFrom", "kms:ReEncryptTo")}


def roles(rendered: Rendered) -> list[str]:
    """The logical IDs of the roles of an environment."""
    return [role.logical_id for role in resources_of_type(rendered, ROLE)]


def allowed_requests(rendered: Rendered, role: str) -> Iterator[Request]:
    """A request for each action and resource of each statement that allows, with a context for each value of its conditions.

    Resources of the environment have its tags.
    """
    for layer, statement in role_statements(rendered, role):
        if statement["Effect"] != "Allow":
            continue
        contexts = []
        for asked in wanted(statement.get("Condition", {})):
            # A resource that a request creates has no tags yet.
            creates = any(key.startswith("aws:RequestTag/") for key in asked)
            contexts.append({**tags(rendered, "RequestTag" if creates else "ResourceTag"), **asked})
        for action, context in product(listed(statement["Action"]), contexts):
            for target in listed(statement["Resource"]):
                arn = resolved(rendered, layer, target)
                for name in UNFOLDED.get(action, (action,)):
                    yield Request(name, arn if arn == "*" else arn.replace("*", "x"), context)


def tags(rendered: Rendered, kind: str) -> dict[str, str]:
    """Condition keys for the tags of the environment's existing (ResourceTag) or new (RequestTag) resources."""
    given = rendered.parameters["environment"]
    return {f"aws:{kind}/{key}": given[key] for key in ("Project", "Environment")}


def wanted(condition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Contexts in which a condition is true: with the first value of each key, and with each other value."""
    first: dict[str, Any] = {}
    others = []
    for clause in clauses_of(condition):
        values = [str(one) for one in clause.values]
        if ":" in clause.operator:
            first[clause.key] = values
        else:
            first[clause.key], *more = (one.replace("*", "x") for one in values)
            others += [(clause.key, one) for one in more]
    yield first
    for key, value in others:
        yield {**first, key: value}


def resolved(rendered: Rendered, layer: str, value: Any) -> str:
    """The text of a value when the resources of its layer exist."""
    found = rendered.layers[layer]["Resources"]

    def of(logical_id: str, attribute: str | None) -> str:
        kind, properties = found[logical_id]["Type"], found[logical_id].get("Properties", {})
        name = properties.get("BucketName") or properties.get("BucketNamePrefix")
        partition = partition_of(rendered.region)
        if kind == "AWS::S3::Bucket" and name:
            return f"arn:{partition}:s3:::{name}" if attribute == "Arn" else str(name)
        return example(rendered.region, partition, layer, logical_id, kind, attribute)

    match value:
        case {"Ref": str(name)}:
            return of(name, None)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return of(name, attribute)
        case {"Fn::Sub": str(text)}:
            return VARIABLE.sub(lambda part: of(part[1], part[2]), text)
    given = rendered.parameters["environment"]
    # An output of an earlier layer is an example, with the path of roles in dev.
    text = str(value).replace(
        ":role/carbon-connect/dev/", f":role/{given['Project']}/{given['Environment']}/"
    )
    return EXAMPLE_OF_MEDIA.sub(f"{given['Project']}-{given['Environment']}-media", text)
