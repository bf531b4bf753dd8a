"""The common properties of every bucket of the environment."""

from __future__ import annotations

from typing import Any

from troposphere.s3 import (
    AbortIncompleteMultipartUpload,
    BucketEncryption,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
)

# S3 bills the parts of an incomplete upload, and does not list them with the objects.
ABORT_UPLOADS = AbortIncompleteMultipartUpload(DaysAfterInitiation=7)


def private_bucket() -> dict[str, Any]:
    """Properties of an encrypted bucket (SSE-S3) without public access and without ACLs."""
    return {
        "BucketEncryption": BucketEncryption(
            ServerSideEncryptionConfiguration=[
                ServerSideEncryptionRule(
                    ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(
                        SSEAlgorithm="AES256"
                    )
                )
            ]
        ),
        "OwnershipControls": OwnershipControls(
            Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        "PublicAccessBlockConfiguration": PublicAccessBlockConfiguration(
            BlockPublicAcls=True,
            BlockPublicPolicy=True,
            IgnorePublicAcls=True,
            RestrictPublicBuckets=True,
        ),
    }
