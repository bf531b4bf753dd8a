"""Documents and media of a deleted environment stay, are emptied where it may, and are used again by the next launch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from tests.launches.environments import Environment
from tests.launches.inventory import Inventory, counted, inventory
from tests.launches.test_deleted import RETAINED

BUCKET = "AWS::S3::Bucket"


@dataclass(frozen=True)
class Filled:
    """An environment that held documents when it was deleted."""

    environment: Environment
    documents: str
    end: Launched
    left: Inventory

    @property
    def buckets(self) -> set[str]:
        return {name for kind, name in self.left if kind == BUCKET}


def fill(s3: Any, bucket: str) -> None:
    """An object, one under a delete marker, and an upload that was never completed."""
    s3.put_object(Bucket=bucket, Key="offer.pdf", Body=b"offer")
    s3.put_object(Bucket=bucket, Key="old.pdf", Body=b"old")
    s3.delete_object(Bucket=bucket, Key="old.pdf")
    s3.create_multipart_upload(Bucket=bucket, Key="large.pdf")


def content(s3: Any, bucket: str) -> list[str]:
    """The keys of every version and delete marker."""
    listed = s3.list_object_versions(Bucket=bucket)
    found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
    return sorted(each["Key"] for each in found)


FILLED = ["offer.pdf", "old.pdf", "old.pdf"]


def filled(running: EmbeddedAws, release: Release, **settings: str) -> Filled:
    environment = Environment(running, release, "dev", **settings)
    before = inventory(environment.aws)
    bucket = environment.launch().outputs["DocumentsBucketName"]
    fill(environment.client("s3"), bucket)
    end = environment.delete()
    return Filled(environment, bucket, end, inventory(environment.aws) - before)


@pytest.fixture(scope="module")
def retained(running: EmbeddedAws, release: Release) -> Filled:
    return filled(running, release, Project="retained")


def test_bucket_that_holds_anything_stays_and_the_deletion_completes(retained: Filled) -> None:
    assert retained.end.status == "DELETE_COMPLETE"
    media = retained.documents.replace("documents", "media")
    assert retained.buckets == {retained.documents, media}
    assert counted(retained.left) == RETAINED + Counter({BUCKET: 2})
    assert content(retained.environment.client("s3"), retained.documents) == FILLED


def test_bucket_that_stays_keeps_its_settings(retained: Filled) -> None:
    s3 = retained.environment.client("s3")

    policy = s3.get_bucket_policy(Bucket=retained.documents)["Policy"]
    assert "RefusePlainHttp" in policy
    assert s3.get_bucket_versioning(Bucket=retained.documents)["Status"] == "Enabled"
    rules = s3.get_bucket_lifecycle_configuration(Bucket=retained.documents)["Rules"]
    assert {rule["ID"] for rule in rules} == {"tiers", "old-versions", "abort-uploads"}


def test_environment_that_may_empty_its_buckets_leaves_none(
    running: EmbeddedAws, release: Release
) -> None:
    emptied = filled(running, release, Project="emptied", BucketRemoval="empty")

    assert emptied.end.status == "DELETE_COMPLETE"
    assert emptied.buckets == set()
    assert counted(emptied.left) == RETAINED


@pytest.mark.parametrize(
    ("profile", "values", "parameter"),
    [
        ("prod", {"BucketRemoval": "empty"}, "BucketRemoval must be retain when Environment is"),
        (
            "dev",
            {"BucketRemoval": "empty", "ExistingBuckets": "true"},
            "BucketRemoval must be retain when ExistingBuckets is true",
        ),
    ],
)
def test_buckets_that_must_stay_cannot_be_emptied(
    running: EmbeddedAws, release: Release, profile: str, values: dict[str, str], parameter: str
) -> None:
    environment = Environment(running, release, profile)
    before = inventory(environment.aws)

    with pytest.raises((ClientError, Exception), match=parameter):
        environment.launch(**values)
    assert inventory(environment.aws) == before


def test_next_environment_is_refused_unless_it_uses_the_buckets(
    running: EmbeddedAws, release: Release, retained: Filled
) -> None:
    """Before anything is created."""
    following = Environment(running, release, "dev", Project="retained")
    before = inventory(following.aws)

    end = following.launch()

    ((failure),) = end.failures
    assert (failure.logical_id, end.status) == ("LaunchCheck", "ROLLBACK_COMPLETE")
    assert "set ExistingBuckets=true to use both buckets with everything in them" in failure.reason
    assert counted(inventory(following.aws) - before) == {"AWS::CloudFormation::Stack": 1}
    assert content(following.client("s3"), retained.documents) == FILLED


def settings(s3: Any, bucket: str) -> list[Any]:
    """Policy, versioning, encryption, lifecycle rules, CORS rules, public access and ownership of a bucket."""

    def cors() -> Any:
        try:
            return s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
        except ClientError as error:
            return error.response["Error"]["Code"]

    return [
        s3.get_bucket_policy(Bucket=bucket)["Policy"],
        s3.get_bucket_versioning(Bucket=bucket)["Status"],
        s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"],
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        cors(),
        s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
        s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
    ]


@pytest.fixture(scope="module")
def former() -> dict[str, list[Any]]:
    """The settings of both buckets after the deletion of the environment that created them, by name."""
    return {}


@pytest.fixture(scope="module")
def adopted(running: EmbeddedAws, release: Release, former: dict[str, list[Any]]) -> Environment:
    """The next environment of the name, with both buckets filled."""
    first = Environment(running, release, "dev", Project="adopted")
    outputs = first.launch().outputs
    for bucket in (outputs["DocumentsBucketName"], outputs["MediaBucketName"]):
        fill(first.client("s3"), bucket)
    assert first.delete().status == "DELETE_COMPLETE"
    for bucket in (outputs["DocumentsBucketName"], outputs["MediaBucketName"]):
        former[bucket] = settings(first.client("s3"), bucket)
    following = Environment(running, release, "dev", Project="adopted", ExistingBuckets="true")
    assert following.launch().status == "CREATE_COMPLETE"
    return following


def test_next_environment_uses_the_buckets_with_what_they_hold(adopted: Environment) -> None:
    s3, outputs = adopted.client("s3"), adopted.outputs()

    assert outputs["DocumentsBucketName"] == f"{adopted.stack}-documents"
    assert outputs["MediaBucketName"] == f"{adopted.stack}-media"
    assert content(s3, outputs["DocumentsBucketName"]) == FILLED
    created = {name for name in adopted.resources() if "BucketRemoval" in name or "Bucket" in name}
    assert created == {"Data.ApiBucketAccess", "Data.WorkerBucketAccess"}


def test_existing_buckets_keep_their_settings(
    adopted: Environment, former: dict[str, list[Any]]
) -> None:
    s3 = adopted.client("s3")

    assert former.keys() == {f"{adopted.stack}-documents", f"{adopted.stack}-media"}
    assert {bucket: settings(s3, bucket) for bucket in former} == former


def test_tasks_of_the_next_environment_may_use_the_buckets(adopted: Environment) -> None:
    iam, resources = adopted.client("iam"), adopted.resources()
    buckets = [f"arn:aws:s3:::{adopted.stack}-{kind}" for kind in ("documents", "media")]

    for name in ("Security.ApiTaskRole", "Security.WorkerTaskRole"):
        role = resources[name].physical_id
        policy = iam.get_role_policy(RoleName=role, PolicyName="use-buckets")["PolicyDocument"]
        named = {arn for statement in policy["Statement"] for arn in statement["Resource"]}
        assert {*buckets, *(f"{bucket}/*" for bucket in buckets)} <= named


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ExistingBuckets": "false"}, "keep ExistingBuckets at true"),
        ({"DocumentsGlacierDays": "400"}, "DocumentsGlacierDays is 400"),
        ({"MediaCorsOrigins": "https://app.example.com"}, "MediaCorsOrigins is https://app"),
    ],
)
def test_updates_that_the_buckets_do_not_follow_are_refused(
    adopted: Environment, values: dict[str, str], said: str
) -> None:
    before = adopted.resources()

    end = adopted.launch(**values)

    ((failure),) = end.failures
    assert end.status == "UPDATE_ROLLBACK_COMPLETE"
    assert said in failure.reason
    assert adopted.resources() == before
    assert adopted.outputs()["DocumentsBucketName"] == f"{adopted.stack}-documents"


def test_adopted_buckets_stay_whatever_they_hold(adopted: Environment) -> None:
    s3 = adopted.client("s3")
    names = [f"{adopted.stack}-documents", f"{adopted.stack}-media"]
    for version in s3.list_object_versions(Bucket=names[1])["Versions"]:
        s3.delete_object(Bucket=names[1], Key=version["Key"], VersionId=version["VersionId"])
    for marker in s3.list_object_versions(Bucket=names[1])["DeleteMarkers"]:
        s3.delete_object(Bucket=names[1], Key=marker["Key"], VersionId=marker["VersionId"])

    assert adopted.delete().status == "DELETE_COMPLETE"
    assert [content(s3, name) for name in names] == [FILLED, []]


def test_failed_launch_leaves_the_buckets_that_it_used(
    running: EmbeddedAws, release: Release, retained: Filled
) -> None:
    """A later layer fails, so the data layer is deleted."""
    environment = Environment(running, release, "dev", Project="retained", ExistingBuckets="true")
    s3 = environment.client("s3")
    environment.client("logs").create_log_group(logGroupName="aws-waf-logs-retained-dev")

    assert environment.launch().status == "ROLLBACK_COMPLETE"
    assert content(s3, retained.documents) == FILLED
    assert content(s3, "retained-dev-media") == []
