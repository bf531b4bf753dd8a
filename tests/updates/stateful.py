"""Resources with data in the templates: by type, and by their deletion policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from templates_src.environment import ROOT, stack_title
from tests.relations.data.checks_data import ONCE_LAUNCHED, RETAIN, SNAPSHOT, STATEFUL

Templates = Mapping[str, Mapping[str, Any]]
KEPT = {RETAIN, ONCE_LAUNCHED, SNAPSHOT}
# docs/data-safety.md, "At a glance", has a line for each of them.
HOLDING = {*STATEFUL, "AWS::Logs::LogGroup", "AWS::Route53::HostedZone"}
NESTED = "AWS::CloudFormation::Stack"


def is_stateful(resource: Mapping[str, Any]) -> bool:
    """Whether a new resource in its place would lack data."""
    policies = {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")}
    return resource["Type"] in HOLDING or bool(policies & KEPT)


def stateful(templates: Templates) -> Iterator[tuple[str, str]]:
    """Layer and logical ID of all resources with data; for the root, its nested stacks."""
    for layer, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            if is_stateful(resource) or (layer, resource["Type"]) == (ROOT, NESTED):
                yield layer, logical_id


def names(templates: Templates) -> frozenset[str]:
    """The resources of an environment with data, such as Data.Database."""
    return frozenset(
        f"{stack_title(layer)}.{logical_id}"
        for layer, logical_id in stateful(templates)
        if layer != ROOT
    )
