"""The removal of documents and media when the environment is deleted: a function, as a custom resource."""

from __future__ import annotations

from collections.abc import Sequence

from awacs import s3 as s3_actions
from awacs.aws import Allow, Statement
from troposphere import And, Condition, Equals, GetAtt, If, Not, Ref, Select, Sub
from troposphere.iam import PolicyType
from troposphere.s3 import Bucket

from templates_src.core import iam
from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.layer import Layer, Rule
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import FALSE, TRUE, boolean, choice

RETAIN, EMPTY = "retain", "empty"
# The maximum of Lambda. With eight requests at a time, the function deletes some millions of versions in this time.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
TIMEOUT_SECONDS = 900

EXISTING_BUCKETS = boolean(
    "ExistingBuckets",
    group=groups.BUCKETS,
    label="Existing buckets",
    description="Use the two buckets that a deleted environment with this name left, with everything in them, instead of creating new ones. "
    "They keep their settings and are never deleted with the stack. Choose it at the first launch and keep it: if you turn it on later, "
    "the stack no longer owns its buckets, each of which stays, and deletes the log of their removal.",
    default=FALSE,
)
# Logical ID of the custom resource. Not BucketRemoval: a resource and a parameter cannot have one name.
BUCKET_CLEANUP = "BucketCleanup"
BUCKET_REMOVAL = choice(
    "BucketRemoval",
    group=groups.BUCKETS,
    label="Buckets of a deleted environment",
    description="retain: when the environment is deleted, buckets with any content stay. empty: every document and "
    "image, with all old versions, is DELETED with the environment. Prod requires retain.",
    allowed=(RETAIN, EMPTY),
    default=RETAIN,
)


def creates_buckets(layer: Layer) -> str:
    """Condition ``CreateBuckets``: the stack creates the buckets and does not use existing ones."""
    return layer.condition("CreateBuckets", Not(Equals(layer.parameter(EXISTING_BUCKETS), TRUE)))


def restrict_emptying(layer: Layer) -> None:
    """Never in prod, and never buckets that another environment filled."""
    layer.require_in_prod(
        "ProdBucketsAreRetained",
        BUCKET_REMOVAL,
        holds=Equals(Ref(BUCKET_REMOVAL.name), RETAIN),
        message=f"{BUCKET_REMOVAL.name} must be {RETAIN} when Environment is prod.",
    )
    layer.rule(
        Rule(
            "ExistingBucketsAreRetained",
            parameters=(EXISTING_BUCKETS, BUCKET_REMOVAL),
            when=Equals(Ref(EXISTING_BUCKETS.name), TRUE),
            holds=Equals(Ref(BUCKET_REMOVAL.name), RETAIN),
            message=f"{BUCKET_REMOVAL.name} must be {RETAIN} when {EXISTING_BUCKETS.name} is {TRUE}: "
            "a stack empties only buckets that it created.",
        )
    )


def add_bucket_removal(layer: Layer, buckets: Sequence[Bucket]) -> None:
    """The function and its custom resource, which CloudFormation deletes before it leaves the buckets."""
    condition = creates_buckets(layer)
    function = add_function(
        layer,
        "bucket_removal",
        description="Deletes the buckets of a deleted environment if they are empty or may be emptied",
        timeout_seconds=TIMEOUT_SECONDS,
        statements=(
            iam.see_own_stack_and_root("SeeWhetherTheEnvironmentIsDeleted", "Data"),
            delete_buckets(buckets),
        ),
        condition=condition,
    )
    empty = layer.condition(
        "EmptyBuckets",
        And(Condition(condition), Equals(layer.parameter(BUCKET_REMOVAL), EMPTY)),
    )
    content = allow_emptying(layer, empty, buckets)
    add_custom_resource(
        layer,
        BUCKET_CLEANUP,
        function,
        condition=condition,
        Buckets=[Ref(bucket) for bucket in buckets],
        # With the policy, so that the policy is deleted after the function has used it. Not DependsOn: that cannot name
        # a resource which a condition leaves out.
        Removal=If(empty, Select(0, [EMPTY, Ref(content)]), RETAIN),
    )


def delete_buckets(buckets: Sequence[Bucket]) -> Statement:
    """Check whether the buckets are empty, and delete them; S3 refuses to delete a bucket that is not empty."""
    return Statement(
        Sid="DeleteEmptyBuckets",
        Effect=Allow,
        Action=[s3_actions.ListBucketVersions, s3_actions.DeleteBucket],
        Resource=[GetAtt(bucket, "Arn") for bucket in buckets],
    )


def allow_emptying(layer: Layer, condition: str, buckets: Sequence[Bucket]) -> PolicyType:
    """Every object (``/*``) of the two buckets, with its versions, and unfinished uploads; only if they may be emptied."""
    return layer.add(
        PolicyType(
            "BucketEmptying",
            Condition=condition,
            PolicyName="empty-buckets",
            Roles=[Ref("BucketRemovalRole")],
            PolicyDocument=iam.document(
                Statement(
                    Sid="FindUploads",
                    Effect=Allow,
                    Action=[s3_actions.ListBucketMultipartUploads],
                    Resource=[GetAtt(bucket, "Arn") for bucket in buckets],
                ),
                Statement(
                    Sid="DeleteVersionsAndUploads",
                    Effect=Allow,
                    Action=[
                        s3_actions.DeleteObject,
                        s3_actions.DeleteObjectVersion,
                        s3_actions.AbortMultipartUpload,
                    ],
                    Resource=[Sub(f"${{{bucket.title}.Arn}}/*") for bucket in buckets],
                ),
            ),
        )
    )
