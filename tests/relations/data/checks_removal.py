"""The removal of documents and media: by one role, where it is chosen, of the buckets of the stack."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.checks.render import Rendered
from templates_src.data.bucket_removal import BUCKET_REMOVAL, EMPTY
from tests.relations.registry import relation
from tests.relations.text import listed, text_of
from tests.rendering import resources_of_type, role_statements

# What removes an object for good: a deletion that names no version leaves a delete marker in a bucket with versions.
REMOVAL = "s3:DeleteObjectVersion"
ROLE = "BucketRemovalRole"


@relation
def buckets_are_emptied_only_where_it_is_chosen(rendered: Rendered) -> Iterator[str]:
    """With BucketRemoval=retain no role may delete a version of an object; with empty, only the role of the function may."""
    chosen = rendered.parameters["data"][BUCKET_REMOVAL.name] == EMPTY
    removing = {
        role.logical_id
        for role in resources_of_type(rendered, "AWS::IAM::Role")
        for _, statement in role_statements(rendered, role.logical_id)
        if statement["Effect"] == "Allow"
        and REMOVAL in map(text_of, listed(statement.get("Action")))
    }
    for role in sorted(removing - ({ROLE} if chosen else set())):
        yield f"{role} may delete versions of objects for good."
