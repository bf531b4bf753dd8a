"""Attempts of principals outside the account, and of workflows, that trust and resource policies refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pipeline.checks.iam.evaluation import Principal, Resource
from pipeline.checks.iam.policies import Policy, policy
from pipeline.release.upload import release_bucket_name
from pipeline.template.example_values import ACCOUNT
from templates_src.release_bucket.template import release_bucket
from tests.attacks.attack import Attack, attack
from tests.attacks.inside import TLS, dev, of_account, prod, role_of
from tests.attacks.launched import Launched
from tests.launch_role.evaluation import resources_of
from tests.relations.text import listed
from tests.relations.variants import REGION

OUTSIDER, MEMBER, DEPLOY = "outsider", "account that a portfolio is shared with", "deploy role"
PUBLISHER = "publisher of a modified template"
AWAY, ORGANIZATION = "444455556666", "o-a1b2c3d4e5"
ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
RELEASES = f"arn:aws:s3:::{release_bucket_name(ACCOUNT, REGION)}"
EVERYTHING = Policy("administrator", ({"Effect": "Allow", "Action": "*", "Resource": "*"},))
ASSUME = "sts:AssumeRole"


def administrator(account: str = AWAY, organization: str = "") -> Callable[[], Principal]:
    """A role of another account with all permissions there."""
    arn = f"arn:aws:iam::{account}:role/Administrator"
    return lambda: Principal(arn, account, (EVERYTHING,), organization=organization)


def service(name: str) -> Callable[[], Principal]:
    """An AWS service, which acts for the user who configured it."""
    return lambda: Principal(service=f"{name}.amazonaws.com")


def deputy(name: str, role: str, by: str, *guards: str, **context: str) -> Attack:
    """An attempt to make a service assume a role of production for another account."""
    return attack(
        OUTSIDER,
        name,
        *guards,
        by=service(by),
        action=ASSUME,
        arn=lambda: prod().arn(role),
        on=lambda: prod().trust(role),
        context=lambda: {key.replace("_", ":"): value for key, value in context.items()},
    )


SOURCE_ACCOUNT = {"aws_SourceAccount": AWAY}
DEPUTIES = (
    deputy("runs its own task with a task role", "ApiTaskRole", "ecs-tasks", "trust/Allow: Condition aws:SourceAccount", "trust/Allow: Condition aws:SourceArn", **SOURCE_ACCOUNT, aws_SourceArn=f"arn:aws:ecs:{REGION}:{AWAY}:task/x"),
    deputy("starts its own task with the execution role", "ExecutionRole", "ecs-tasks", "trust/Allow: Condition aws:SourceAccount", **SOURCE_ACCOUNT),
    deputy("writes its own flow logs with the flow log role", "VpcFlowLogRole", "vpc-flow-logs", "trust/Allow: Condition aws:SourceAccount", **SOURCE_ACCOUNT),
    deputy("creates its own snapshots with the snapshot role", "SearchSnapshotRole", "dlm", "trust/Allow: Condition aws:SourceAccount", **SOURCE_ACCOUNT),
)  # fmt: skip


def at_resource(
    name: str,
    action: str,
    logical_id: str,
    *guards: str,
    by: Callable[[], Principal],
    suffix: str = "",
    **context: Any,
) -> Attack:
    """An attempt on a resource of production that the resource policy refuses."""
    return attack(
        OUTSIDER,
        name,
        *guards,
        by=by,
        action=action,
        arn=lambda: prod().arn(logical_id, suffix),
        on=lambda: prod().resource(logical_id),
        context=lambda: {key.replace("_", ":", 1): value for key, value in context.items()},
    )


AT_RESOURCES = (
    at_resource("decrypts with the key, as an administrator of another account", "kms:Decrypt", "Key", "key/AccountDecidesInIam: Principal", by=administrator()),
    at_resource("reads logs of production through logs of another account", "kms:Decrypt", "Key", "key/LogsOfThisAccount: Condition kms:EncryptionContext:aws:logs:arn", by=service(f"logs.{REGION}"), **{"kms_EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{AWAY}:log-group:x"}),
    at_resource("uses the key through alarms of another account", "kms:Decrypt", "Key", "key/AlarmsOfThisAccount: Condition aws:SourceAccount", by=service("cloudwatch"), aws_SourceAccount=AWAY),
    at_resource("raises a false alarm from another account", "sns:Publish", "AlarmTopic", "AlarmTopicPolicy/AlarmsOfThisAccountPublish: Condition aws:SourceAccount", "AlarmTopicPolicy/AlarmsOfThisAccountPublish: Condition aws:SourceArn", by=service("cloudwatch"), aws_SourceAccount=AWAY, aws_SourceArn=f"arn:aws:cloudwatch:{REGION}:{AWAY}:alarm:x"),
    at_resource("writes access logs of another account's load balancer", "s3:PutObject", "AccessLogBucket", "AccessLogBucketPolicy/LoadBalancersOfThisAccountWrite: Resource", by=service("logdelivery.elasticloadbalancing"), suffix=f"/AWSLogs/{AWAY}/x", **{"aws_SecureTransport": "true"}),
    at_resource("reads documents, as an administrator of another account", "s3:GetObject", "DocumentsBucket", "no statement", by=administrator(), suffix="/reports/1.pdf", **{"aws_SecureTransport": "true"}),
    at_resource("invokes the function of the queues from its own rule", "lambda:InvokeFunction", "QueueDepthFunction", "function/QueueDepthSchedulePermission: Condition AWS:SourceArn", by=service("events"), **{"AWS_SourceArn": f"arn:aws:events:{REGION}:{AWAY}:rule/x"}),
)  # fmt: skip


@cache
def releases(organization: str = "") -> Resource:
    """The release bucket with its policy."""
    given = {"OrganizationId": organization} if organization else {}
    document = resources_of(release_bucket(), **given)["BucketPolicy"]["Properties"]
    bodies = []
    for body in document["PolicyDocument"]["Statement"]:
        found = [
            RELEASES
            if "Fn::GetAtt" in each
            else str(each["Fn::Sub"]).replace("${Bucket.Arn}", RELEASES)
            for each in listed(body["Resource"])
        ]
        bodies.append({**body, "Resource": found})
    return Resource(ACCOUNT, policy("releases", bodies))


def at_releases(
    principal: str,
    name: str,
    action: str,
    *guards: str,
    by: Callable[[], Principal],
    organization: str = ORGANIZATION,
    context: Mapping[str, Any] = TLS,
) -> Attack:
    """An attempt on an object of a release."""
    return attack(
        principal,
        name,
        *guards,
        by=by,
        action=action,
        arn=lambda: f"{RELEASES}/carbon-connect/1.2.0-1/templates/security.template.json",
        on=lambda: releases(organization),
        context=lambda: context,
    )


NEW = {**TLS, "s3:ObjectCreationOperation": "true"}
AT_RELEASES = (
    at_releases(OUTSIDER, "reads a release", "s3:GetObject", "releases/OrganizationReads: Condition aws:PrincipalOrgID", by=administrator(organization="o-other00000")),
    at_releases(OUTSIDER, "reads a release that is shared with no organization", "s3:GetObject", "no statement", by=administrator(), organization=""),
    at_releases(MEMBER, "reads a release after it has left the organization", "s3:GetObject", "releases/OrganizationReads: Condition aws:PrincipalOrgID", by=administrator()),
    at_releases(MEMBER, "adds a template to a release", "s3:PutObject", "no statement", by=administrator(organization=ORGANIZATION), context={**NEW, "s3:if-none-match": "*"}),
    at_releases(PUBLISHER, "replaces a template of a release, as an administrator", "s3:PutObject", "releases/WriteOnce: Effect", by=administrator(ACCOUNT), context=NEW),
    at_releases(PUBLISHER, "deletes a template, to write another one in its place", "s3:DeleteObject", "releases/KeepAll: Effect", by=administrator(ACCOUNT)),
    at_releases(PUBLISHER, "reads a release without TLS", "s3:GetObject", "releases/RefusePlainHttp: Effect", by=administrator(ACCOUNT), context={"aws:SecureTransport": "false"}),
)  # fmt: skip


def workflow(name: str, *guards: str, sub: str, aud: str = "sts.amazonaws.com") -> Attack:
    """An attempt of a workflow on GitHub to assume production's deploy role."""
    return attack(
        OUTSIDER,
        name,
        *guards,
        by=lambda: Principal(federated=PROVIDER),
        action="sts:AssumeRoleWithWebIdentity",
        arn=lambda: prod().arn("DeployRole"),
        on=lambda: prod().trust("DeployRole"),
        context=lambda: {f"{ISSUER}:sub": sub, f"{ISSUER}:aud": aud},
    )


