"""ECS Exec: a shell in a running container, with logged sessions, for principals that IAM allows."""

from __future__ import annotations

from awacs import logs as logs_actions
from awacs import ssmmessages
from awacs.aws import Allow, Statement
from troposphere import Equals, GetAtt, If, NoValue, Ref
from troposphere.ecs import (
    ClusterConfiguration,
    ExecuteCommandConfiguration,
    ExecuteCommandLogConfiguration,
)
from troposphere.iam import PolicyType
from troposphere.logs import LogGroup

from templates_src.compute.tasks.containers import READONLY_ROOT
from templates_src.core import iam
from templates_src.core.layer import DELETED_WITH_THE_STACK, Layer, Rule
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import FALSE, TRUE, boolean
from templates_src.core.parameters.shared import LOG_RETENTION_DAYS
from templates_src.core.parameters.wiring.security import (
    API_TASK_ROLE_NAME,
    BEAT_TASK_ROLE_NAME,
    KEY_ARN,
    WORKER_TASK_ROLE_NAME,
)

EXECUTE_COMMAND = boolean(
    "EnableExecuteCommand",
    group=groups.CONTAINERS,
    label="ECS Exec",
    description="Allow shells in running containers, with logged sessions; needs a writable root file system. false deletes the log of the sessions.",
    default="false",
)


def add_execute_command(layer: Layer) -> If:
    """Log and permissions of ECS Exec where it is on; returns the cluster's configuration."""
    require_writable_root(layer)
    use = layer.use(EXECUTE_COMMAND)
    group = layer.add(
        LogGroup(
            "ExecuteCommandLogGroup",
            Condition=use,
            RetentionInDays=layer.parameter(LOG_RETENTION_DAYS),
            KmsKeyId=layer.parameter(KEY_ARN),
            **DELETED_WITH_THE_STACK,
        )
    )
    layer.add(
        PolicyType(
            "ExecuteCommandPolicy",
            Condition=use,
            PolicyName="execute-command",
            Roles=[
                layer.parameter(role)
                for role in (API_TASK_ROLE_NAME, WORKER_TASK_ROLE_NAME, BEAT_TASK_ROLE_NAME)
            ],
            PolicyDocument=iam.document(*execute_command(group)),
        )
    )
    logged = ClusterConfiguration(
        ExecuteCommandConfiguration=ExecuteCommandConfiguration(
            Logging="OVERRIDE",
            LogConfiguration=ExecuteCommandLogConfiguration(
                CloudWatchLogGroupName=Ref(group), CloudWatchEncryptionEnabled=True
            ),
        )
    )
    return If(use, logged, NoValue)


def require_writable_root(layer: Layer) -> None:
    """The agent of ECS Exec writes inside the container, and does not start where it cannot."""
    layer.rule(
        Rule(
            "ExecuteCommandHasWritableRoot",
            parameters=(EXECUTE_COMMAND, READONLY_ROOT),
            when=Equals(Ref(EXECUTE_COMMAND.name), TRUE),
            holds=Equals(Ref(READONLY_ROOT.name), FALSE),
            message="ReadonlyRootFilesystem must be false when EnableExecuteCommand is true.",
        )
    )


def execute_command(group: LogGroup) -> tuple[Statement, ...]:
    """The permissions to open a session and to log it."""
    return (
        Statement(
            Sid="OpenSessionChannels",
            Effect=Allow,
            Action=[
                ssmmessages.CreateControlChannel,
                ssmmessages.CreateDataChannel,
                ssmmessages.OpenControlChannel,
                ssmmessages.OpenDataChannel,
            ],
            # Channels have no ARN to name.
            Resource=["*"],
        ),
        Statement(
            Sid="FindTheLogGroup",
            Effect=Allow,
            Action=[logs_actions.DescribeLogGroups],
            # The agent lists all groups to find its own and whether it is encrypted.
            Resource=["*"],
        ),
        Statement(
            Sid="LogTheSession",
            Effect=Allow,
            Action=[
                logs_actions.CreateLogStream,
                logs_actions.DescribeLogStreams,
                logs_actions.PutLogEvents,
            ],
            Resource=[GetAtt(group, "Arn")],
        ),
    )
