"""The parts of a region that an environment uses, read from the rendered environment, so that conditions count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.checks.render import Rendered

# Features whose regions no schema states: name, type, path of the value, value. ``*`` is every entry of a list.
UNTOLD: tuple[tuple[str, str, str, str], ...] = (
    (
        "Fargate Spot",
        "AWS::ECS::Service",
        "CapacityProviderStrategy/*/CapacityProvider",
        "FARGATE_SPOT",
    ),
    (
        "Fargate on ARM64",
        "AWS::ECS::TaskDefinition",
        "RuntimePlatform/CpuArchitecture",
        "ARM64",
    ),
    ("Lambda on ARM64", "AWS::Lambda::Function", "Architectures/*", "arm64"),
    ("PostgreSQL 16", "AWS::RDS::DBInstance", "EngineVersion", "16"),
    ("Valkey serverless", "AWS::ElastiCache::ServerlessCache", "Engine", "valkey"),
    ("Valkey nodes", "AWS::ElastiCache::ReplicationGroup", "Engine", "valkey"),
    (
        "AWS's managed rules of WAF",
        "AWS::WAFv2::WebACL",
        "Rules/*/Statement/ManagedRuleGroupStatement/VendorName",
        "AWS",
    ),
    ("gp3 volumes", "AWS::EC2::Volume", "VolumeType", "gp3"),
    (
        "the image of Amazon Linux 2023 for ARM64",
        "AWS::EC2::LaunchTemplate",
        "LaunchTemplateData/ImageId",
        "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
    ),
)


class Used(NamedTuple):
    """A resource of an environment."""

    kind: str
    logical_id: str
    properties: Mapping[str, Any]


def resources(rendered: Rendered) -> Iterator[Used]:
    """Every resource of every layer."""
    for template in rendered.layers.values():
        for logical_id, body in template["Resources"].items():
            yield Used(body["Type"], logical_id, body.get("Properties", {}))


def unlisted(rendered: Rendered) -> list[str]:
    """The features that the environment uses and whose regions no schema states."""
    used = list(resources(rendered))
    return [
        name
        for name, kind, way, value in UNTOLD
        if any(each.kind == kind and value in values_at(each.properties, way) for each in used)
    ]


def values_at(value: Any, way: str) -> list[Any]:
    """The values at a path such as ``Rules/*/Name``; empty if the path does not exist."""
    for step in way.split("/"):
        if step == "*":
            items = value if isinstance(value, list) else []
            rest = way.partition("*")[2].lstrip("/")
            return [
                found for item in items for found in (values_at(item, rest) if rest else [item])
            ]
        if not isinstance(value, Mapping) or step not in value:
            return []
        value = value[step]
    return [value]


def zones_needed(rendered: Rendered) -> int:
    """The number of zones of the region that the subnets use."""
    places = [
        each.properties["AvailabilityZone"]
        for each in resources(rendered)
        if each.kind == "AWS::EC2::Subnet" and "AvailabilityZone" in each.properties
    ]
    counted = [int(place["Fn::Select"][0]) + 1 for place in places if isinstance(place, Mapping)]
    # A local zone, such as us-west-2-lax-1a, is not a zone of the region. The letters of the zones differ by account.
    own = re.compile(re.escape(rendered.region) + "[a-z]")
    named = {place for place in places if isinstance(place, str) and own.fullmatch(place)}
    return max(len(named), *counted, 0)


def texts(value: Any) -> Iterator[str]:
    """Every text within a value."""
    match value:
        case str():
            yield value
        case Mapping():
            for part in value.values():
                yield from texts(part)
        case list():
            for part in value:
                yield from texts(part)