SUBJECT = f"trust/Allow: Condition {ISSUER}:sub"
WORKFLOWS = (
    workflow("deploys to production from a pull request", SUBJECT, sub="repo:acme/carbon:pull_request"),
    workflow("deploys to production from the environment dev", SUBJECT, sub="repo:acme/carbon:environment:dev"),
    workflow("deploys to production from another repository of the organization", SUBJECT, sub="repo:acme/other:environment:prod"),
    workflow("deploys to production from a repository whose name has the same beginning", SUBJECT, sub="repo:acme/carbon-fork:environment:prod"),
    workflow("deploys to production from a repository that took over the name", SUBJECT, sub="repo:acme@999/carbon@888:environment:prod"),
    workflow("deploys to production with a token for another audience", f"trust/Allow: Condition {ISSUER}:aud", sub="repo:acme/carbon:environment:prod", aud="https://github.com/acme"),
)  # fmt: skip


def deploys(
    name: str,
    action: str,
    *guards: str,
    arn: Callable[[], str] = lambda: "*",
    on: Callable[[], Resource] = of_account,
    by: Callable[[], Launched] = dev,
    **context: str,
) -> Attack:
    """An attempt with the deploy role of development."""
    return attack(
        DEPLOY,
        name,
        *guards,
        by=role_of(by, "DeployRole"),
        action=action,
        arn=arn,
        on=on,
        context=lambda: {key.replace("_", ":"): value for key, value in context.items()},
    )


