"""Every request is evaluated against the caller's policies, with their resources and conditions."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import Account
from tests.embedded_aws.test_certificates import pair

ACCOUNT = "123456789012"
Statement = dict[str, Any]


def document(*statements: Statement) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements],
        }
    )


class Caller:
    """A session of a role with these statements, which any principal of the account may assume."""

    def __init__(
        self, aws: EmbeddedAws, account: Account, *statements: Statement, path: str = "/"
    ) -> None:
        self.aws = aws
        iam = account.client("iam")
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
        self.arn = iam.create_role(
            RoleName="caller",
            Path=path,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        iam.put_role_policy(
            RoleName="caller", PolicyName="own", PolicyDocument=document(*statements)
        )
        sts = account.client("sts")
        self.keys = sts.assume_role(RoleArn=self.arn, RoleSessionName="session")["Credentials"]

    def client(self, service: str, **changes: str) -> Any:
        keys = {**self.keys, **changes}
        return boto3.client(
            service,
            region_name="eu-north-1",
            endpoint_url=self.aws.endpoint_url,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    return str(refusal.value.response["Error"]["Code"])


def test_resource_of_a_policy_counts(embedded: EmbeddedAws, account: Account) -> None:
    own = f"arn:aws:cloudformation:*:{ACCOUNT}:stack/own-*"
    caller = Caller(embedded, account, {"Action": "cloudformation:DescribeStacks", "Resource": own})
    cloudformation = caller.client("cloudformation")

    assert refused(cloudformation.describe_stacks, StackName="own-1") == "ValidationError"
    assert refused(cloudformation.describe_stacks, StackName="other") == "AccessDenied"
    assert refused(cloudformation.describe_stacks) == "AccessDenied"
    assert refused(cloudformation.delete_stack, StackName="own-1") == "AccessDenied"


def test_wrong_signature_is_refused(embedded: EmbeddedAws, account: Account) -> None:
    caller = Caller(embedded, account, {"Action": "s3:ListAllMyBuckets"})

    assert caller.client("s3").list_buckets()["Buckets"] == []
    other = caller.client("s3", SecretAccessKey="other")
    assert refused(other.list_buckets) == "SignatureDoesNotMatch"


def test_certificate_is_known_by_its_tags(embedded: EmbeddedAws, account: Account) -> None:
    certificates = f"arn:aws:acm:eu-north-1:{ACCOUNT}:certificate/*"
    caller = Caller(
        embedded,
        account,
        {
            "Action": ["acm:ImportCertificate", "acm:AddTagsToCertificate"],
            "Resource": certificates,
            "Condition": {"StringEquals": {"aws:RequestTag/Owner": "me"}},
        },
        {
            "Action": "acm:DeleteCertificate",
            "Resource": certificates,
            "Condition": {"StringEquals": {"aws:ResourceTag/Owner": "me"}},
        },
    )
    acm, others = caller.client("acm"), account.client("acm")
    foreign = others.import_certificate(**pair(), Tags=[{"Key": "Owner", "Value": "you"}])

    own = acm.import_certificate(**pair(), Tags=[{"Key": "Owner", "Value": "me"}])

    assert refused(acm.import_certificate, **pair()) == "AccessDeniedException"
    assert refused(acm.delete_certificate, **arn_of(foreign)) == "AccessDeniedException"
    assert refused(acm.list_certificates) == "AccessDeniedException"
    acm.delete_certificate(**arn_of(own))


def arn_of(imported: dict[str, Any]) -> dict[str, str]:
    return {"CertificateArn": imported["CertificateArn"]}


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("arn:aws:iam::*:role/team/cal*", True),
        ("arn:aws:iam::*:role/caller", False),
        ("arn:aws:sts::*:assumed-role/caller/*", False),
    ],
)
def test_principal_of_a_session_is_the_role_with_its_path(
    embedded: EmbeddedAws, account: Account, pattern: str, allowed: bool
) -> None:
    condition = {"ArnLike": {"aws:PrincipalArn": pattern}}
    caller = Caller(
        embedded,
        account,
        {"Action": "s3:ListAllMyBuckets", "Condition": condition},
        path="/team/",
    )
    s3 = caller.client("s3")

    if allowed:
        assert s3.list_buckets()["Buckets"] == []
    else:
        assert refused(s3.list_buckets) == "AccessDenied"


def test_role_has_its_path_and_its_boundary_counts(embedded: EmbeddedAws, account: Account) -> None:
    iam = account.client("iam")
    for name in ("narrow", "wide"):
        iam.create_policy(
            PolicyName=name, PolicyDocument=document({"Effect": "Allow", "Action": "s3:*"})
        )
    iam.create_role(RoleName="task", Path="/team/", AssumeRolePolicyDocument="{}")
    caller = Caller(
        embedded,
        account,
        {
            "Action": "iam:PutRolePermissionsBoundary",
            "Resource": f"arn:aws:iam::{ACCOUNT}:role/team/*",
            "Condition": {
                "ArnLike": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/narrow"}
            },
        },
        {
            "Action": "iam:TagRole",
            "Resource": f"arn:aws:iam::{ACCOUNT}:role/team/*",
            "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["Mark"]}},
        },
        {
            "Action": "iam:PutRolePolicy",
            "Resource": "*",
            "Condition": {
                "StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/narrow"}
            },
        },
    )
    own = caller.client("iam")
    wide, narrow = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("wide", "narrow"))
    policy = {"PolicyName": "x", "PolicyDocument": document({"Effect": "Allow", "Action": "s3:*"})}

    bound = own.put_role_permissions_boundary
    assert refused(own.put_role_policy, RoleName="task", **policy) == "AccessDenied"
    assert refused(bound, RoleName="task", PermissionsBoundary=wide) == "AccessDenied"
    assert refused(bound, RoleName="caller", PermissionsBoundary=narrow) == "AccessDenied"
    bound(RoleName="task", PermissionsBoundary=narrow)
    own.put_role_policy(RoleName="task", **policy)
    own.tag_role(RoleName="task", Tags=[{"Key": "Mark", "Value": "true"}])
    other = [{"Key": "Owner", "Value": "me"}]
    assert refused(own.tag_role, RoleName="task", Tags=other) == "AccessDenied"
