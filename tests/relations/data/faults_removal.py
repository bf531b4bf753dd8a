"""Faults in the removal of documents and media."""

from __future__ import annotations

from tests.relations.data import checks_removal as removal
from tests.relations.planting import put
from tests.relations.registry import Fault

ACTIONS = "Policies/0/PolicyDocument/Statement/2/Action"

FAULTS = (
    Fault(
        "a function that may empty buckets that stay",
        removal.buckets_are_emptied_only_where_it_is_chosen,
        "BucketRemovalRole may delete versions",
        put("BucketRemovalRole", ACTIONS, ["s3:DeleteBucket", "s3:DeleteObjectVersion"]),
    ),
    Fault(
        "a worker that may delete versions",
        removal.buckets_are_emptied_only_where_it_is_chosen,
        "WorkerTaskRole may delete versions",
        put(
            "WorkerBucketAccess",
            "PolicyDocument/Statement/0/Action",
            ["s3:GetObject", "s3:DeleteObjectVersion"],
        ),
        "complete dev",
    ),
)
