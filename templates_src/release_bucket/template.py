"""The bucket for the releases of a region. Its objects never change and are never deleted."""

from __future__ import annotations

from awacs import s3 as s3_actions
from awacs.aws import (
    Action,
    Allow,
    Bool,
    Condition,
    Deny,
    Null,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import If, Ref, Sub
from troposphere.s3 import (
    Bucket,
    BucketPolicy,
    LifecycleConfiguration,
    LifecycleRule,
    VersioningConfiguration,
)

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import PROJECT
from templates_src.core.private_bucket import ABORT_UPLOADS, private_bucket

NAME = "release-bucket"
# The prefix of the name; the account and the region follow.
RELEASE_BUCKET_PREFIX = "carbon-connect-releases"

BUCKET_NAME = Declaration(
    name="ReleaseBucketName",
    group=groups.RELEASE,
    label="Release bucket",
    description=f"Name of the bucket; empty for {RELEASE_BUCKET_PREFIX}-ACCOUNT-REGION. Another name creates another bucket; the old one stays.",
    default="",
    pattern=r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?",
    message="ReleaseBucketName must be empty, or 3 to 63 lower-case letters, digits, hyphens and periods.",
)
ORGANIZATION_ID = Declaration(
    name="OrganizationId",
    group=groups.RELEASE,
    label="Organization",
    description="ID of the AWS organization whose accounts launch from this bucket; empty for this account only.",
    default="",
    pattern=r"(o-[a-z0-9]{10,32})?",
    message="OrganizationId must be empty or the ID of an AWS organization, such as o-a1b2c3d4e5.",
)


def release_bucket() -> Layer:
    """The template, deployed once per account and region."""
    layer = Layer(NAME, "Carbon Connect: the bucket of the releases", common=(PROJECT,))
    bucket = add_bucket(layer)
    add_policy(layer, bucket)
    layer.output("ReleaseBucket", Ref(bucket), "Name of the bucket of the releases", public=True)
    return layer


def add_bucket(layer: Layer) -> Bucket:
    """The bucket, retained: running environments are updated and rolled back from releases of any age.

    Only incomplete uploads expire; noncurrent versions do not. It has no Object Lock: a lock cannot be removed, so a
    release that contains a secret could not be deleted.
    """
    return layer.add(
        Bucket(
            "Bucket",
            # A failed creation leaves an empty bucket, which blocks the next attempt.
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
            BucketName=If(
                layer.has(BUCKET_NAME),
                layer.parameter(BUCKET_NAME),
                Sub(f"{RELEASE_BUCKET_PREFIX}-${{AWS::AccountId}}-${{AWS::Region}}"),
            ),
            **private_bucket(),
            VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
            LifecycleConfiguration=LifecycleConfiguration(
                Rules=[
                    LifecycleRule(
                        Id="abort-uploads",
                        Status="Enabled",
                        AbortIncompleteMultipartUpload=ABORT_UPLOADS,
                    )
                ]
            ),
        )
    )


def add_policy(layer: Layer, bucket: Bucket) -> BucketPolicy:
    """The bucket policy: only TLS, objects are written once and never deleted, and the organization reads if one is given."""
    return layer.add(
        BucketPolicy(
            "BucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=If(
                layer.has(ORGANIZATION_ID),
                iam.document(*restrictions(bucket), read_by_organization(layer, bucket)),
                iam.document(*restrictions(bucket)),
            ),
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
        )
    )


def restrictions(bucket: Bucket) -> tuple[Statement, ...]:
    """Denials, also for administrators of the account. They can change the policy first, which CloudTrail records."""
    return (iam.tls_only(bucket), write_once(bucket), keep_all(bucket))


def write_once(bucket: Bucket) -> Statement:
    """Deny writing over an existing object: S3 refuses a write without If-None-Match.

    The second key exempts the parts of a multipart upload, which do not support the header; its completion does. Copies
    into the bucket are also refused.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
    """
    return Statement(
        Sid="WriteOnce",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[s3_actions.PutObject],
        Resource=[objects(bucket)],
        Condition=Condition(
            [Null({"s3:if-none-match": "true"}), Bool({"s3:ObjectCreationOperation": "true"})]
        ),
    )


def keep_all(bucket: Bucket) -> Statement:
    """Deny deletion: after it, a key could be written again with other content."""
    return Statement(
        Sid="KeepAll",
        Effect=Deny,
        Principal=Principal("*"),
        Action=[s3_actions.DeleteObject, s3_actions.DeleteObjectVersion],
        Resource=[objects(bucket)],
    )


def read_by_organization(layer: Layer, bucket: Bucket) -> Statement:
    """Let the launch roles of the organization's accounts read releases, without listing.

    The principal is ``*``, limited by the condition: S3 does not treat that as public.
    """
    return Statement(
        Sid="OrganizationReads",
        Effect=Allow,
        Principal=Principal("*"),
        Action=[s3_actions.GetObject, Action("s3", "GetObjectVersion")],
        Resource=[objects(bucket)],
        Condition=Condition(StringEquals({"aws:PrincipalOrgID": layer.parameter(ORGANIZATION_ID)})),
    )


def objects(bucket: Bucket) -> Sub:
    """ARN of every object of the bucket."""
    return Sub(f"${{{bucket.title}.Arn}}/*")
