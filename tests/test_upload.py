"""A release in its bucket: written once, never changed, complete when its manifest exists."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from pipeline.release.upload import (
    MANIFEST_NAME,
    ensure_bucket,
    keys_below,
    put_once,
    release_bucket_name,
    upload,
)
from tests.conftest import REGION

ELSEWHERE = "eu-west-1"


@pytest.fixture(scope="module")
def aws(running_aws: EmbeddedAws) -> Aws:
    running_aws.reset()
    return Aws(REGION, running_aws.environment())


@pytest.fixture(scope="module")
def s3(aws: Aws) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(aws: Aws) -> str:
    """An empty bucket for the test."""
    name = f"releases-{uuid4().hex}"
    ensure_bucket(aws, name)
    return name


def contents(s3: Any, bucket: str) -> dict[str, bytes]:
    """Everything in a bucket, by key."""
    return {
        key: s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for key in keys_below(s3, bucket, "")
    }


def expected(release: Release) -> dict[str, bytes]:
    files = {**release.files, MANIFEST_NAME: release.manifest()}
    return {release.prefix + path: body for path, body in files.items()}


def versions(s3: Any, bucket: str) -> int:
    return len(s3.list_object_versions(Bucket=bucket).get("Versions", []))


def test_release_is_in_the_bucket_byte_for_byte(
    aws: Aws, s3: Any, bucket: str, release: Release
) -> None:
    done = upload(aws, release, bucket)

    assert contents(s3, bucket) == expected(release)
    assert set(done.written) == expected(release).keys()
    assert done.present == 0


def test_prefix_names_version_and_content(release: Release) -> None:
    assert release.prefix == f"carbon-connect/{release.version}-{release.digest}/"


def test_manifest_names_every_file_with_its_hash(
    aws: Aws, s3: Any, bucket: str, release: Release
) -> None:
    upload(aws, release, bucket)

    manifest = json.loads(contents(s3, bucket)[release.prefix + MANIFEST_NAME])
    assert manifest["Files"] == {
        path: hashlib.sha256(body).hexdigest() for path, body in release.files.items()
    }


def test_second_upload_writes_nothing(aws: Aws, s3: Any, bucket: str, release: Release) -> None:
    upload(aws, release, bucket)
    before = versions(s3, bucket)

    done = upload(aws, release, bucket)

    assert done.written == ()
    assert done.present == before == versions(s3, bucket) == len(expected(release))


def test_another_release_leaves_the_first_alone(
    aws: Aws, s3: Any, bucket: str, release: Release
) -> None:
    other = replace(release, version="9.9.9")
    upload(aws, release, bucket)

    upload(aws, other, bucket)

    assert contents(s3, bucket) == {**expected(release), **expected(other)}


def test_manifest_comes_last(aws: Aws, bucket: str, release: Release) -> None:
    reported: list[str] = []

    upload(aws, release, bucket, reported.append)

    assert reported[-1] == release.prefix + MANIFEST_NAME
    assert set(reported) == expected(release).keys()


@pytest.mark.parametrize("stop_after", [0, 1, 4])
def test_interrupted_upload_has_no_manifest_and_can_be_completed(
    aws: Aws, s3: Any, bucket: str, release: Release, stop_after: int
) -> None:
    heard: list[str] = []

    def interrupt(key: str) -> None:
        heard.append(key)
        if len(heard) > stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upload(aws, release, bucket, interrupt)
    assert release.prefix + MANIFEST_NAME not in contents(s3, bucket)

    upload(aws, release, bucket)

    assert contents(s3, bucket) == expected(release)
    assert versions(s3, bucket) == len(expected(release))


@pytest.mark.parametrize("key", ["templates/environment.template.json", MANIFEST_NAME])
def test_other_content_is_refused_and_stays(
    aws: Aws, s3: Any, bucket: str, release: Release, key: str
) -> None:
    s3.put_object(Bucket=bucket, Key=release.prefix + key, Body=b"{}")

    with pytest.raises(
        PipelineError, match=rf"s3://{bucket}/{release.prefix}{key} has other content"
    ):
        upload(aws, release, bucket)

    assert contents(s3, bucket)[release.prefix + key] == b"{}"
    assert versions(s3, bucket) == len(contents(s3, bucket))


def test_release_with_other_content_gets_no_manifest(
    aws: Aws, s3: Any, bucket: str, release: Release
) -> None:
    s3.put_object(Bucket=bucket, Key=release.prefix + next(iter(release.files)), Body=b"{}")

    with pytest.raises(PipelineError):
        upload(aws, release, bucket)

    assert release.prefix + MANIFEST_NAME not in contents(s3, bucket)


def test_object_of_another_writer_is_not_overwritten(s3: Any, bucket: str) -> None:
    # Another writer created the key after the check.
    s3.put_object(Bucket=bucket, Key="key", Body=b"theirs")

    assert not put_once(s3, bucket, "key", b"theirs", present=False)
    with pytest.raises(PipelineError, match="has other content"):
        put_once(s3, bucket, "key", b"ours", present=False)

    assert contents(s3, bucket) == {"key": b"theirs"}
    assert versions(s3, bucket) == 1


def test_existing_objects_are_compared(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"theirs")

    assert not put_once(s3, bucket, "key", b"theirs", present=True)
    with pytest.raises(PipelineError, match="has other content"):
        put_once(s3, bucket, "key", b"ours", present=True)


def test_parallel_uploads_write_each_file_once(
    running_aws: EmbeddedAws, s3: Any, bucket: str, release: Release
) -> None:
    several = 3
    begin = Barrier(several)

    def run(_number: int) -> tuple[str, ...]:
        own = Aws(REGION, running_aws.environment())
        own.client("s3")
        begin.wait()
        return upload(own, release, bucket).written

    with ThreadPoolExecutor(several) as pool:
        written = [key for keys in pool.map(run, range(several)) for key in keys]

    assert sorted(written) == sorted(expected(release))
    assert contents(s3, bucket) == expected(release)
    assert versions(s3, bucket) == len(expected(release))


def test_missing_bucket_is_refused_with_the_command_to_create_it(
    aws: Aws, release: Release
) -> None:
    with pytest.raises(PipelineError, match=f"`aws s3 mb s3://absent --region {REGION}`"):
        upload(aws, release, "absent")


def test_bucket_of_another_region_is_refused(
    running_aws: EmbeddedAws, aws: Aws, release: Release
) -> None:
    there = Aws(ELSEWHERE, running_aws.environment())
    ensure_bucket(there, "far-releases")

    with pytest.raises(PipelineError, match=f"far-releases is in {ELSEWHERE}.* in {REGION}"):
        upload(aws, release, "far-releases")

    assert contents(there.client("s3"), "far-releases") == {}


@pytest.mark.parametrize("use", ["ensure_bucket", "upload"])
def test_bucket_of_another_account_is_refused(
    running_aws: EmbeddedAws, aws: Aws, release: Release, use: str
) -> None:
    name = f"squatted-{uuid4().hex}"
    theirs = Aws(REGION, {**running_aws.environment(), "AWS_ACCESS_KEY_ID": "111122223333"})
    ensure_bucket(theirs, name)
    # Public, so that only the owner differs.
    everything = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    theirs.client("s3").delete_public_access_block(Bucket=name)
    theirs.client("s3").put_bucket_policy(Bucket=name, Policy=policy)
    aws.client("s3").put_object(Bucket=name, Key="open", Body=b"")

    with pytest.raises(
        PipelineError, match=f"{name} belongs to another account than {aws.account()}"
    ):
        ensure_bucket(aws, name) if use == "ensure_bucket" else upload(aws, release, name)

    assert list(contents(theirs.client("s3"), name)) == ["open"]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "3 to 63 characters"),
        ("ab", "3 to 63 characters"),
        ("a" * 64, "3 to 63 characters"),
        ("Releases", "lower-case letters"),
        ("my_releases", "lower-case letters"),
        ("s3://releases", "lower-case letters"),
        ("releases/", "lower-case letters"),
        ("releases-", "begins and ends"),
        (".releases", "begins and ends"),
        ("my..releases", "two periods"),
        ("192.168.5.4", "IP address"),
        ("xn--releases", "begin with xn--"),
        ("releases-s3alias", "end of the name"),
    ],
)
def test_invalid_bucket_name_is_refused_with_the_rule(
    aws: Aws, release: Release, name: str, rule: str
) -> None:
    with pytest.raises(PipelineError, match=f"is not a valid bucket name: .*{rule}"):
        upload(aws, release, name)


def test_bucket_is_created_once_private_and_versioned(aws: Aws, s3: Any) -> None:
    name = release_bucket_name(aws.account(), REGION)

    assert ensure_bucket(aws, name)
    assert not ensure_bucket(aws, name)

    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == REGION
    assert_finished(s3, name)


def test_incomplete_bucket_is_completed(aws: Aws, s3: Any) -> None:
    elsewhere = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="half-made", CreateBucketConfiguration=elsewhere)

    assert ensure_bucket(aws, "half-made")

    assert_finished(s3, "half-made")


def test_bucket_in_us_east_1_has_no_location_constraint(
    running_aws: EmbeddedAws,
) -> None:
    aws = Aws("us-east-1", running_aws.environment())

    assert ensure_bucket(aws, "releases-us")
    assert aws.client("s3").get_bucket_location(Bucket="releases-us")["LocationConstraint"] is None


def assert_finished(s3: Any, name: str) -> None:
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
