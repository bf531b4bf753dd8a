"""Permissions boundaries of roles, and what a launch role may do to roles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded_aws.conftest import Account, template

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}


def role(**properties: Any) -> str:
    made = {"Path": "/app/", "AssumeRolePolicyDocument": TRUST, **properties}
    return template({"Role": {"Type": "AWS::IAM::Role", "Properties": made}})


def boundary_of(account: Account, stack: dict[str, Any]) -> str:
    """The boundary of the role of a stack; empty for none."""
    [resource] = account.client("cloudformation").describe_stack_resources(
        StackName=stack["StackName"]
    )["StackResources"]
    found = account.client("iam").get_role(RoleName=resource["PhysicalResourceId"])["Role"]
    return str(found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))


@pytest.fixture
def boundary(account: Account) -> str:
    policy = account.client("iam").create_policy(
        PolicyName="boundary", PolicyDocument=json.dumps(READ)
    )
    return str(policy["Policy"]["Arn"])


def test_a_role_has_the_boundary_of_its_template(account: Account, boundary: str) -> None:
    stack = account.launch(role(PermissionsBoundary=boundary))
    assert boundary_of(account, stack) == boundary

    account.update(stack, role())
    assert boundary_of(account, stack) == ""

    account.update(stack, role(PermissionsBoundary=boundary))
    assert boundary_of(account, stack) == boundary


def test_a_boundary_that_does_not_exist_fails_the_role(account: Account) -> None:
    stack = account.launch(role(PermissionsBoundary="arn:aws:iam::123456789012:policy/none"))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_boundary_and_tags_that_were_set_outside_the_template_stay(
    account: Account, boundary: str
) -> None:
    stack = account.launch(role())
    [resource] = account.client("cloudformation").describe_stack_resources(
        StackName=stack["StackName"]
    )["StackResources"]
    name = {"RoleName": resource["PhysicalResourceId"]}
    iam = account.client("iam")
    iam.put_role_permissions_boundary(**name, PermissionsBoundary=boundary)
    iam.tag_role(**name, Tags=[{"Key": "Own", "Value": "yes"}])

    account.update(stack, role(Description="Changed", Tags=[{"Key": "Layer", "Value": "data"}]))

    assert boundary_of(account, stack) == boundary
    tags = {tag["Key"] for tag in iam.get_role(**name)["Role"]["Tags"]}
    assert {"Own", "Layer"} <= tags
