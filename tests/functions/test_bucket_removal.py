"""Buckets are deleted at the end of their environment only, and emptied only where the stack may."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, WaiterError

from embedded_aws.server import EmbeddedAws
from pipeline.paths import FUNCTIONS
from templates_src.core.function import ARCHITECTURE, RUNTIME
from templates_src.functions.bucket_removal import emptying
from templates_src.functions.bucket_removal import handler as function
from templates_src.functions.bucket_removal.emptying import (
    MARGIN_SECONDS,
    Bucket,
    delete_buckets,
)
from templates_src.functions.bucket_removal.handler import handler
from templates_src.functions.custom_resource import Deadline
from tests.functions.cloudformation import STACK, Answers, Context

ACCOUNT = "123456789012"
BAD_ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "Path": "x"}}
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            },
        },
        "Policies": [
            {
                "PolicyName": "all",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Action": ["cloudformation:DescribeStacks", "s3:*"],
                        "Resource": "*",
                    },
                },
            }
        ],
    },
}
Template = dict[str, Any]


class Stacks:
    """A root with a nested stack that has a bucket and its removal."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self.cloudformation, self.s3 = client("cloudformation"), client("s3")
        self.name = f"removal-{uuid4().hex[:8]}"
        self.bucket = f"{self.name}-documents"
        self.release = f"{self.name}-release"
        self.s3.create_bucket(
            Bucket=self.release,
            CreateBucketConfiguration={"LocationConstraint": self.s3.meta.region_name},
        )
        self.s3.put_object(
            Bucket=self.release,
            Key="function",
            Body=(FUNCTIONS / "bucket_removal.zip").read_bytes(),
        )

    def nested(self, removal: str = "retain", *, resource: bool = True, **more: Any) -> Template:
        """The template of the nested stack."""
        code = {"S3Bucket": self.release, "S3Key": "function"}
        resources: Template = {
            "Documents": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "RetainExceptOnCreate",
                "Properties": {
                    "BucketName": self.bucket,
                    "VersioningConfiguration": {"Status": "Enabled"},
                },
            },
            "Role": ROLE,
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": RUNTIME,
                    "Architectures": [ARCHITECTURE],
                    "Handler": "functions.bucket_removal.handler.handler",
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Timeout": 60,
                    "Code": code,
                },
            },
            **more,
        }
        if resource:
            resources["BucketCleanup"] = {
                "Type": "Custom::BucketCleanup",
                "Properties": {
                    "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                    "Buckets": [{"Ref": "Documents"}],
                    "Removal": removal,
                },
            }
        return {"Resources": resources}

    def root(self, nested: Template | None, **more: Any) -> dict[str, str]:
        """The request of a root over the nested template, or over none."""
        resources: Template = {
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            **more,
        }
        if nested is not None:
            key = uuid4().hex
            self.s3.put_object(Bucket=self.release, Key=key, Body=json.dumps(nested))
            url = f"https://{self.release}.s3.{self.s3.meta.region_name}.amazonaws.com/{key}"
            resources["Data"] = {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": url},
            }
        return {"StackName": self.name, "TemplateBody": json.dumps({"Resources": resources})}

    def create(self, request: dict[str, str]) -> str:
        """Create the root; returns its status."""
        self.cloudformation.create_stack(**request, Capabilities=["CAPABILITY_IAM"])
        return self._settled("stack_create_complete")

    def update(self, request: dict[str, str]) -> str:
        """Update the root; returns its status."""
        self.cloudformation.update_stack(**request, Capabilities=["CAPABILITY_IAM"])
        return self._settled("stack_update_complete")

    def delete(self, name: str = "") -> None:
        """Delete the root, or the stack of that name."""
        self.cloudformation.delete_stack(StackName=name or self.name)
        self._settled("stack_delete_complete", name or self.name)

    def nested_id(self) -> str:
        """The ID of the nested stack."""
        found = self.cloudformation.describe_stack_resource(
            StackName=self.name, LogicalResourceId="Data"
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def fill(self, count: int = 1) -> None:
        """Write objects, then overwrite and delete the first."""
        for number in range(count):
            self.s3.put_object(Bucket=self.bucket, Key=f"{number}.pdf", Body=b"offer")
        self.s3.put_object(Bucket=self.bucket, Key="0.pdf", Body=b"second offer")
        self.s3.delete_object(Bucket=self.bucket, Key="0.pdf")
        self.s3.create_multipart_upload(Bucket=self.bucket, Key="large.pdf")

    def exists(self) -> bool:
        """Whether the bucket exists."""
        listed = self.s3.list_buckets()["Buckets"]
        return self.bucket in {bucket["Name"] for bucket in listed}

    def held(self) -> int:
        """The number of versions and delete markers in the bucket."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        return sum(len(p.get("Versions", [])) + len(p.get("DeleteMarkers", [])) for p in pages)

    def _settled(self, waiter: str, name: str = "") -> str:
        try:
            self.cloudformation.get_waiter(waiter).wait(
                StackName=name or self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
        except WaiterError:
            """The status says how it ended."""
        try:
            (stack,) = self.cloudformation.describe_stacks(StackName=name or self.name)["Stacks"]
        except ClientError:
            return "DELETE_COMPLETE"
        return str(stack["StackStatus"])


@pytest.fixture
def stacks(client: Callable[[str], Any]) -> Stacks:
    return Stacks(client)


@pytest.mark.parametrize(
    ("removal", "filled", "stays"),
    [("retain", True, True), ("retain", False, False), ("empty", True, False)],
)
def test_deletion_of_the_environment(
    stacks: Stacks, removal: str, filled: bool, stays: bool
) -> None:
    assert stacks.create(stacks.root(stacks.nested(removal))) == "CREATE_COMPLETE"
    if filled:
        stacks.fill()

    stacks.delete()

    assert stacks.exists() is stays
    assert not stays or stacks.held() == 3


def test_environment_that_changes_its_mind_is_held_to_the_last_value(stacks: Stacks) -> None:
    stacks.create(stacks.root(stacks.nested("empty")))
    stacks.fill()
    assert stacks.update(stacks.root(stacks.nested("retain"))) == "UPDATE_COMPLETE"

    stacks.delete()

    assert stacks.held() == 3


@pytest.mark.parametrize("removal", ["retain", "empty"])
def test_creation_that_a_later_layer_rolls_back_leaves_no_bucket(
    stacks: Stacks, removal: str
) -> None:
    late = {**BAD_ROLE, "DependsOn": "Data"}

    assert stacks.create(stacks.root(stacks.nested(removal), Late=late)) == "ROLLBACK_COMPLETE"
    assert not stacks.exists()


def test_creation_that_its_own_layer_rolls_back_leaves_no_bucket(stacks: Stacks) -> None:
    late = {**BAD_ROLE, "DependsOn": "Documents"}
    nested = stacks.nested(Late=late, resource=False)

    assert stacks.create(stacks.root(nested)) == "ROLLBACK_COMPLETE"
    assert not stacks.exists()


@pytest.mark.parametrize("removal", ["retain", "empty"])
def test_update_that_added_the_resource_and_is_rolled_back_deletes_nothing(
    stacks: Stacks, removal: str
) -> None:
    stacks.create(stacks.root(stacks.nested(resource=False)))
    stacks.fill()
    late = {**BAD_ROLE, "DependsOn": "Data"}

    assert (
        stacks.update(stacks.root(stacks.nested(removal), Late=late)) == "UPDATE_ROLLBACK_COMPLETE"
    )
    assert stacks.held() == 3


def test_update_that_removes_the_resource_deletes_nothing(stacks: Stacks) -> None:
    stacks.create(stacks.root(stacks.nested("empty")))
    stacks.fill()

    assert stacks.update(stacks.root(stacks.nested(resource=False))) == "UPDATE_COMPLETE"
    assert stacks.held() == 3


def test_update_that_replaces_the_bucket_deletes_nothing(stacks: Stacks) -> None:
    stacks.create(stacks.root(stacks.nested("empty")))
    stacks.fill()
    former = stacks.bucket
    stacks.bucket = f"{former}-other"

    assert stacks.update(stacks.root(stacks.nested("empty"))) == "UPDATE_COMPLETE"
    assert (stacks.exists(), stacks.held()) == (True, 0)
    stacks.bucket = former
    assert stacks.held() == 3


def test_update_of_the_root_that_removes_the_layer_deletes_nothing(stacks: Stacks) -> None:
    stacks.create(stacks.root(stacks.nested("empty")))
    stacks.fill()

    assert stacks.update(stacks.root(None)) == "UPDATE_COMPLETE"
    assert stacks.held() == 3


def test_nested_stack_that_is_deleted_by_itself_deletes_nothing(stacks: Stacks) -> None:
    stacks.create(stacks.root(stacks.nested("empty")))
    stacks.fill()

    stacks.delete(stacks.nested_id())

    assert stacks.held() == 3


def test_bucket_that_a_user_deleted_does_not_stop_the_deletion(stacks: Stacks) -> None:
    stacks.create(stacks.root(stacks.nested("empty")))
    stacks.s3.delete_bucket(Bucket=stacks.bucket)

    stacks.delete()

    with pytest.raises(ClientError, match="does not exist"):
        stacks.cloudformation.describe_stacks(StackName=stacks.name)


def make_bucket(s3: Any) -> str:
    name = f"documents-{uuid4().hex[:8]}"
    s3.create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
    )
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def test_more_versions_than_a_page_has(client: Callable[[str], Any]) -> None:
    s3 = client("s3")
    name = make_bucket(s3)
    for number in range(1_300):
        s3.put_object(Bucket=name, Key=f"{number % 700}", Body=b"")
    for number in range(700):
        s3.delete_object(Bucket=name, Key=str(number))

    said = delete_buckets([Bucket(s3, name, ACCOUNT, Deadline.after(300))], also_content=True)

    assert said == "the buckets are deleted"
    assert name not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}


def test_rest_stays_when_the_time_is_up(
    client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = client("s3")
    name = make_bucket(s3)
    for number in range(1_100):
        s3.put_object(Bucket=name, Key=str(number), Body=b"")
    # One page at a time: the time is up after the first.
    monkeypatch.setattr(emptying, "WORKERS", 1)
    bucket = Bucket(s3, name, ACCOUNT, Deadline.after(300))
    checks = iter([400.0] * 3)
    monkeypatch.setattr(Deadline, "remaining", lambda _self: next(checks, MARGIN_SECONDS - 1))

    assert "the time is up" in delete_buckets([bucket], also_content=True)
    listed = s3.list_object_versions(Bucket=name)["Versions"]
    assert len(listed) == 100


def test_bucket_of_another_account_is_left_alone(client: Callable[[str], Any]) -> None:
    s3 = client("s3")
    name = make_bucket(s3)
    s3.put_object(Bucket=name, Key="offer.pdf", Body=b"offer")

    bucket = Bucket(s3, name, "210987654321", Deadline.after(300))

    said = delete_buckets([bucket], also_content=True)

    assert said == "the buckets stay: AccessDenied"
    assert s3.get_object(Bucket=name, Key="offer.pdf")["Body"].read() == b"offer"


def test_buckets_stay_together_or_go_together(client: Callable[[str], Any]) -> None:
    s3 = client("s3")
    names = [make_bucket(s3) for _ in range(3)]
    s3.put_object(Bucket=names[1], Key="logo.png", Body=b"logo")
    buckets = [Bucket(s3, name, ACCOUNT, Deadline.after(300)) for name in names]

    assert delete_buckets(buckets, also_content=False) == (
        f"the buckets stay: {names[1]} is not empty"
    )
    assert {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]} >= {*names}


def leave_old_version(s3: Any, name: str) -> None:
    s3.put_object(Bucket=name, Key="logo.png", Body=b"logo")
    s3.delete_object(Bucket=name, Key="logo.png")


def leave_marker(s3: Any, name: str) -> None:
    version = s3.put_object(Bucket=name, Key="logo.png", Body=b"logo")["VersionId"]
    s3.delete_object(Bucket=name, Key="logo.png")
    s3.delete_object(Bucket=name, Key="logo.png", VersionId=version)


@pytest.mark.parametrize("leave", [leave_old_version, leave_marker])
def test_bucket_without_a_current_object_stays(
    client: Callable[[str], Any], leave: Callable[[Any, str], None]
) -> None:
    s3 = client("s3")
    name = make_bucket(s3)
    leave(s3, name)

    bucket = Bucket(s3, name, ACCOUNT, Deadline.after(300))

    assert delete_buckets([bucket], also_content=False) == f"the buckets stay: {name} is not empty"
    s3.head_bucket(Bucket=name)


@pytest.mark.parametrize(("filled", "stays"), [(True, True), (False, False)])
def test_rolled_back_creation_deletes_empty_buckets_only(
    client: Callable[[str], Any],
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    filled: bool,
    stays: bool,
) -> None:
    """A later layer failed, so CloudFormation deletes the stack of the buckets."""
    s3 = client("s3")
    name = make_bucket(s3)
    if filled:
        s3.put_object(Bucket=name, Key="offer.pdf", Body=b"offer")
    statuses = {
        STACK: {"StackStatus": "DELETE_IN_PROGRESS", "RootId": "root"},
        "root": {"StackStatus": "ROLLBACK_IN_PROGRESS"},
    }
    monkeypatch.setattr(function, "describe_stack", statuses.__getitem__)
    properties = {"Buckets": [name], "Removal": "retain"}

    handler(answers.event("Delete", properties, PhysicalResourceId="bucket-removal"), Context(60))

    assert answers.only["Status"] == "SUCCESS"
    assert (name in {each["Name"] for each in s3.list_buckets()["Buckets"]}) is stays


def test_delete_succeeds_where_the_stack_cannot_be_described(
    client: Callable[[str], Any], answers: Answers
) -> None:
    name = make_bucket(client("s3"))
    properties = {"Buckets": [name], "Removal": "empty"}

    handler(answers.event("Delete", properties, PhysicalResourceId="bucket-removal"), Context(60))

    assert answers.only["Status"] == "SUCCESS"
    client("s3").head_bucket(Bucket=name)


@pytest.mark.parametrize(
    "properties", [{}, {"Buckets": "a", "Removal": "empty"}, {"Buckets": ["a"]}]
)
def test_properties_are_checked_where_something_is_created(
    lambda_environment: EmbeddedAws, answers: Answers, properties: dict[str, Any]
) -> None:
    del lambda_environment
    for kind in ("Create", "Delete"):
        handler(answers.event(kind, properties), Context(60))

    assert [answer["Status"] for answer in answers.taken] == ["FAILED", "SUCCESS"]
