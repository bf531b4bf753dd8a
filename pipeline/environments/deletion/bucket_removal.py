"""Retained buckets that the data layer's function deletes with the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.changes.updates.facts import BUCKET
from pipeline.environments.deletion.contents import Contents, StackResource
from pipeline.environments.deletion.kinds import EMPTY, Look
from templates_src.data import bucket_removal as removal


def removed_buckets(
    contents: Contents, looks: Mapping[str, Look]
) -> Iterator[tuple[StackResource, str]]:
    """Buckets that the function deletes although the template retains them, and what happens to their objects.

    The function deletes the empty buckets of a stack together or not at all.
    """
    managed = [
        resource
        for resource in contents.resources
        if resource.kind == BUCKET
        and resource.is_retained
        and not resource.is_gone
        and _is_managed(contents, resource)
    ]
    empty = {str(each) for each in managed if (look := looks.get(str(each))) and look.size == EMPTY}
    for resource in managed:
        if resource.values.get(removal.BUCKET_REMOVAL.name) == removal.EMPTY:
            content = EMPTY if str(resource) in empty else "with every object and old version"
            yield resource, content
        elif all(str(each) in empty for each in managed if each.stack == resource.stack):
            yield resource, EMPTY


def _is_managed(contents: Contents, bucket: StackResource) -> bool:
    """Whether the stack of a bucket has a custom resource that deletes it."""
    reference = {"Ref": bucket.logical_id}
    return any(
        each.stack == bucket.stack
        and each.logical_id == removal.BUCKET_CLEANUP
        and reference in each.properties.get("Buckets", [])
        for each in contents.resources
    )
