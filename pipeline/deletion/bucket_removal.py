"""Retained buckets that the data layer's function deletes with the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.changes.updates.facts import BUCKET
from pipeline.deletion.contents import Contents, StackResource
from pipeline.deletion.kinds import EMPTY, Look
from templates_src.data import bucket_removal as removal


def removed_buckets(
    contents: Contents, looks: Mapping[str, Look]
) -> Iterator[tuple[StackResource, str]]:
    """Buckets that the function deletes although the template retains them, and what happens to their objects."""
    for resource in contents.resources:
        if resource.kind != BUCKET or not resource.is_retained or resource.is_gone:
            continue
        seen = looks.get(str(resource))
        if not _is_managed(contents, resource):
            continue
        if seen and seen.size == EMPTY:
            yield resource, EMPTY
        elif resource.values.get(removal.BUCKET_REMOVAL.name) == removal.EMPTY:
            yield resource, "with every object and old version in it"


def _is_managed(contents: Contents, bucket: StackResource) -> bool:
    """Whether the stack of a bucket has a custom resource that deletes it."""
    reference = {"Ref": bucket.logical_id}
    return any(
        each.stack == bucket.stack
        and each.logical_id == removal.BUCKET_CLEANUP
        and reference in each.properties.get("Buckets", [])
        for each in contents.resources
    )
