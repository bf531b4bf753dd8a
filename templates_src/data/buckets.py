"""The two buckets, of documents and of media, and what the tasks may do in them."""

from __future__ import annotations

from typing import Any

from awacs import s3 as s3_actions
from awacs.aws import Allow, Statement
from troposphere import Equals, GetAtt, If, NoValue, Ref, Sub
from troposphere.iam import PolicyType
from troposphere.s3 import (
    Bucket,
    BucketPolicy,
    CorsConfiguration,
    CorsRules,
    LifecycleConfiguration,
    LifecycleRule,
    LifecycleRuleTransition,
    NoncurrentVersionExpiration,
    VersioningConfiguration,
)

from templates_src.core import groups, iam
from templates_src.core.declaration import Declaration, choice, number
from templates_src.core.layer import Layer
from templates_src.core.private_bucket import ABORT_UPLOADS, private_bucket
from templates_src.core.shared import named
from templates_src.core.wiring import API_TASK_ROLE_NAME, WORKER_TASK_ROLE_NAME

GLOBAL, ACCOUNT_REGIONAL = "global", "account-regional"
# Objects below 128 KB keep their storage class. Intelligent-Tiering does not move them to a cheaper tier, and the request
# that moves one to Glacier costs what S3 Standard takes for it in more than a year, besides 40 KB of metadata.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
SMALL_STAY = "all_storage_classes_128K"

NAMESPACE = choice(
    "BucketNamespace",
    group=groups.BUCKETS,
    label="Bucket names",
    description="global: bucket names in the namespace that all AWS accounts share; account-regional: names with a "
    "suffix, in this account and region. A change REPLACES the buckets by new, empty ones; the old ones stay.",
    allowed=(GLOBAL, ACCOUNT_REGIONAL),
    default=GLOBAL,
)
INTELLIGENT_TIERING_DAYS = number(
    "DocumentsIntelligentTieringDays",
    group=groups.BUCKETS,
    label="Documents: days to Intelligent-Tiering",
    description="Age at which a document of 128 KB or more moves to Intelligent-Tiering; below DocumentsGlacierDays.",
    default="30",
    at_least=1,
    at_most=3_650,
)
GLACIER_DAYS = number(
    "DocumentsGlacierDays",
    group=groups.BUCKETS,
    label="Documents: days to Glacier",
    description="Age at which a document of 128 KB or more moves to Glacier Flexible Retrieval, where it must be restored "
    "before it can be read; above DocumentsIntelligentTieringDays.",
    default="365",
    at_least=2,
    at_most=3_650,
)
OLD_VERSION_DAYS = number(
    "DocumentsOldVersionDays",
    group=groups.BUCKETS,
    label="Documents: days of old versions",
    description="Number of days that an overwritten or deleted document can be restored.",
    default="90",
    at_least=1,
    at_most=3_650,
)
MEDIA_CORS_ORIGINS = Declaration(
    name="MediaCorsOrigins",
    group=groups.BUCKETS,
    label="Media: origins",
    description="Origins of pages that may load and upload media from the browser, separated by commas; empty for none.",
    type="CommaDelimitedList",
    default="",
    pattern=r"(https?://[a-z0-9.-]+(:\d{1,5})?)?",
    message="MediaCorsOrigins must be empty or origins such as https://app.example.com, separated by commas.",
)


def add_buckets(layer: Layer) -> None:
    """Both buckets, their policies, the tasks' access and the outputs."""
    documents = add_bucket(layer, "Documents", *document_rules(layer))
    media = add_bucket(layer, "Media", cors=cors(layer))
    allow_tasks(layer, "Api", API_TASK_ROLE_NAME, documents, media)
    allow_tasks(layer, "Worker", WORKER_TASK_ROLE_NAME, documents, media)
    layer.output(
        "DocumentsBucketName", Ref(documents), "Bucket of documents and reports", public=True
    )
    layer.output("MediaBucketName", Ref(media), "Bucket of logos and images", public=True)


