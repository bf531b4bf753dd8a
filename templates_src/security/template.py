"""The security layer: encryption key, flow logs, security groups, secrets, roles of the tasks, and the access of GitHub."""

from __future__ import annotations

from awacs import kms
from awacs.aws import (
    Action,
    Allow,
    ArnLike,
    Condition,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere.iam import Role
from troposphere.kms import Alias, Key

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import named
from templates_src.security.flow_logs import add_flow_logs
from templates_src.security.github import add_github
from templates_src.security.groups import API, GROUPS, WORKER, add_security_groups
from templates_src.security.roles import add_task_roles
from templates_src.security.secrets import GENERATED, TYPED, add_secrets


def security() -> Layer:
    """The security layer."""
    layer = Layer("security", "Carbon Connect: encryption key, security groups, secrets and roles")
    key_arn = add_key(layer)
    add_flow_logs(layer, key_arn)
    groups = add_security_groups(layer)
    secrets = add_secrets(layer, key_arn)
    roles = add_task_roles(layer, secrets, key_arn)
    add_outputs(layer, key_arn, groups, secrets, roles)
    add_github(layer)
    return layer


def add_key(layer: Layer) -> GetAtt:
    """The key of database, cache, secrets, logs and alarm topic; returns its ARN.

    It is retained: without it, the final snapshot of a deleted database and the logs cannot be read.
    """
    key = layer.add(
        Key(
            "Key",
            # After a failed creation, no data needs the key.
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
            Description=named(": database, cache, secrets, logs and alarm topic"),
            EnableKeyRotation=True,
            KeyPolicy=key_policy(),
        )
    )
    # The alias is deleted with the stack, so that the next launch can use its name; the key is retained.
    layer.add(
        Alias("KeyAlias", AliasName=Sub("alias/${Project}-${Environment}"), TargetKeyId=Ref(key))
    )
    return GetAtt(key, "Arn")


def key_policy() -> PolicyDocument:
    """The users of the key; in a key policy, Resource ``*`` is the key itself."""
    return iam.document(administered_by_account(), usable_by_logs(), usable_by_alarms())


def administered_by_account() -> Statement:
    """IAM policies of the account decide who uses the key, as database, cache and secrets need.

    It allows every action, like the default key policy: otherwise a mistake in this policy could not be corrected.
    """
    return Statement(
        Sid="AccountDecidesInIam",
        Effect=Allow,
        Principal=Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")),
        Action=[Action("kms", "*")],
        Resource=["*"],
    )


def usable_by_logs() -> Statement:
    """CloudWatch Logs, for log groups of this account and region.

    Their names are unknown here (later layers, Lambda and RDS create them), hence the wildcard. The CloudWatch Logs
    user guide lists the actions; GenerateDataKey* and ReEncrypt* each stand for two.
    """
    groups = Sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*")
    return Statement(
        Sid="LogsOfThisAccount",
        Effect=Allow,
        Principal=Principal("Service", Sub("logs.${AWS::Region}.amazonaws.com")),
        Action=[
            kms.Encrypt,
            kms.Decrypt,
            Action("kms", "ReEncrypt*"),
            Action("kms", "GenerateDataKey*"),
            kms.DescribeKey,
        ],
        Resource=["*"],
        Condition=Condition(ArnLike({"kms:EncryptionContext:aws:logs:arn": groups})),
    )


def usable_by_alarms() -> Statement:
    """CloudWatch, to publish an alarm to the encrypted topic; without it, CloudWatch drops the message and reports no
    error.

    The SNS developer guide lists the actions; GenerateDataKey* stands for two.
    """
    return Statement(
        Sid="AlarmsOfThisAccount",
        Effect=Allow,
        Principal=Principal("Service", "cloudwatch.amazonaws.com"),
        Action=[kms.Decrypt, Action("kms", "GenerateDataKey*")],
        Resource=["*"],
        Condition=Condition(StringEquals({"aws:SourceAccount": AccountId})),
    )


def add_outputs(
    layer: Layer,
    key_arn: GetAtt,
    groups: dict[str, GetAtt],
    secrets: dict[str, Ref],
    roles: list[Role],
) -> None:
    """The outputs for the later layers."""
    layer.output("KeyArn", key_arn, "Key of database, cache, secrets, logs and alarm topic")
    for group in GROUPS:
        layer.output(
            f"{group.title}SecurityGroupId",
            groups[group.title],
            f"Security group: {group.description}",
            # One-off tasks of the image run in one of them.
            public=group in (API, WORKER),
        )
    for secret in (*GENERATED, *TYPED):
        layer.output(f"{secret.title}Arn", secrets[secret.title], f"ARN: {secret.description}")
    for role in roles:
        layer.output(f"{role.title}Arn", GetAtt(role, "Arn"), f"{role.title}: ARN")
        layer.output(f"{role.title}Name", Ref(role), f"{role.title}: name, without its path")
