"""The migration: one task of a new image that changes the database before any service changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awacs import awslambda, ecs
from awacs import iam as iam_actions
from awacs import logs as logs_actions
from awacs.aws import Allow, ArnEquals, Condition, Statement, StringEquals
from troposphere import And, GetAtt, Ref, Sub
from troposphere import Condition as Named
from troposphere.awslambda import Function
from troposphere.ecs import Cluster, TaskDefinition
from troposphere.iam import PolicyType
from troposphere.logs import LogGroup

from templates_src.compute.repository import IMAGE_TAG, ImageSource
from templates_src.compute.tasks.workloads import MIGRATION, MIGRATION_COMMAND
from templates_src.core import iam
from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.layer import Layer, follow_if_created
from templates_src.core.parameters.wiring.network import PRIVATE_SUBNET_IDS
from templates_src.core.parameters.wiring.security import (
    EXECUTION_ROLE_ARN,
    WORKER_SECURITY_GROUP_ID,
)

RESOURCE = "Migration"
# The condition of the resource contains that of the image.
IMAGE_IS_SET = {
    "cfn-lint": {"config": {"ignore_checks": ["W1028"]}},
    "Reason": "The same expression as in the task definitions: here the image is always set.",
}
TASKS = "ecs-tasks.amazonaws.com"
# Lambda's maximum; the function invokes itself before it ends.
TIMEOUT_SECONDS = 900
# CloudFormation waits at most an hour. The rest is for the start of the function, and for a migration that is stopped.
SERVICE_TIMEOUT_SECONDS = 3600
WAIT_SECONDS = 3420
# functions/run_migration/tasks.py sets it on the tasks that it starts.
STARTED_BY = ("StartedBy", "migration")


def add_migration(
    layer: Layer,
    cluster: Cluster,
    source: ImageSource,
    task: TaskDefinition,
    group: LogGroup,
    after: list[str],
    after_if_created: Mapping[str, str],
) -> dict[str, str]:
    """The function that runs the migration, and its custom resource, on which the services depend; returns its condition by its title.

    Both exist only with a command and an image: a launch without them costs and waits for nothing, and the placeholder
    never runs a migration. Delete stops a migration that still runs, so that the cluster can be deleted.
    """
    condition = layer.condition(
        "UseMigration", And(Named(layer.has(MIGRATION_COMMAND)), Named(layer.has(IMAGE_TAG)))
    )
    function = add_function(
        layer,
        "run_migration",
        description="Runs the migration of a new image before the services change",
        timeout_seconds=TIMEOUT_SECONDS,
        environment={"WAIT_SECONDS": str(WAIT_SECONDS)},
        statements=(
            *use_tasks(layer, cluster),
            read_log(group),
            iam.see_own_stack_and_root("SeeWhetherAnUpdateIsRolledBack", "Compute"),
        ),
        condition=condition,
    )
    own = allow_continuation(layer, function, condition)
    resource = add_custom_resource(
        layer,
        RESOURCE,
        function,
        condition=condition,
        DependsOn=[own.title, *after],
        Metadata={**follow_if_created(after_if_created), **IMAGE_IS_SET},
        Cluster=Ref(cluster),
        TaskDefinition=Ref(task),
        SubnetIds=layer.parameter(PRIVATE_SUBNET_IDS),
        SecurityGroupIds=[layer.parameter(WORKER_SECURITY_GROUP_ID)],
        LogGroup=Ref(group),
        RunsFor=[source.image, layer.parameter(MIGRATION_COMMAND)],
    )
    resource.ServiceTimeout = SERVICE_TIMEOUT_SECONDS
    return {str(resource.title): condition}


def allow_continuation(layer: Layer, function: Function, condition: str) -> PolicyType:
    """The function can invoke itself: a separate policy, because the function refers to its role."""
    return layer.add(
        PolicyType(
            "MigrationContinuation",
            Condition=condition,
            PolicyName="continue",
            Roles=[Ref("RunMigrationRole")],
            PolicyDocument=iam.document(
                Statement(
                    Sid="InvokeItself",
                    Effect=Allow,
                    Action=[awslambda.InvokeFunction],
                    Resource=[GetAtt(function, "Arn")],
                )
            ),
        )
    )


def use_tasks(layer: Layer, cluster: Cluster) -> tuple[Statement, ...]:
    """Start tasks of the migration's family, see the tasks of the cluster, and stop those that the function started."""
    inside: dict[str, Any] = {"ecs:cluster": GetAtt(cluster, "Arn")}
    ecs_arn = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:"
    # A task has no ARN before it starts, hence the asterisk.
    tasks = Sub(f"{ecs_arn}task/${{{cluster.title}}}/*")
    key, value = STARTED_BY
    return (
        Statement(
            Sid="RunTheMigration",
            Effect=Allow,
            Action=[ecs.RunTask],
            # Every revision of the one family: each image is a new revision.
            Resource=[
                Sub(f"{ecs_arn}task-definition/${{Project}}-${{Environment}}-{MIGRATION.name}:*")
            ],
            Condition=Condition(ArnEquals(inside)),
        ),
        Statement(
            Sid="TagTheTaskThatItStarts",
            Effect=Allow,
            Action=[ecs.TagResource],
            Resource=[tasks],
            Condition=Condition(StringEquals({"ecs:CreateAction": "RunTask"})),
        ),
        Statement(
            Sid="PassTheRolesOfTheTask",
            Effect=Allow,
            Action=[iam_actions.PassRole],
            Resource=[layer.parameter(EXECUTION_ROLE_ARN), layer.parameter(MIGRATION.task_role)],
            Condition=Condition(StringEquals({"iam:PassedToService": TASKS})),
        ),
        Statement(
            Sid="ListTheTasksOfTheCluster",
            Effect=Allow,
            Action=[ecs.ListTasks],
            # The resource type of the action is the container instance, which Fargate does not have.
            Resource=["*"],
            Condition=Condition(ArnEquals(inside)),
        ),
        Statement(
            Sid="SeeTheTask",
            Effect=Allow,
            Action=[ecs.DescribeTasks],
            Resource=[tasks],
            Condition=Condition(ArnEquals(inside)),
        ),
        Statement(
            Sid="StopTheTaskThatItStarted",
            Effect=Allow,
            Action=[ecs.StopTask],
            Resource=[tasks],
            Condition=Condition(StringEquals({f"aws:ResourceTag/{key}": value})),
        ),
    )


def read_log(group: LogGroup) -> Statement:
    """Read the last lines of a migration."""
    return Statement(
        Sid="ReadTheLogOfTheMigration",
        Effect=Allow,
        Action=[logs_actions.GetLogEvents],
        Resource=[GetAtt(group, "Arn")],
    )