PRODUCT_ARN = f"arn:aws:catalog:{REGION}:{ACCOUNT}:product/prod-a"
DEPLOYS = (
    deploys("pushes an image to the repository of production", "ecr:PutImage", "push-to-repository/PushToThisRepository: Resource", arn=lambda: prod().arn("ImageRepositoryOfEnvironment")),
    deploys("updates an environment itself, with any parameter, version or tag", "servicecatalog:UpdateProvisionedProduct", "no statement", servicecatalog_roleLevel="self"),
    deploys("updates the image of production", "lambda:InvokeFunction", "update-image/UpdateTheImageOfThisEnvironment: Resource", arn=lambda: prod().arn("ImageUpdateFunction")),
    deploys("replaces the code of its environment's function", "lambda:UpdateFunctionCode", "no statement", arn=lambda: dev().arn("ImageUpdateFunction")),
    deploys("gives itself a role with Service Catalog", "iam:PassRole", "no statement", arn=lambda: dev().arn("ImageUpdateRole")),
    deploys("launches another environment", "servicecatalog:ProvisionProduct", "no statement", arn=lambda: PRODUCT_ARN),
    deploys("terminates its environment", "servicecatalog:TerminateProvisionedProduct", "no statement", servicecatalog_roleLevel="self"),
    deploys("deletes images", "ecr:BatchDeleteImage", "no statement", arn=lambda: dev().arn("ImageRepositoryOfEnvironment")),
    deploys("passes a role of production to its own task", "iam:PassRole", "no statement", arn=lambda: prod().arn("ApiTaskRole")),
)  # fmt: skip
