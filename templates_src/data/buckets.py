"""The buckets of documents and media, and the access of the tasks."""

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

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, choice, number
from templates_src.core.parameters.shared import named
from templates_src.core.parameters.wiring.security import API_TASK_ROLE_NAME, WORKER_TASK_ROLE_NAME
from templates_src.core.private_bucket import ABORT_UPLOADS, private_bucket
from templates_src.data.bucket_removal import (
    add_bucket_removal,
    creates_buckets,
    restrict_emptying,
)
from templates_src.data.settings_file import FOLDER, keep_tasks_away, let_ecs_read

GLOBAL, ACCOUNT_REGIONAL = "global", "account-regional"
# The placeholder for the name of an existing bucket.
NAME = "NAME"
ARN = f"arn:${{AWS::Partition}}:s3:::{NAME}"
# Objects below 128 KB keep their storage class. Intelligent-Tiering does not move them to a cheaper tier, and the
# transition to Glacier costs more than a year in S3 Standard, plus 40 KB of metadata.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
SMALL_STAY = "all_storage_classes_128K"

NAMESPACE = choice(
    "BucketNamespace",
    group=groups.BUCKETS,
    label="Bucket names",
    description="global: bucket names in the namespace that all AWS accounts share; account-regional: names with a "
    "suffix, in this account and region. A change REPLACES the buckets with new, empty ones; the old ones stay.",
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
    description="Number of days in which an overwritten or deleted document can be restored.",
    default="90",
    at_least=1,
    at_most=3_650,
)
MEDIA_CORS_ORIGINS = Declaration(
    name="MediaCorsOrigins",
    group=groups.BUCKETS,
    label="Media: origins",
    description="Origins of pages that can load and upload media from the browser, separated by commas; empty for none.",
    type="CommaDelimitedList",
    default="",
    pattern=r"(https?://[a-z0-9.-]+(:\d{1,5})?)?",
    message="MediaCorsOrigins must be empty or origins such as https://app.example.com, separated by commas.",
)


def add_buckets(layer: Layer) -> None:
    """Both buckets, created or existing, the tasks' access to them, their removal and the outputs."""
    restrict_emptying(layer)
    created = (
        add_bucket(layer, "Documents", *document_rules(layer)),
        add_bucket(layer, "Media", cors=cors(layer)),
    )
    add_bucket_removal(layer, created)
    allow_tasks(layer, "Api", API_TASK_ROLE_NAME, *created)
    allow_tasks(layer, "Worker", WORKER_TASK_ROLE_NAME, *created)
    let_ecs_read(layer, arn(layer, created[1]), settings_files(layer, created[1]))
    documents, media = (in_use(layer, bucket, Ref(bucket)) for bucket in created)
    layer.output("DocumentsBucketName", documents, "Bucket of documents and reports", public=True)
    layer.output("MediaBucketName", media, "Bucket of logos and images", public=True)


def add_bucket(layer: Layer, kind: str, *rules: LifecycleRule, cors: If | None = None) -> Bucket:
    """A private, versioned bucket that is reached over TLS only, unless the environment uses existing buckets.

    It stays when the stack is deleted, with the policy that refuses plain HTTP, because S3 deletes only empty buckets;
    ``bucket_removal`` deletes it if it is allowed to. It also stays when it is replaced. A failed launch leaves none.
    """
    cleanup = LifecycleRule(
        Id="abort-uploads", Status="Enabled", AbortIncompleteMultipartUpload=ABORT_UPLOADS
    )
    optional = {} if cors is None else {"CorsConfiguration": cors}
    stays: dict[str, Any] = {
        "Condition": creates_buckets(layer),
        "DeletionPolicy": "RetainExceptOnCreate",
        "UpdateReplacePolicy": "Retain",
    }
    bucket = layer.add(
        Bucket(
            f"{kind}Bucket",
            **stays,
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
            **stays,
            Bucket=Ref(bucket),
            PolicyDocument=iam.document(iam.tls_only(bucket)),
        )
    )
    return bucket


def bucket_name(layer: Layer, suffix: str) -> dict[str, Any]:
    """The literal name, or a prefix that S3 completes to PREFIX-ACCOUNT-REGION-an, which no other account can take.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html
    """
    regional = regional_names(layer)
    return {
        "BucketName": If(regional, NoValue, named(suffix)),
        "BucketNamePrefix": If(regional, named(suffix), NoValue),
        "BucketNamespace": If(regional, ACCOUNT_REGIONAL, NoValue),
    }


def regional_names(layer: Layer) -> str:
    """Condition ``UseAccountRegionalBuckets``: the buckets are in the namespace of the account and the region."""
    return layer.condition(
        "UseAccountRegionalBuckets", Equals(layer.parameter(NAMESPACE), ACCOUNT_REGIONAL)
    )


def document_rules(layer: Layer) -> tuple[LifecycleRule, LifecycleRule]:
    """Standard, then Intelligent-Tiering, then Glacier; noncurrent versions, and markers of deleted objects, expire."""
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
    """Let browsers load and upload media with presigned requests from the given origins; by default from none."""
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

    Every object (``/*``), because the application chooses the keys. Tasks cannot delete versions, so an overwritten or
    deleted object can be restored.
    """
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
                    Resource=[objects(layer, documents), objects(layer, media)],
                ),
                Statement(
                    Sid="FindObjects",
                    Effect=Allow,
                    Action=[s3_actions.ListBucket],
                    Resource=[arn(layer, documents), arn(layer, media)],
                ),
                Statement(
                    Sid="FetchDocumentsBackFromGlacier",
                    Effect=Allow,
                    Action=[s3_actions.RestoreObject],
                    Resource=[objects(layer, documents)],
                ),
                keep_tasks_away(settings_files(layer, media)),
            ),
        )
    )


def in_use(layer: Layer, bucket: Bucket, created: Ref | GetAtt | Sub, existing: str = NAME) -> If:
    """A value of a bucket that the stack creates, or else ``existing`` with the name of the existing bucket."""
    name = "${Project}-${Environment}-" + bucket.title.removesuffix("Bucket").lower()
    other = If(
        regional_names(layer),
        Sub(existing.replace(NAME, name + "-${AWS::AccountId}-${AWS::Region}-an")),
        Sub(existing.replace(NAME, name)),
    )
    return If(creates_buckets(layer), created, other)


def arn(layer: Layer, bucket: Bucket) -> If:
    """ARN of a bucket in use."""
    return in_use(layer, bucket, GetAtt(bucket, "Arn"), ARN)


def settings_files(layer: Layer, media: Bucket) -> If:
    """ARN of the environment files in the media bucket."""
    return in_use(layer, media, Sub(f"${{{media.title}.Arn}}/{FOLDER}/*"), f"{ARN}/{FOLDER}/*")


def objects(layer: Layer, bucket: Bucket) -> If:
    """ARN of every object of a bucket in use."""
    return in_use(layer, bucket, Sub(f"${{{bucket.title}.Arn}}/*"), f"{ARN}/*")
