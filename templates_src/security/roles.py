"""Roles of the ECS tasks. The layers that have the buckets, the repository, the log groups and ECS Exec grant access to them."""

from __future__ import annotations

from typing import Any

from awacs import cloudwatch, ecr
from awacs.aws import Allow, ArnLike, Condition, Statement, StringEquals
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere.iam import Policy, Role

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import metric_namespace
from templates_src.security.secrets import (
    CLAUDE_API_KEY,
    CLIMATIQ_API_KEY,
    INJECTED,
    GeneratedSecret,
    TypedSecret,
    read_statements,
)

TASKS = "ecs-tasks.amazonaws.com"
# A task that reads the API key itself gets a new key without a restart; beat calls neither API.
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
    """The role that ECS uses to start a task: it signs in to the registry and reads the secrets of the container."""
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
    """A role that ECS tasks can assume under the condition."""
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
    """Prevent the confused deputy problem: only tasks of this account.

    AWS documents aws:SourceArn only for task roles; with an execution role that ECS cannot assume, no task starts.
    """
    return Condition(StringEquals({"aws:SourceAccount": AccountId}))


def from_tasks_of_this_region() -> Condition:
    """Prevent the confused deputy problem, as AWS recommends for task roles: only tasks of this account and region.

    The wildcard is for tasks, which have no ARN before they start; ECS does not support the name of the cluster.
    """
    tasks = Sub("arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:*")
    return Condition(
        [
            StringEquals({"aws:SourceAccount": AccountId}),
            ArnLike({"aws:SourceArn": tasks}),
        ]
    )


def sign_in_to_registry() -> Statement:
    """A token for the registry, which gives no access to images; the action has no resource type, hence the ``*``."""
    return Statement(
        Sid="SignInToRegistry", Effect=Allow, Action=[ecr.GetAuthorizationToken], Resource=["*"]
    )


def publish_metrics() -> Statement:
    """Metrics in the namespace of the environment; a metric has no ARN, hence the ``*``."""
    namespace: dict[str, Any] = {"cloudwatch:namespace": metric_namespace()}
    return Statement(
        Sid="PublishMetricsOfThisEnvironment",
        Effect=Allow,
        Action=[cloudwatch.PutMetricData],
        Resource=["*"],
        Condition=Condition(StringEquals(namespace)),
    )
