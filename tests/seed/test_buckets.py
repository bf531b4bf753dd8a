"""Service Details: S3 Buckets."""

from collections.abc import Mapping
from typing import Any

from pipeline.checks.render import Rendered
from tests.rendering import id_of, named, single
from tests.seed.rendered_architecture import service

# Rules that change a current object; a bucket without a lifecycle has none.
CURRENT = {
    "Transition",
    "Transitions",
    "ExpirationInDays",
    "ExpirationDate",
}


def bucket(rendered: Rendered, logical_id: str) -> Mapping[str, Any]:
    """Properties of a bucket."""
    return named(rendered, logical_id).properties


def lifecycle(rendered: Rendered, logical_id: str) -> list[Mapping[str, Any]]:
    """The rules of a bucket that are on."""
    rules = bucket(rendered, logical_id)["LifecycleConfiguration"]["Rules"]
    return [rule for rule in rules if rule["Status"] == "Enabled"]


def test_documents_go_to_intelligent_tiering_and_then_to_glacier(rendered: Rendered) -> None:
    name = bucket(rendered, "DocumentsBucket")["BucketName"]
    assert name == f"carbon-connect-{rendered.environment}-documents"
    variables = service(rendered, "Api").variables
    assert id_of(rendered, "compute", variables["DOCUMENTS_BUCKET"]) == "DocumentsBucket"
    rule = single(
        (rule for rule in lifecycle(rendered, "DocumentsBucket") if CURRENT & set(rule)),
        "the rules that move documents",
    )
    # Every object of 128 KB or more, without a filter by prefix, tag or size.
    lifecycles = bucket(rendered, "DocumentsBucket")["LifecycleConfiguration"]
    assert lifecycles["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    assert not {"Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"} & set(rule)
    days = {step["StorageClass"]: int(step["TransitionInDays"]) for step in rule["Transitions"]}
    assert sorted(days, key=lambda kind: days[kind]) == ["INTELLIGENT_TIERING", "GLACIER"]


def test_media_stay_standard(rendered: Rendered) -> None:
    name = bucket(rendered, "MediaBucket")["BucketName"]
    assert name == f"carbon-connect-{rendered.environment}-media"
    variables = service(rendered, "Api").variables
    assert id_of(rendered, "compute", variables["MEDIA_BUCKET"]) == "MediaBucket"
    assert not any(CURRENT & set(rule) for rule in lifecycle(rendered, "MediaBucket"))


def test_both_buckets_are_private_and_encrypted(rendered: Rendered) -> None:
    for logical_id in ("DocumentsBucket", "MediaBucket"):
        properties = bucket(rendered, logical_id)
        assert properties["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
