"""The launch check refuses bucket names that are taken, and existing buckets whose settings differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import boto3
import pytest

from embedded_aws.server import EmbeddedAws
from templates_src.functions.launch_check.bucket_names import buckets_are_available
from templates_src.functions.launch_check.launch import Launch
from tests.conftest import REGION

ACCOUNT, OTHER_ACCOUNT = "123456789012", "210987654321"
DEFAULTS = {
    "Environment": "dev",
    "BucketNamespace": "global",
    "ExistingBuckets": "false",
    "DocumentsIntelligentTieringDays": "30",
    "DocumentsGlacierDays": "365",
    "DocumentsOldVersionDays": "90",
    "MediaCorsOrigins": "",
}
TIERS = {
    "ID": "tiers",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "Transitions": [
        {"Days": 30, "StorageClass": "INTELLIGENT_TIERING"},
        {"Days": 365, "StorageClass": "GLACIER"},
    ],
    "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
}
CORS = {
    "CORSRules": [{"AllowedOrigins": ["https://app.example.com"], "AllowedMethods": ["GET"]}],
}
Client = Callable[[str], Any]


class Environment:
    """The values of an environment, and its two buckets as a deleted one left them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.s3 = client("s3")
        self.project = f"p{uuid4().hex[:8]}"
        self.documents, self.media = (
            f"{self.project}-dev-{kind}" for kind in ("documents", "media")
        )

    def check(
        self,
        previous: Mapping[str, str] | None = None,
        stack_id: str = "",
        **values: str,
    ) -> str | None:
        """The sentence of the check, or None; an update where there are previous values or a stack."""
        return buckets_are_available(
            Launch(
                {"Project": self.project, **DEFAULTS, **values},
                previous or {},
                not stack_id,
                stack_id or f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/root/1",
                self.client,
            )
        )

    def make(self, name: str, *, s3: Any = None) -> None:
        """A bucket with the settings of an environment."""
        s3 = s3 or self.s3
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        blocked = (
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        )
        s3.put_public_access_block(
            Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True)
        )
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:*"],
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    def make_both(self) -> None:
        """Both buckets with the settings of an environment."""
        for name in (self.documents, self.media):
            self.make(name)
        self.rules(TIERS)

    def rules(self, *rules: Any) -> None:
        """Set the lifecycle rules of the bucket of documents."""
        self.s3.put_bucket_lifecycle_configuration(
            Bucket=self.documents, LifecycleConfiguration={"Rules": list(rules)}
        )

    def stack(self) -> str:
        """A root stack whose outputs name the buckets; returns its ID."""
        outputs = {
            "DocumentsBucketName": {"Value": self.documents},
            "MediaBucketName": {"Value": self.media},
        }
        handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        cloudformation = self.client("cloudformation")
        made = cloudformation.create_stack(
            StackName=self.project,
            TemplateBody=json.dumps({"Resources": {"Handle": handle}, "Outputs": outputs}),
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=self.project, WaiterConfig={"Delay": 1}
        )
        return str(made["StackId"])

    def previous(self, **values: str) -> dict[str, str]:
        """The values before an update."""
        return {"Project": self.project, **DEFAULTS, **values}


@pytest.fixture
def environment(client: Client) -> Environment:
    return Environment(client)


def s3_of(aws: EmbeddedAws, *, account: str = ACCOUNT, region: str = REGION) -> Any:
    return boto3.client(
        "s3",
        region_name=region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=aws.access_key if account == ACCOUNT else account,
        aws_secret_access_key=aws.secret_key,
    )


def test_free_names_pass(environment: Environment) -> None:
    assert environment.check() is None
    assert environment.check(BucketNamespace="account-regional") is None


def test_buckets_of_the_account_are_not_created_again(environment: Environment) -> None:
    environment.make_both()

    said = environment.check()

    assert said == (
        f"{environment.documents} and {environment.media} are already buckets of this account:"
        " set ExistingBuckets=true to use both buckets with everything in them,"
        " or choose another BucketNamespace or Project."
    )
    assert environment.check(BucketNamespace="account-regional") is None
    assert environment.check(ExistingBuckets="true") is None


def test_bucket_of_another_account_is_told_apart(
    environment: Environment, lambda_environment: EmbeddedAws
) -> None:
    environment.make(environment.media, s3=s3_of(lambda_environment, account=OTHER_ACCOUNT))

    assert environment.check() == (
        f"{environment.media} is already a bucket of another account:"
        " set BucketNamespace=account-regional, or choose another Project."
    )
    assert "this account has neither bucket" in str(environment.check(ExistingBuckets="true"))


def test_bucket_in_another_region_is_told_apart(
    environment: Environment, lambda_environment: EmbeddedAws
) -> None:
    s3_of(lambda_environment, region="eu-west-1").create_bucket(
        Bucket=environment.documents,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )

    assert f"{environment.documents} is already a bucket of this account in another region" in str(
        environment.check()
    )
    assert "this account has neither bucket" in str(environment.check(ExistingBuckets="true"))