def add_bucket(layer: Layer, kind: str, *rules: LifecycleRule, cors: If | None = None) -> Bucket:
    """A private, versioned bucket that is reached over TLS only.

    Deleted with the stack only when it is empty: S3 refuses to delete one that holds an object, and with it the
    deletion of the stack stops. Replaced, it stays.
    """
    cleanup = LifecycleRule(
        Id="abort-uploads", Status="Enabled", AbortIncompleteMultipartUpload=ABORT_UPLOADS
    )
    optional = {} if cors is None else {"CorsConfiguration": cors}
    bucket = layer.add(
        Bucket(
            f"{kind}Bucket",
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Retain",
            VersioningConfiguration=VersioningConfiguration(Status="Enabled"),
            LifecycleConfiguration=LifecycleConfiguration(
                Rules=[*rules, cleanup], TransitionDefaultMinimumObjectSize=SMALL_STAY
            ),
            **bucket_name(layer, f"-{kind.lower()}"),
            **private_bucket(),
            **optional,
        )
    )
    layer.add(
        BucketPolicy(
            f"{kind}BucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=iam.document(iam.tls_only(bucket)),
        )
    )
    return bucket


def bucket_name(layer: Layer, suffix: str) -> dict[str, Any]:
    """The literal name, or a prefix that S3 completes to PREFIX-ACCOUNT-REGION-an, which no other account can take.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    """
    regional = layer.condition(
        "UseAccountRegionalBuckets", Equals(layer.parameter(NAMESPACE), ACCOUNT_REGIONAL)
    )
    return {
        "BucketName": If(regional, NoValue, named(suffix)),
        "BucketNamePrefix": If(regional, named(suffix), NoValue),
        "BucketNamespace": If(regional, ACCOUNT_REGIONAL, NoValue),
    }


def document_rules(layer: Layer) -> tuple[LifecycleRule, LifecycleRule]:
    """Standard, then Intelligent-Tiering, then Glacier; old versions, and markers of deleted objects, expire."""
    tiers = LifecycleRule(
        Id="tiers",
        Status="Enabled",
        Transitions=[
            LifecycleRuleTransition(
                StorageClass="INTELLIGENT_TIERING",
                TransitionInDays=layer.parameter(INTELLIGENT_TIERING_DAYS),
            ),
            LifecycleRuleTransition(
                StorageClass="GLACIER", TransitionInDays=layer.parameter(GLACIER_DAYS)
            ),
        ],
    )
    old_versions = LifecycleRule(
        Id="old-versions",
        Status="Enabled",
        NoncurrentVersionExpiration=NoncurrentVersionExpiration(
            NoncurrentDays=layer.parameter(OLD_VERSION_DAYS)
        ),
        ExpiredObjectDeleteMarker=True,
    )
    return tiers, old_versions


def cors(layer: Layer) -> If:
    """Browsers may load media and upload it by presigned request, from the given origins; from none by default."""
    return If(
        layer.has(MEDIA_CORS_ORIGINS),
        CorsConfiguration(
            CorsRules=[
                CorsRules(
                    AllowedOrigins=layer.parameter(MEDIA_CORS_ORIGINS),
                    AllowedMethods=["GET", "HEAD", "PUT", "POST"],
                    AllowedHeaders=["*"],
                    ExposedHeaders=["ETag"],
                    MaxAge=3600,
                )
            ]
        ),
        NoValue,
    )


def allow_tasks(
    layer: Layer, service: str, role_name: Declaration, documents: Bucket, media: Bucket
) -> None:
    """A service's tasks can keep objects in both buckets and find them, but not change the buckets' settings.

    Every object (``/*``): which keys there are is the application's business. Versions are not theirs to delete, so
    what they overwrite or delete can be restored.
    """
    buckets = (documents, media)
    layer.add(
        PolicyType(
            f"{service}BucketAccess",
            Roles=[layer.parameter(role_name)],
            PolicyName="use-buckets",
            PolicyDocument=iam.document(
                Statement(
                    Sid="KeepObjects",
                    Effect=Allow,
                    Action=[
                        s3_actions.GetObject,
                        s3_actions.PutObject,
                        s3_actions.DeleteObject,
                        s3_actions.AbortMultipartUpload,
                    ],
                    Resource=[objects(bucket) for bucket in buckets],
                ),
                Statement(
                    Sid="FindObjects",
                    Effect=Allow,
                    Action=[s3_actions.ListBucket],
                    Resource=[GetAtt(bucket, "Arn") for bucket in buckets],
                ),
                Statement(
                    Sid="FetchDocumentsBackFromGlacier",
                    Effect=Allow,
                    Action=[s3_actions.RestoreObject],
                    Resource=[objects(documents)],
                ),
            ),
        )
    )


def objects(bucket: Bucket) -> Sub:
    """ARN of every object of a bucket."""
    return Sub(f"${{{bucket.title}.Arn}}/*")
