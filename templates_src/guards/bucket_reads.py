"""The permissions with which the launch check reads buckets."""

from __future__ import annotations

from awacs import s3
from awacs.aws import Allow, Statement
from troposphere import Sub

# The names of the two buckets in both namespaces: an environment has one or the other.
NAMES = tuple(
    f"${{Project}}-${{Environment}}-{kind}{suffix}"
    for kind in ("documents", "media")
    for suffix in ("", "-${AWS::AccountId}-${AWS::Region}-an")
)


def read_buckets() -> Statement:
    """Whether the buckets exist, and the settings that an existing one must have."""
    return Statement(
        Sid="ReadSettingsOfBuckets",
        Effect=Allow,
        Action=[
            s3.ListBucket,
            s3.GetBucketVersioning,
            s3.GetEncryptionConfiguration,
            s3.GetBucketPublicAccessBlock,
            s3.GetBucketOwnershipControls,
            s3.GetBucketPolicy,
            s3.GetLifecycleConfiguration,
            s3.GetBucketCORS,
        ],
        Resource=[Sub(f"arn:${{AWS::Partition}}:s3:::{name}") for name in NAMES],
    )
