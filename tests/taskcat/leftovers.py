"""What a test leaves when its stacks are deleted: nothing but what its templates retain."""

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

# What a service keeps of a resource that CloudFormation deletes with DeletionPolicy Snapshot.
SNAPSHOTS: Mapping[str, str] = {
    "AWS::RDS::DBInstance": "AWS::RDS::DBSnapshot",
    "AWS::ElastiCache::ReplicationGroup": "AWS::ElastiCache::Snapshot",
}
# taskcat's own, one a region, which the next run uses again.
TASKCAT_BUCKET = re.compile(r"tcat-[0-9a-f]{32}-")


@dataclass(frozen=True)
class Kept:
    """What the templates of some stacks retain: things by type and identity, and how many snapshots of each type."""

    things: Inventory
    snapshots: Counter[str]


def kept_by(cloudformation: Any, stack: str) -> Iterator[tuple[str, str, str]]:
    """Policy, type and physical ID of what a stack, or one nested in it, does not delete with itself."""
    for each in family(cloudformation, stack):
        declared = cloudformation.get_template(StackName=each)["TemplateBody"]["Resources"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=each):
            for listed in page["StackResourceSummaries"]:
                kind, name = listed["ResourceType"], listed.get("PhysicalResourceId", "")
                policy = declared[listed["LogicalResourceId"]].get("DeletionPolicy", "Delete")
                if name and policy != "Delete" and kind != NESTED:
                    yield policy, kind, name


def kept(aws: Aws, stacks: list[str]) -> Kept:
    """What stacks of a region retain, of what can be listed; asked while they are there."""
    cloudformation = aws.client("cloudformation")
    found = [entry for stack in stacks for entry in kept_by(cloudformation, stack)]
    return Kept(
        frozenset(
            (kind, name)
            for policy, kind, name in found
            if policy.startswith("Retain") and kind in LISTINGS
        ),
        Counter(SNAPSHOTS[kind] for policy, kind, _ in found if policy == "Snapshot"),
    )


def leftovers(aws: Aws, before: Inventory, expected: Kept, elsewhere: Inventory) -> Iterator[str]:
    """What is there and should not be, and what is not and should, a sentence each.

    ``elsewhere`` is what stacks of other regions retain: buckets are listed in every region.
    """
    new = inventory(aws) - before
    snapshots = {entry for entry in new if entry[0] in SNAPSHOTS.values()}
    for kind, name in sorted(new - snapshots - expected.things - elsewhere):
        if not (kind == "AWS::S3::Bucket" and TASKCAT_BUCKET.match(name)):
            yield f"{kind} {name} is left in {aws.region} after its stack was deleted"
    for kind, name in sorted(expected.things - new):
        yield f"{kind} {name} was to be retained in {aws.region} and is gone"
    counted = Counter(kind for kind, _ in snapshots)
    for kind in sorted(SNAPSHOTS.values()):
        if counted[kind] != expected.snapshots[kind]:
            yield f"{counted[kind]} of {kind} are left in {aws.region}, not {expected.snapshots[kind]}"