def test_buckets_that_do_not_exist_cannot_be_used(environment: Environment) -> None:
    assert environment.check(ExistingBuckets="true") == (
        f"ExistingBuckets is true, but this account has neither bucket {environment.documents}"
        f" nor {environment.media} in this region: set ExistingBuckets=false to create them."
    )


def test_one_of_two_buckets_is_not_enough(environment: Environment) -> None:
    environment.make(environment.documents)

    assert f"this account has no bucket {environment.media} in this region: create it" in str(
        environment.check(ExistingBuckets="true")
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda s3, name: s3.put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": "Suspended"}
            ),
            "does not keep old versions",
        ),
        (
            lambda s3, name: s3.put_bucket_encryption(
                Bucket=name,
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
                },
            ),
            "is not encrypted with AES256",
        ),
        (
            lambda s3, name: s3.put_public_access_block(
                Bucket=name, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
            ),
            "can be opened to the public",
        ),
        (
            lambda s3, name: s3.put_bucket_ownership_controls(
                Bucket=name,
                OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
            ),
            "has ACLs",
        ),
        (lambda s3, name: s3.delete_bucket_policy(Bucket=name), "accepts plain HTTP"),
    ],
)
@pytest.mark.parametrize("kind", ["documents", "media"])
def test_existing_bucket_has_the_settings_of_a_new_one(
    environment: Environment, kind: str, spoil: Callable[[Any, str], Any], said: str
) -> None:
    environment.make_both()
    name = f"{environment.project}-dev-{kind}"
    spoil(environment.s3, name)

    assert f"The existing bucket {name} {said}" in str(environment.check(ExistingBuckets="true"))


def test_lifecycle_rules_are_those_of_the_parameters(environment: Environment) -> None:
    environment.make_both()

    assert "has 365 days in its lifecycle rules where DocumentsGlacierDays is 400" in str(
        environment.check(ExistingBuckets="true", DocumentsGlacierDays="400")
    )
    environment.rules({**TIERS, "Transitions": TIERS["Transitions"][:1]})  # type: ignore[index]
    assert "has no days in its lifecycle rules where DocumentsGlacierDays is 365" in str(
        environment.check(ExistingBuckets="true")
    )


def test_origins_are_those_of_the_parameter(environment: Environment) -> None:
    environment.make_both()
    environment.s3.put_bucket_cors(Bucket=environment.media, CORSConfiguration=CORS)

    assert "allows the origins https://app.example.com where MediaCorsOrigins is empty" in str(
        environment.check(ExistingBuckets="true")
    )
    origin = "https://app.example.com"
    assert environment.check(ExistingBuckets="true", MediaCorsOrigins=origin) is None


def test_update_keeps_its_buckets(environment: Environment) -> None:
    environment.make_both()
    stack = environment.stack()

    assert environment.check(environment.previous(), stack) is None
    # From a release without this check.
    assert environment.check({}, stack) is None
    changed = environment.check(environment.previous(), stack, DocumentsGlacierDays="400")
    assert changed is None


def test_update_does_not_change_the_owner_of_the_buckets(environment: Environment) -> None:
    environment.make_both()
    stack = environment.stack()
    both = f"{environment.documents} and {environment.media}"

    assert environment.check({}, stack, ExistingBuckets="true") == (
        f"This stack created the buckets {both}: keep ExistingBuckets at false."
    )
    assert environment.check(environment.previous(ExistingBuckets="true"), stack) == (
        f"The buckets {both} exist and do not belong to this stack, which would create them:"
        " keep ExistingBuckets at true."
    )


def test_update_to_other_names_is_checked_as_a_launch(environment: Environment) -> None:
    environment.make_both()
    stack = environment.stack()
    taken = f"{environment.media}-{ACCOUNT}-{REGION}-an"
    environment.make(taken)

    assert f"{taken} is already a bucket of this account" in str(
        environment.check(environment.previous(), stack, BucketNamespace="account-regional")
    )


def test_update_of_existing_buckets_checks_what_changes(environment: Environment) -> None:
    environment.make_both()
    stack = environment.stack()
    before = environment.previous(ExistingBuckets="true")

    assert environment.check(before, stack, ExistingBuckets="true") is None
    assert "has 30 days" in str(
        environment.check(
            before, stack, ExistingBuckets="true", DocumentsIntelligentTieringDays="60"
        )
    )


def test_stack_without_outputs_goes_on(environment: Environment) -> None:
    """Its first launch did not complete, so the buckets can be its own."""
    environment.make_both()
    cloudformation = environment.client("cloudformation")
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    made = cloudformation.create_stack(
        StackName=environment.project, TemplateBody=json.dumps({"Resources": {"Handle": handle}})
    )

    assert environment.check({}, made["StackId"]) is None
