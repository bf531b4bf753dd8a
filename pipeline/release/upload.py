"""Putting a release into its bucket: once written, never changed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of, partition_of
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import refused
from pipeline.release.assemble import Release
from templates_src.core.shared import RELEASE_BUCKET
from templates_src.release_bucket.template import RELEASE_BUCKET_PREFIX

MANIFEST_NAME = "manifest.json"
_SEVERAL = 8


@dataclass(frozen=True)
class Uploaded:
    """What an upload did: keys written now, and how many were there already."""

    bucket: str
    prefix: str
    written: tuple[str, ...]
    present: int


def release_bucket_name(account: str, region: str) -> str:
    """The bucket that `launch` uses unless another is named: one an account and region."""
    return f"{RELEASE_BUCKET_PREFIX}-{account}-{region}"


def object_url(region: str, bucket: str, key: str) -> str:
    """Address under which CloudFormation and Service Catalog read an object of a bucket in their region."""
    suffix = "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"
    return f"https://{bucket}.s3.{region}.{suffix}/{key}"


def ensure_bucket(aws: Aws, bucket: str) -> bool:
    """Make the bucket unless it is there; returns whether it was made, or finished after an interruption.

    It is private, encrypted and versioned. Raises PipelineError when the name belongs to someone else.
    """
    s3 = aws.client("s3")
    with aws_errors(f"make bucket {bucket}"):
        if not owned_bucket_exists(aws, bucket):
            elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
            s3.create_bucket(Bucket=bucket, **({} if aws.region == "us-east-1" else elsewhere))
        elif s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
            # Versioning comes last: the bucket is finished.
            return False
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return True


def owned_bucket_exists(aws: Aws, bucket: str, account: str = "") -> bool:
    """Whether the bucket is there; ``account`` is asked for unless it is given.

    Names of buckets are shared by all accounts, so that anybody can take the one that a release is to have and open it to
    us. Raises PipelineError for the bucket of another account, for one that may not be used, and for one of another region.
    """
    from botocore.exceptions import ClientError

    owner = account or aws.account()
    try:
        aws.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=owner)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchBucket", "NotFound"}:
            return False
        if code_of(error) in {"403", "Forbidden", "AccessDenied"}:
            raise PipelineError(
                f"Bucket {bucket} belongs to another account than {owner}, or these credentials may not use it; use a bucket of the account and a role that may."
            ) from error
        if code_of(error) in {"301", "PermanentRedirect"}:
            raise PipelineError(
                f"Bucket {bucket} is in another region than the launch; a launch needs its release in its own region."
            ) from error
        raise
    return True


def upload(
    aws: Aws, release: Release, bucket: str, progress: Callable[[str], None] = lambda _key: None
) -> Uploaded:
    """Upload what of the release is not in the bucket yet, and the manifest last.

    ``progress`` is told each key that is dealt with. Raises PipelineError when the bucket cannot or does not exist, is in
    another region, or holds other bytes under a key of the release.
    """
    reason = refused(RELEASE_BUCKET, bucket)
    if reason:
        raise PipelineError(f"{bucket!r} cannot be a bucket: {reason}")
    s3 = aws.client("s3")
    with aws_errors(f"upload to bucket {bucket}"):
        if not owned_bucket_exists(aws, bucket):
            raise PipelineError(
                f"Bucket {bucket} does not exist; make it with `aws s3 mb s3://{bucket} --region {aws.region}`."
            )
        home = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
        if home != aws.region:
            raise PipelineError(
                f"Bucket {bucket} is in {home}, but the launch is in {aws.region}; a launch needs its release in its own region."
            )
        present = keys_below(s3, bucket, release.prefix)
        files = [(release.prefix + path, body) for path, body in release.files.items()]

        def put(file: tuple[str, bytes]) -> bool:
            key, body = file
            written = put_once(s3, bucket, key, body, present=key in present)
            progress(key)
            return written

        with ThreadPoolExecutor(_SEVERAL) as pool:
            written = [
                key for (key, _), new in zip(files, pool.map(put, files), strict=True) if new
            ]
        # Its presence says that all the rest is there.
        last = (release.prefix + MANIFEST_NAME, release.manifest())
        if put(last):
            written.append(last[0])
    return Uploaded(bucket, release.prefix, tuple(written), len(files) + 1 - len(written))


def keys_below(s3: Any, bucket: str, prefix: str) -> set[str]:
    """The keys that begin with a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def put_once(s3: Any, bucket: str, key: str, body: bytes, *, present: bool) -> bool:
    """Write an object unless it is there; returns whether it was written.

    The write is conditional, so that of two uploads at once neither overwrites the other. Raises PipelineError when
    the key holds other bytes.
    """
    from botocore.exceptions import ClientError

    if not present:
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        try:
            s3.put_object(
                Bucket=bucket, Key=key, Body=body, IfNoneMatch="*", ChecksumSHA256=checksum
            )
        except ClientError as error:
            if code_of(error) not in {"PreconditionFailed", "ConditionalRequestConflict"}:
                raise
        else:
            return True
    if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != body:
        raise PipelineError(
            f"s3://{bucket}/{key} holds other bytes than this release; a release never changes, so raise the version in setup.cfg or remove what was put there."
        )
    return False
