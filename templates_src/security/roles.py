"""Roles of the ECS tasks; buckets, repository, log groups and ECS Exec are granted by the layers that own them."""

from __future__ import annotations

from typing import Any

from awacs import cloudwatch, ecr
from awacs.aws import Allow, ArnLike, Condition, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere.iam import Policy, Role

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.shared import metric_namespace
from templates_src.security.secrets import (
    CLAUDE_API_KEY,
    CLIMATIQ_API_KEY,
    INJECTED,
    GeneratedSecret,
    TypedSecret,
    read_statements,
)

TASKS = "ecs-tasks.amazonaws.com"
# A task picks up a new API key without a restart by reading it itself; beat calls neither API.
READ_BY_TASKS: dict[str, tuple[GeneratedSecret | TypedSecret, ...]] = {
    "ApiTaskRole": (CLAUDE_API_KEY, CLIMATIQ_API_KEY),
    "WorkerTaskRole": (CLAUDE_API_KEY, CLIMATIQ_API_KEY),
    "BeatTaskRole": (),
}


def add_task_roles(layer: Layer, arns: dict[str, Ref], key_arn: GetAtt) -> list[Role]:
    """The execution role, and a task role for each service."""
    roles = [add_execution_role(layer, arns, key_arn)]
    for title, secrets in READ_BY_TASKS.items():
        policies = [policy("publish-metrics", publish_metrics())]
        if secrets:
            policies.append(policy("read-secrets", *read_statements(arns, secrets, key_arn)))
        roles.append(add_role(layer, title, from_tasks_of_this_region(), policies))
    return roles


def add_execution_role(layer: Layer, arns: dict[str, Ref], key_arn: GetAtt) -> Role:
    """The role with which ECS starts a task: it signs in to the registry and reads what it injects."""
    return add_role(
        layer,
        "ExecutionRole",
        from_this_account(),
        [
            policy("pull-images", sign_in_to_registry()),
            policy("read-secrets", *read_statements(arns, INJECTED, key_arn)),
        ],
    )


def add_role(layer: Layer, title: str, condition: Condition, policies: list[Policy]) -> Role:
    """A role that ECS tasks take on under the condition."""
    return layer.add(
        Role(
            title,
            AssumeRolePolicyDocument=iam.trusted_service(TASKS, condition=condition),
            Policies=policies,
            **layer.role_properties(),
        )
    )


def policy(name: str, *statements: Statement) -> Policy:
    """An inline policy of a role."""
    return Policy(PolicyName=name, PolicyDocument=iam.document(*statements))


def from_this_account() -> Condition:
    """Against a confused deputy: only for tasks of this account.

    AWS documents aws:SourceArn for task roles only; an execution role that cannot be taken on starts nothing.
    """
    return Condition(StringEquals({"aws:SourceAccount": AccountId}))


def from_tasks_of_this_region() -> Condition:
    """Against a confused deputy, as AWS recommends for task roles: this account and region, any task in it.

    The wildcard stands for tasks, which have no ARN before they start; ECS does not support naming their cluster.
    """
    tasks = Sub("arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:*")
    return Condition(
        [
            StringEquals({"aws:SourceAccount": AccountId}),
            ArnLike({"aws:SourceArn": tasks}),
        ]
    )


def sign_in_to_registry() -> Statement:
    """A token for the registry, which gives access to no image; ECR has no resource to name here, hence the ``*``."""
    return Statement(
        Sid="SignInToRegistry", Effect=Allow, Action=[ecr.GetAuthorizationToken], Resource=["*"]
    )


def publish_metrics() -> Statement:
    """Metrics in the environment's own namespace; a metric has no ARN, hence the ``*``."""
    namespace: dict[str, Any] = {"cloudwatch:namespace": metric_namespace()}
    return Statement(
        Sid="PublishMetricsOfThisEnvironment",
        Effect=Allow,
        Action=[cloudwatch.PutMetricData],
        Resource=["*"],
        Condition=Condition(StringEquals(namespace)),
    )
