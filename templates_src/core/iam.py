"""Policy documents, written with awacs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from awacs import cloudformation, kms, s3, secretsmanager
from awacs.aws import (
    Action,
    Allow,
    Bool,
    Condition,
    Deny,
    Policy,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from awacs.sts import AssumeRole
from troposphere import GetAtt, Ref, Select, Split, Sub
from troposphere.s3 import Bucket

VERSION = "2012-10-17"


def document(*statements: Statement) -> PolicyDocument:
    """A policy document of the current policy language."""
    return PolicyDocument(Version=VERSION, Statement=list(statements))


def trusted_service(service: str, *, condition: Condition | None = None) -> Policy:
    """Trust policy for one AWS service, such as ``ecs-tasks.amazonaws.com``."""
    extra: dict[str, Any] = {} if condition is None else {"Condition": condition}
    return document(
        Statement(
            Effect=Allow, Principal=Principal("Service", service), Action=[AssumeRole], **extra
        )
    )


def tls_only(bucket: Bucket) -> Statement:
    """The statement of a bucket policy that denies requests without TLS."""
    return Statement(
        Sid="RefusePlainHttp",
        Effect=Deny,
        Principal=Principal("*"),
        # All actions and principals, because the statement denies.
        Action=[s3.Action("*")],
        Resource=[GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(Bool({"aws:SecureTransport": "false"})),
    )


def see_own_stack(sid: str) -> Statement:
    """The statement with which a function reads the status of its stack."""
    return Statement(
        Sid=sid,
        Effect=Allow,
        Action=[cloudformation.DescribeStacks],
        Resource=[Ref("AWS::StackId")],
    )


def see_own_stack_and_root(sid: str, layer: str) -> Statement:
    """The statement with which a function of a layer reads the status of its stack and of the root; ``layer`` is its title.

    A nested stack has the name of its parent, its logical ID and a suffix. The IDs of both are not known before, hence
    the asterisk after the name of the root.
    """
    root = Select(0, Split(f"-{layer}-", Sub("${AWS::StackName}")))
    arn = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/${Root}*"
    return Statement(
        Sid=sid,
        Effect=Allow,
        Action=[cloudformation.DescribeStacks],
        Resource=[Sub(arn, Root=root)],
    )


def read_secrets(arns: Iterable[Any], key_arn: Any) -> tuple[Statement, Statement]:
    """Statements that let a role read these secrets, and use their key only through Secrets Manager."""
    return (
        Statement(
            Sid="ReadTheSecretsItUses",
            Effect=Allow,
            Action=[secretsmanager.GetSecretValue],
            Resource=list(arns),
        ),
        Statement(
            Sid="DecryptThroughSecretsManagerOnly",
            Effect=Allow,
            Action=[kms.Decrypt],
            Resource=[key_arn],
            Condition=Condition(
                StringEquals({"kms:ViaService": Sub("secretsmanager.${AWS::Region}.amazonaws.com")})
            ),
        ),
    )


def use_key_for_volumes(key_arn: Any) -> tuple[Statement, Statement]:
    """Let EBS use a key for the volumes and snapshots of the role that has these statements, and for no other purpose.

    The EBS user guide lists these actions; ReEncrypt* stands for two actions.
    https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html
    """
    through_ec2 = {"kms:ViaService": Sub("ec2.${AWS::Region}.amazonaws.com")}
    return (
        Statement(
            Sid="GrantTheKeyToEbsOnly",
            Effect=Allow,
            Action=[kms.CreateGrant],
            Resource=[key_arn],
            Condition=Condition(
                [Bool({"kms:GrantIsForAWSResource": "true"}), StringEquals(through_ec2)]
            ),
        ),
        Statement(
            Sid="UseTheKeyThroughEbsOnly",
            Effect=Allow,
            Action=[
                kms.Decrypt,
                kms.DescribeKey,
                kms.GenerateDataKeyWithoutPlaintext,
                Action("kms", "ReEncrypt*"),
            ],
            Resource=[key_arn],
            Condition=Condition(StringEquals(through_ec2)),
        ),
    )
