"""Short ways to use the embedded AWS."""

import functools
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from embedded_aws.server import EmbeddedAws

REGION = "eu-north-1"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


def template(resources: dict[str, Any], **sections: Any) -> str:
    """A template of these resources; other sections by name (Parameters=...)."""
    return json.dumps(
        {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **sections}
    )


@functools.cache
def _client(aws: EmbeddedAws, service: str, region: str) -> Any:
    """Made once a run: making a client takes longer than most of what it is used for."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=aws.access_key,
        aws_secret_access_key=aws.secret_key,
    )


class Account:
    """The embedded account in one region."""

    def __init__(self, aws: EmbeddedAws, region: str) -> None:
        self._aws = aws
        self.region = region
        self.bucket = f"templates-{region}"

    def client(self, service: str) -> Any:
        """A boto3 client of `service`."""
        return _client(self._aws, service, self.region)

    def put_template(self, body: str, key: str | None = None) -> str:
        """Upload a template; its virtual-hosted URL."""
        key = key or f"{uuid.uuid4()}.json"
        s3 = self.client("s3")
        if self.bucket not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
            place = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
            s3.create_bucket(Bucket=self.bucket, **(place if self.region != "us-east-1" else {}))
        s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode())
        return f"https://{self.bucket}.s3.{self.region}.amazonaws.com/{key}"

    def launch(self, body: str, name: str | None = None, **options: Any) -> dict[str, Any]:
        """Create a stack and wait: its description."""
        name = name or f"s{uuid.uuid4().hex[:8]}"
        created = self.client("cloudformation").create_stack(
            StackName=name, TemplateBody=body, Capabilities=CAPABILITIES, **options
        )
        return self.settled(created["StackId"])

    def update(self, stack: dict[str, Any], body: str, **options: Any) -> dict[str, Any]:
        """Update a stack and wait: its description."""
        self.client("cloudformation").update_stack(
            StackName=stack["StackName"], TemplateBody=body, Capabilities=CAPABILITIES, **options
        )
        return self.settled(stack["StackId"])

    def delete(self, stack: dict[str, Any]) -> dict[str, Any]:
        """Delete a stack and wait: its description."""
        self.client("cloudformation").delete_stack(StackName=stack["StackId"])
        return self.settled(stack["StackId"])

    def settled(self, stack_id: str) -> dict[str, Any]:
        """The stack's description once no operation runs on it."""
        for _ in range(1000):
            stacks = self.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
            stack: dict[str, Any] = stacks[0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            time.sleep(0.01)
        raise AssertionError(f"{stack_id} is still {stack['StackStatus']} after ten seconds")

    def failures(self, stack: dict[str, Any]) -> dict[str, str]:
        """The reason of each failed resource, by logical id."""
        pages = (
            self.client("cloudformation")
            .get_paginator("describe_stack_events")
            .paginate(StackName=stack["StackId"])
        )
        return {
            event["LogicalResourceId"]: event.get("ResourceStatusReason", "")
            for page in pages
            for event in page["StackEvents"]
            if event["ResourceStatus"].endswith("_FAILED")
        }

    def outputs(self, stack: dict[str, Any]) -> dict[str, str]:
        """The stack's outputs by key."""
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}

    def resources(self, stack: dict[str, Any]) -> dict[str, str]:
        """The physical id of each resource by logical id."""
        listed = self.client("cloudformation").describe_stack_resources(StackName=stack["StackId"])[
            "StackResources"
        ]
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed}


@pytest.fixture
def in_region(embedded: EmbeddedAws) -> Callable[[str], Account]:
    """The account in a region of the test's choice, empty at the start."""
    return lambda region: Account(embedded, region)


@pytest.fixture
def account(in_region: Callable[[str], Account]) -> Account:
    """The account in the default region, empty at the start."""
    return in_region(REGION)
