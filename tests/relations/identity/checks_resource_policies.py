"""Policies of the key, the topic and the buckets: the services and the account that use them, and no one else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.checks.render import Rendered
from pipeline.template.example_values import ACCOUNT
from templates_src.environment import ROOT
from tests.relations.identity.needs import Need, arn, body, is_allowed, other
from tests.relations.registry import relation
from tests.relations.text import listed, text_of
from tests.rendering import id_of, ids_in, resources_of_type

KEY, TOPIC, BUCKET = "AWS::KMS::Key", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy"
ACCOUNT_ROOT = f"arn:aws:iam::{ACCOUNT}:root"
# The account stays able to change the policy, to use the key through IAM, and to delete it.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
OF_THE_ACCOUNT = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:Decrypt", "kms:CreateGrant")
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
OF_LOGS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
)
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
OF_ALARMS = ("kms:Decrypt", "kms:GenerateDataKey")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
LOG_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"
ENCRYPTED = {"aws:SecureTransport": "true"}


@dataclass(frozen=True)
class Use:
    """A call of a principal, which the policy of a resource allows; ``holder`` has the policy."""

    holder: str
    principal: tuple[str, str]
    need: Need


def uses(rendered: Rendered) -> Iterator[Use]:
    """The calls of the account and of services."""
    for key in resources_of_type(rendered, KEY):
        yield from _uses(key.logical_id, ("AWS", ACCOUNT_ROOT), OF_THE_ACCOUNT)
        logs = f"logs.{rendered.region}.amazonaws.com"
        group = {"kms:EncryptionContext:aws:logs:arn": arn(rendered, "logs", "log-group:api")}
        yield from _uses(key.logical_id, ("Service", logs), OF_LOGS, context=group)
        alarms = ("Service", "cloudwatch.amazonaws.com")
        own = {"aws:SourceAccount": ACCOUNT}
        yield from _uses(key.logical_id, alarms, OF_ALARMS, context=own)
    for policy in resources_of_type(rendered, TOPIC):
        for topic in policy.properties.get("Topics", ()):
            target = f"{{{id_of(rendered, policy.layer, topic)}}}"
            source = {
                "aws:SourceAccount": ACCOUNT,
                "aws:SourceArn": arn(rendered, "cloudwatch", "alarm:api"),
            }
            yield from _uses(
                policy.logical_id,
                ("Service", "cloudwatch.amazonaws.com"),
                ("sns:Publish",),
                target,
                source,
            )
    for policy in resources_of_type(rendered, BUCKET):
        bucket = id_of(rendered, policy.layer, policy.properties["Bucket"])
        if bucket in _log_buckets(rendered):
            target = f"{{{bucket}}}/AWSLogs/{ACCOUNT}/elasticloadbalancing/{rendered.region}/a.log"
            yield from _uses(
                policy.logical_id, ("Service", LOG_DELIVERY), ("s3:PutObject",), target
            )


def _uses(
    holder: str,
    principal: tuple[str, str],
    actions: tuple[str, ...],
    target: str = "*",
    context: Mapping[str, Any] | None = None,
) -> Iterator[Use]:
    for action in actions:
        yield Use(holder, principal, Need(holder, action, target, context or {}))


def _log_buckets(rendered: Rendered) -> set[str]:
    """The buckets to which the load balancer writes its log."""
    return {
        name
        for balancer in resources_of_type(rendered, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        for attribute in balancer.properties.get("LoadBalancerAttributes", ())
        if attribute["Key"] == "access_logs.s3.bucket"
        for name in ids_in(rendered, balancer.layer, attribute["Value"])
    }


def document_of(rendered: Rendered, holder: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The statements of a resource's policy, each with the layer of its references."""
    return [
        (resource.layer, statement)
        for kind, name in (
            (KEY, "KeyPolicy"),
            (TOPIC, "PolicyDocument"),
            (BUCKET, "PolicyDocument"),
        )
        for resource in resources_of_type(rendered, kind)
        if resource.logical_id == holder
        for statement in resource.properties.get(name, {}).get("Statement", ())
    ]


def permits(rendered: Rendered, use: Use, context: Mapping[str, Any]) -> bool:
    """Whether the policy of the resource allows a call with these condition keys."""
    kind, name = use.principal
    about = [
        body(rendered, layer, statement)
        for layer, statement in document_of(rendered, use.holder)
        if statement.get("Principal") == "*"
        or name in map(text_of, listed((statement.get("Principal") or {}).get(kind)))
    ]
    need = use.need
    return is_allowed(about, Need(need.role, need.action, need.target, {**context, **ENCRYPTED}))


@relation
def services_may_use_the_resources(rendered: Rendered) -> Iterator[str]:
    """The account administers the key, CloudWatch Logs and alarms use it, alarms publish to the topic, and the load balancer writes its log."""
    for use in uses(rendered):
        if not permits(rendered, use, use.need.context):
            yield f"{use.holder} does not allow {use.principal[1]} {use.need.action} on {use.need.target}."


@relation
def services_use_the_resources_for_this_account_only(rendered: Rendered) -> Iterator[str]:
    """The same call is denied for another account, and for a log group or alarm of another account."""
    for use in uses(rendered):
        for key, value in use.need.context.items():
            foreign = value.replace(ACCOUNT, "999999999999") if ACCOUNT in value else other(value)
            if permits(rendered, use, {**use.need.context, key: foreign}):
                yield f"{use.holder} allows {use.principal[1]} {use.need.action} with {key} {foreign}."


@relation
def launch_roles_tell_keys_and_profiles_apart(rendered: Rendered) -> Iterator[str]:
    """A key has the alias, and an instance profile the path, by which the launch role of an environment leaves those of another alone."""
    given = rendered.parameters[ROOT]
    aliases = {
        id_of(rendered, alias.layer, alias.properties["TargetKeyId"]): alias.properties["AliasName"]
        for alias in resources_of_type(rendered, "AWS::KMS::Alias")
    }
    prefix = f"alias/{given['Project']}-{given['Environment']}"
    for key in resources_of_type(rendered, KEY):
        if not str(aliases.get(key.logical_id)).startswith(prefix):
            yield f"{key.logical_id} has the alias {aliases.get(key.logical_id)}, not {prefix}."
    path = f"/{given['Project']}/{given['Environment']}/"
    for profile in resources_of_type(rendered, "AWS::IAM::InstanceProfile"):
        if profile.properties.get("Path") != path:
            yield f"{profile.logical_id} has the path {profile.properties.get('Path')}, not {path}."
