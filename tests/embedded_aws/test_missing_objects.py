"""What a resource names must exist: managed policies, and the code objects of functions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.conftest import Account, template

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
MISSING = "arn:aws:iam::aws:policy/AmazonEverythingAccess"
UNKNOWN = f"Policy {MISSING} does not exist or is not attachable."


def role(*policies: str) -> dict[str, Any]:
    properties = {"AssumeRolePolicyDocument": TRUST, "ManagedPolicyArns": list(policies)}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


@pytest.mark.parametrize(
    "name",
    [
        "AdministratorAccess",
        "AmazonSSMManagedInstanceCore",
        "AWSServiceCatalogEndUserFullAccess",
        "service-role/AmazonECSTaskExecutionRolePolicy",
        "service-role/AWSLambdaVPCAccessExecutionRole",
    ],
)
def test_policies_that_the_documentation_names_exist(account: Account, name: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{name}"
    stack = account.launch(template({"Role": role(arn)}))
    assert stack["StackStatus"] == "CREATE_COMPLETE", account.failures(stack)
    attached = account.client("iam").list_attached_role_policies(
        RoleName=account.resources(stack)["Role"]
    )["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [arn]


def test_role_with_a_missing_policy_is_refused(account: Account) -> None:
    stack = account.launch(template({"Role": role(MISSING)}))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert UNKNOWN in account.failures(stack)["Role"]

    stack = account.launch(template({"Role": role()}))
    stack = account.update(stack, template({"Role": role(MISSING)}))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert UNKNOWN in account.failures(stack)["Role"]


def test_api_refuses_a_missing_policy(account: Account) -> None:
    iam = account.client("iam")
    iam.create_role(RoleName="someone", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(ClientError, match="does not exist or is not attachable") as refused:
        iam.attach_role_policy(RoleName="someone", PolicyArn=MISSING)
    assert refused.value.response["Error"]["Code"] == "NoSuchEntity"


def function(code: dict[str, str]) -> dict[str, Any]:
    return {
        "Role": role(),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.11",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": code,
            },
        },
        "Custom": {
            "Type": "Custom::Thing",
            "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}},
        },
    }


@pytest.mark.parametrize(
    ("bucket", "says"),
    [
        ("not-a-bucket-here", "S3 Error Code: NoSuchBucket."),
        ("code-of-functions", "S3 Error Code: NoSuchKey."),
    ],
)
def test_function_without_its_code_is_refused_at_once(
    account: Account, bucket: str, says: str
) -> None:
    account.client("s3").create_bucket(
        Bucket="code-of-functions",
        CreateBucketConfiguration={"LocationConstraint": account.region},
    )
    stack = account.launch(template(function({"S3Bucket": bucket, "S3Key": "function.zip"})))

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    failures = account.failures(stack)
    assert f"Error occurred while GetObject. {says}" in failures["Function"]
    assert "Custom" not in failures
