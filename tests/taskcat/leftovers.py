"""Resources that a test leaves after the deletion of its stacks: only those that its templates retain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws
from taskcat_plugin_protection import NESTED
from tests.launches.inventory import LISTINGS, Inventory, inventory
from tests.taskcat.contract import family

# The snapshots of resources that CloudFormation deletes with DeletionPolicy Snapshot.
SNAPSHOTS: Mapping[str, str] = {
    "AWS::RDS::DBInstance": "AWS::RDS::DBSnapshot",
    "AWS::ElastiCache::ReplicationGroup": "AWS::ElastiCache::Snapshot",
}
# The bucket of taskcat, one per region, which the next run uses again.
TASKCAT_BUCKET = re.compile(r"tcat-[0-9a-f]{32}-")


@dataclass(frozen=True)
class Kept:
    """The resources that the templates of some stacks retain, by type and identity, and the number of snapshots of each type."""

    things: Inventory
    snapshots: Counter[str]


def kept_by(cloudformation: Any, stack: str) -> Iterator[tuple[str, str, str]]:
    """Policy, type and physical ID of the resources that a stack, or one nested in it, retains."""
    for each in family(cloudformation, stack):
        declared = cloudformation.get_template(StackName=each)["TemplateBody"]["Resources"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=each):
            for listed in page["StackResourceSummaries"]:
                kind, name = listed["ResourceType"], listed.get("PhysicalResourceId", "")
                policy = declared[listed["LogicalResourceId"]].get("DeletionPolicy", "Delete")
                if name and policy != "Delete" and kind != NESTED:
                    yield policy, kind, name


def kept(aws: Aws, stacks: list[str]) -> Kept:
    """The resources that stacks of a region retain, of those that can be listed; read while the stacks exist."""
    cloudformation = aws.client("cloudformation")
    found = [entry for stack in stacks for entry in kept_by(cloudformation, stack)]
    return Kept(
        frozenset(
            (kind, name)
            for policy, kind, name in found
            if policy.startswith("Retain") and kind in LISTINGS
            # taskcat stores no object in them, and the function of the data layer deletes empty buckets.
            if (policy, kind) != ("RetainExceptOnCreate", "AWS::S3::Bucket")
        ),
        Counter(SNAPSHOTS[kind] for policy, kind, _ in found if policy == "Snapshot"),
    )


def leftovers(aws: Aws, before: Inventory, expected: Kept, elsewhere: Inventory) -> Iterator[str]:
    """Unexpected and missing resources, one sentence each.

    ``elsewhere`` are the retained resources of stacks in other regions, because buckets are listed in every region.
    """
    new = inventory(aws) - before
    snapshots = {entry for entry in new if entry[0] in SNAPSHOTS.values()}
    for kind, name in sorted(new - snapshots - expected.things - elsewhere):
        if not (kind == "AWS::S3::Bucket" and TASKCAT_BUCKET.match(name)):
            yield f"{kind} {name} is left in {aws.region} after its stack was deleted"
    for kind, name in sorted(expected.things - new):
        yield f"{kind} {name} must be retained in {aws.region} and does not exist"
    counted = Counter(kind for kind, _ in snapshots)
    for kind in sorted(SNAPSHOTS.values()):
        if counted[kind] != expected.snapshots[kind]:
            yield f"{counted[kind]} of {kind} are left in {aws.region}, not {expected.snapshots[kind]}"
