"""Operators that add what a resource should not have: a password, another port, a wrong name, a setting, deletion protection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.mutation.schema_nodes import Path, Schema
from tests.relations.schemas import identifier

Addition = tuple[str, Path, Any]
PASSWORD_NAME = "SMTP_PASSWORD"
PASSWORD = "{{resolve:secretsmanager:smtp:SecretString:password}}"
# Services that refuse a name with a hyphen at its end, or with two in a row.
HYPHENATED = re.compile(r"AWS::(ElastiCache|RDS)::")
# Secrets Manager appends such an ending to the name of a secret in its ARN.
LIKE_A_SUFFIX = "smtp-abcdef"
SETTING = re.compile(r"^[A-Z_]+=.*\n", re.MULTILINE)
UNREAD_SETTING = "UNREAD=1\n"
# What EC2 accepts, in bytes: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
USER_DATA_BYTES = 16_384
PROTECTION = ("DeletionProtection", "DeletionProtectionEnabled")
PROTECTED_BALANCER = {"Key": "deletion_protection.enabled", "Value": "true"}


def additions(body: dict[str, Any], schema: Schema) -> Iterator[Addition]:
    """Operator, path from the resource, and new value of each addition."""
    kind, properties = body["Type"], body.get("Properties", {})
    yield from passwords(kind, properties)
    yield from host_ports(properties)
    yield from names(kind, properties)
    yield from protection(properties, schema)
    if kind == "AWS::EC2::LaunchTemplate":
        yield from user_data(properties)


def passwords(kind: str, properties: dict[str, Any]) -> Iterator[Addition]:
    """A variable with a password, in a container and in a function."""
    for position, container in enumerate(properties.get("ContainerDefinitions", ())):
        path = ("Properties", "ContainerDefinitions", position, "Environment")
        variable = {"Name": PASSWORD_NAME, "Value": PASSWORD}
        yield "add a password", path, [*container.get("Environment", ()), variable]
    if kind == "AWS::Lambda::Function":
        variables = {**properties.get("Environment", {}).get("Variables", {})}
        variables[PASSWORD_NAME] = PASSWORD
        yield "add a password", ("Properties", "Environment"), {"Variables": variables}


def host_ports(properties: dict[str, Any]) -> Iterator[Addition]:
    """A host port that is not the port of the container."""
    for position, container in enumerate(properties.get("ContainerDefinitions", ())):
        for number, mapping in enumerate(container.get("PortMappings", ())):
            path = ("Properties", "ContainerDefinitions", position, "PortMappings", number)
            yield "another host port", (*path, "HostPort"), int(mapping["ContainerPort"]) + 1


def names(kind: str, properties: dict[str, Any]) -> Iterator[Addition]:
    """Names that the service refuses, or that an ARN makes ambiguous."""
    if HYPHENATED.match(kind):
        for key in sorted(identifier(kind) & properties.keys()):
            value = properties[key]
            if isinstance(value, str):
                yield "end with a hyphen", ("Properties", key), f"{value}-"
                yield "two hyphens", ("Properties", key), value.replace("-", "--", 1)
    if kind == "AWS::SecretsManager::Secret":
        yield "name like a suffix", ("Properties", "Name"), LIKE_A_SUFFIX


def protection(properties: dict[str, Any], schema: Schema) -> Iterator[Addition]:
    """Protection from deletion, which stops the rollback of a first launch."""
    known = schema.document.get("properties", {})
    for key in PROTECTION:
        if key in known and key not in properties:
            yield "protect from deletion", ("Properties", key), True
    if "LoadBalancerAttributes" in known:
        attributes = [*properties.get("LoadBalancerAttributes", ()), PROTECTED_BALANCER]
        yield "protect from deletion", ("Properties", "LoadBalancerAttributes"), attributes


def user_data(properties: dict[str, Any]) -> Iterator[Addition]:
    """Boot settings that nobody reads or that are missing, and user data that EC2 refuses."""
    path = ("Properties", "LaunchTemplateData", "UserData")
    data = properties["LaunchTemplateData"]["UserData"]
    header, script = data["Fn::Base64"]["Fn::Join"][1]
    text = header["Fn::Sub"]

    def with_parts(changed: str, end: str = script) -> dict[str, Any]:
        return {"Fn::Base64": {"Fn::Join": ["", [{"Fn::Sub": changed}, end]]}}

    first = SETTING.search(text)
    if first:
        yield (
            "add a setting",
            path,
            with_parts(text[: first.start()] + UNREAD_SETTING + text[first.start() :]),
        )
    for found in SETTING.finditer(text):
        yield "drop a setting", path, with_parts(text[: found.start()] + text[found.end() :])
    yield "past the length", path, with_parts(text, script + "#" * USER_DATA_BYTES)
