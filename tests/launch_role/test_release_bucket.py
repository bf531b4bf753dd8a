"""The release bucket: private, written once, never emptied, and readable only for the named accounts."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.checks.iam.policies import Request, allows, denies
from pipeline.release.upload import release_bucket_name
from pipeline.template.example_values import ACCOUNT
from templates_src.release_bucket.template import release_bucket
from tests.launch_role.evaluation import REGION, resources_of

ORGANIZATION = "o-a1b2c3d4e5"
BUCKET = f"arn:aws:s3:::{release_bucket_name(ACCOUNT, REGION)}"
OBJECT = f"{BUCKET}/carbon-connect/1.0.0-0/manifest.json"
TLS = {"aws:SecureTransport": "true"}
ONCE = {**TLS, "s3:if-none-match": "*", "s3:ObjectCreationOperation": "true"}


def statements(**given: str) -> list[dict[str, Any]]:
    """The statements of the bucket's policy, its ARN as text."""
    document = resources_of(release_bucket(), **given)["BucketPolicy"]["Properties"]
    found: list[dict[str, Any]] = document["PolicyDocument"]["Statement"]
    return [
        {**statement, "Resource": [as_text(one) for one in statement["Resource"]]}
        for statement in found
    ]


def as_text(resource: Any) -> str:
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            assert (name, attribute) == ("Bucket", "Arn")
            return BUCKET
        case {"Fn::Sub": str(text)}:
            return text.replace("${Bucket.Arn}", BUCKET)
    return str(resource)


def test_bucket_has_the_name_that_launches_use() -> None:
    for region in (REGION, "us-east-1"):
        properties = resources_of(release_bucket(), region)["Bucket"]["Properties"]
        name = f"carbon-connect-releases-{ACCOUNT}-{region}"
        assert properties["BucketName"] == release_bucket_name(ACCOUNT, region) == name
    named = resources_of(release_bucket(), ReleaseBucketName="ours")["Bucket"]["Properties"]
    assert named["BucketName"] == "ours"


def test_bucket_is_retained_and_keeps_every_version() -> None:
    bucket = resources_of(release_bucket())["Bucket"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule.keys() == {"Id", "Status", "AbortIncompleteMultipartUpload"}


def test_it_is_private() -> None:
    properties = resources_of(release_bucket())["Bucket"]["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) <= {"true", True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    ((rule,),) = properties["BucketEncryption"].values()
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
    assert properties["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }


@pytest.mark.parametrize("organization", ["", ORGANIZATION])
@pytest.mark.parametrize(
    "refused",
    [
        Request("s3:PutObject", OBJECT, {**TLS, "s3:ObjectCreationOperation": "true"}),
        Request("s3:DeleteObject", OBJECT, TLS),
        Request("s3:DeleteObjectVersion", OBJECT, TLS),
        Request("s3:GetObject", OBJECT, {"aws:SecureTransport": "false"}),
        Request("s3:ListBucket", BUCKET, {"aws:SecureTransport": "false"}),
    ],
    ids=lambda one: f"{one.action} {sorted(one.context)}",
)
def test_it_refuses(refused: Request, organization: str) -> None:
    """Also if other policies allow the caller everything."""
    assert denies(statements(OrganizationId=organization), refused)


@pytest.mark.parametrize(
    "request_",
    [
        Request("s3:PutObject", OBJECT, ONCE),
        # A part of a multipart upload, which has no object yet.
        Request("s3:PutObject", OBJECT, {**TLS, "s3:ObjectCreationOperation": "false"}),
        Request("s3:GetObject", OBJECT, TLS),
        Request("s3:ListBucket", BUCKET, TLS),
        Request("s3:PutBucketPolicy", BUCKET, TLS),
    ],
    ids=lambda one: f"{one.action} {sorted(one.context)}",
)
def test_policy_delegates_to_the_account(request_: Request) -> None:
    assert not denies(statements(), request_)
    assert not allows(statements(), request_)


def test_organization_can_only_read() -> None:
    given = statements(OrganizationId=ORGANIZATION)
    member = {**ONCE, "aws:PrincipalOrgID": ORGANIZATION}
    assert allows(given, Request("s3:GetObject", OBJECT, member))
    assert not allows(
        given, Request("s3:GetObject", OBJECT, {**TLS, "aws:PrincipalOrgID": "o-other"})
    )
    assert not allows(given, Request("s3:GetObject", OBJECT, TLS))
    assert not allows(given, Request("s3:ListBucket", BUCKET, member))
    assert not allows(given, Request("s3:PutObject", OBJECT, member))
    assert not allows(statements(), Request("s3:GetObject", OBJECT, member))
