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

# The parts of an upload that was never completed are billed and shown nowhere.
ABORT_UPLOADS = AbortIncompleteMultipartUpload(DaysAfterInitiation=7)


def private_bucket() -> dict[str, Any]:
    """Properties of a bucket that is encrypted (AES-256, the keys are S3's), closed to the public, and without ACLs."""
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
