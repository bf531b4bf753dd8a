"""The list of a deletion names the buckets that the function of the data layer deletes, as the function does it."""

from __future__ import annotations

import pytest

from pipeline.environments.deletion.bucket_removal import removed_buckets
from pipeline.environments.deletion.contents import Contents, StackResource
from pipeline.environments.deletion.kinds import EMPTY, Look

DOCUMENTS, MEDIA = "Data.DocumentsBucket", "Data.MediaBucket"


def contents(removal: str) -> Contents:
    """A data layer with both buckets and the custom resource that deletes them."""
    values = {"BucketRemoval": removal}

    def resource(name: str, kind: str, policy: str, properties: dict[str, object]) -> StackResource:
        return StackResource(
            "Data", name, kind, name.lower(), "CREATE_COMPLETE", policy, properties, values
        )

    names = ("DocumentsBucket", "MediaBucket")
    return Contents(
        {"StackName": "dev"},
        "",
        (
            *(resource(name, "AWS::S3::Bucket", "RetainExceptOnCreate", {}) for name in names),
            resource(
                "BucketCleanup",
                "Custom::BucketCleanup",
                "Delete",
                {"Buckets": [{"Ref": name} for name in names]},
            ),
        ),
        True,
    )


@pytest.mark.parametrize(
    ("removal", "documents", "media", "listed"),
    [
        ("retain", EMPTY, EMPTY, {DOCUMENTS, MEDIA}),
        ("retain", "not empty", EMPTY, set()),
        ("retain", EMPTY, "", set()),
        ("empty", "not empty", EMPTY, {DOCUMENTS, MEDIA}),
    ],
)
def test_both_buckets_go_or_neither(
    removal: str, documents: str, media: str, listed: set[str]
) -> None:
    looks = {DOCUMENTS: Look(True, documents), MEDIA: Look(True, media)}

    found = {str(bucket) for bucket, _ in removed_buckets(contents(removal), looks)}

    assert found == listed
