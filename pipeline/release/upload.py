"""Upload a release to its bucket; a written object never changes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of, partition_of
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from templates_src.release_bucket.template import RELEASE_BUCKET_PREFIX

MANIFEST_NAME = "manifest.json"
_SEVERAL = 8


@dataclass(frozen=True)
class Uploaded:
    """The result of an upload: the keys written now, and the number that existed."""

    bucket: str
    prefix: str
    written: tuple[str, ...]
    present: int


def release_bucket_name(account: str, region: str) -> str:
    """The default bucket of `launch`: one per account and region."""
    return f"{RELEASE_BUCKET_PREFIX}-{account}-{region}"


def object_url(region: str, bucket: str, key: str) -> str:
    """The URL at which CloudFormation and Service Catalog read an object of a bucket in their region."""
    suffix = "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"
    return f"https://{bucket}.s3.{region}.{suffix}/{key}"


def ensure_bucket(aws: Aws, bucket: str) -> bool:
    """Create the bucket if it does not exist; returns whether it was created, or completed after an interruption.

    It is private, encrypted and versioned. Raises PipelineError if the name belongs to another account.
    """
    s3 = aws.client("s3")
    with aws_errors(f"create bucket {bucket}"):
        if not owned_bucket_exists(aws, bucket):
            elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
            s3.create_bucket(Bucket=bucket, **({} if aws.region == "us-east-1" else elsewhere))
        elif s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
            # Versioning comes last and marks the bucket as complete.
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
    """Whether the bucket exists; reads ``account`` from AWS if it is not given.

    Bucket names are shared by all accounts: another account could take the name of a release bucket and open the bucket to
    this account. Raises PipelineError for a bucket of another account, without permissions, or in another region.
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
                f"Bucket {bucket} belongs to another account than {owner}, or these credentials have no permission to use it; use a bucket of the account and a role with permissions."
            ) from error
        if code_of(error) in {"301", "PermanentRedirect"}:
            raise PipelineError(
                f"Bucket {bucket} is in another region than the launch; use a bucket in the region of the launch."
            ) from error
        raise
    return True


def bucket_name_problem(name: str) -> str | None:
    """The naming rule of S3 that a bucket name breaks, or None.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    rules = {
        "a name has 3 to 63 characters": 3 <= len(name) <= 63,
        "a name has only lower-case letters, digits, hyphens and periods": re.fullmatch(
            r"[a-z0-9.-]*", name
        ),
        "a name begins and ends with a letter or a digit": name[:1].isalnum()
        and name[-1:].isalnum(),
        "a name has no two periods in a row": ".." not in name,
        "a name does not look like an IP address": not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name),
        "S3 reserves names that begin with xn--, sthree- or amzn-s3-demo-": not name.startswith(
            ("xn--", "sthree-", "amzn-s3-demo-")
        ),
        "S3 reserves the end of the name": not name.endswith(
            ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
        ),
    }
    return next((rule for rule, holds in rules.items() if not holds), None)


def upload(
    aws: Aws, release: Release, bucket: str, progress: Callable[[str], None] = lambda _key: None
) -> Uploaded:
    """Upload the objects of the release that the bucket does not contain, and the manifest last.

    ``progress`` receives each completed key. Raises PipelineError if the bucket does not exist or cannot exist, is in
    another region, or has other content under a key of the release.
    """
    problem = bucket_name_problem(bucket)
    if problem:
        raise PipelineError(f"{bucket!r} is not a valid bucket name: {problem}.")
    s3 = aws.client("s3")
    with aws_errors(f"upload to bucket {bucket}"):
        if not owned_bucket_exists(aws, bucket):
            raise PipelineError(
                f"Bucket {bucket} does not exist; create it with `aws s3 mb s3://{bucket} --region {aws.region}`."
            )
        home = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
        if home != aws.region:
            raise PipelineError(
                f"Bucket {bucket} is in {home}, but the launch is in {aws.region}; use a bucket in {aws.region}."
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
        # Its presence marks the upload as complete.
        last = (release.prefix + MANIFEST_NAME, release.manifest())
        if put(last):
            written.append(last[0])
    return Uploaded(bucket, release.prefix, tuple(written), len(files) + 1 - len(written))


def keys_below(s3: Any, bucket: str, prefix: str) -> set[str]:
    """The keys with a prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def put_once(s3: Any, bucket: str, key: str, body: bytes, *, present: bool) -> bool:
    """Write an object if it does not exist; returns whether it was written.

    The write is conditional, so that two parallel uploads do not overwrite each other. Raises PipelineError if the key has
    other content.
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
            f"s3://{bucket}/{key} has other content than this release, and a published release never changes; raise the version in setup.cfg or delete the object."
        )
    return False
