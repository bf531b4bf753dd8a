"""RunTask, StopTask, DescribeTasks and ListTasks: programs with exit codes and log lines, and refusals."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from tests.embedded_aws.conftest import Account
from tests.embedded_aws.tasks import REGISTRY, push_program, stopped
from tests.embedded_aws.test_authorization import Caller, document, refused

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}}
CLUSTER = "arn:aws:ecs:eu-north-1:123456789012:cluster/main"


class Cluster:
    """A cluster with a family `job` whose image is a program in `directory`."""

    def __init__(self, account: Account, directory: Path) -> None:
        self.account = account
        self.ecs: Any = account.client("ecs")
        self.ecs.create_cluster(clusterName="main")
        account.client("ecr").create_repository(repositoryName="app")
        push_program(account.client("ecr"), "app", "1", directory, FROM_IMAGE="image")
        account.client("logs").create_log_group(logGroupName="jobs")
        self.role("execution", {"Action": ["ecr:BatchGetImage", "secretsmanager:GetSecretValue"]})
        self.role("task", {"Action": "s3:ListAllMyBuckets"})

    def role(self, name: str, *statements: dict[str, Any]) -> str:
        iam = self.account.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({}))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return str(arn)

    def define(self, *command: str, tag: str = "1", **changes: Any) -> str:
        container = {
            "name": "job",
            "image": f"{REGISTRY}/app:{tag}",
            "command": list(command),
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "jobs",
                    "awslogs-region": "eu-north-1",
                    "awslogs-stream-prefix": "job",
                },
            },
            **changes,
        }
        return str(
            self.ecs.register_task_definition(
                family="job",
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                cpu="256",
                memory="512",
                executionRoleArn="arn:aws:iam::123456789012:role/execution",
                taskRoleArn="arn:aws:iam::123456789012:role/task",
                containerDefinitions=[container],
            )["taskDefinition"]["taskDefinitionArn"]
        )

    def start(self, definition: str = "job", **changes: Any) -> str:
        request = {
            "cluster": "main",
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            **changes,
        }
        answer = self.ecs.run_task(taskDefinition=definition, **request)
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    def run(self, *command: str, **changes: Any) -> dict[str, Any]:
        self.define(*command, **changes)
        return stopped(self.ecs, "main", self.start())

    def lines(self, task: str) -> list[str]:
        stream = f"job/job/{task.rpartition('/')[2]}"
        events = self.account.client("logs").get_log_events(
            logGroupName="jobs", logStreamName=stream, startFromHead=True
        )["events"]
        return [event["message"] for event in events]


@pytest.fixture
def cluster(account: Account, tmp_path: Path) -> Cluster:
    return Cluster(account, tmp_path)


def test_program_ends_with_its_exit_code_and_its_lines(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "job.sh").write_text("echo first; echo second >&2; exit 3\n")

    task = cluster.run("sh", "job.sh")

    container = task["containers"][0]
    assert (container["exitCode"], task["stopCode"]) == (3, "EssentialContainerExited")
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["group"] == "family:job"
    assert container["imageDigest"].startswith("sha256:")
    assert cluster.lines(task["taskArn"]) == ["first", "second"]


def test_program_has_variables_secrets_and_the_task_role(
    cluster: Cluster, account: Account
) -> None:
    secret = account.client("secretsmanager").create_secret(
        Name="s", SecretString=json.dumps({"url": "hidden"})
    )["ARN"]
    account.client("s3").create_bucket(
        Bucket="settings", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
    )
    account.client("s3").put_object(
        Bucket="settings", Key="app.env", Body=b'# comment\nFILE="quoted"\nPLAIN=from-file\n'
    )
    account.client("iam").put_role_policy(
        RoleName="execution",
        PolicyName="file",
        PolicyDocument=document({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::settings/*"}),
    )
    program = (
        "import os, boto3; print([os.environ[n] for n in ('PLAIN', 'FILE', 'SECRET', 'FROM_IMAGE')]);"
        "print(boto3.client('sts').get_caller_identity()['Arn'].split('/')[1])"
    )

    task = cluster.run(
        sys.executable,
        "-c",
        program,
        environment=[{"name": "PLAIN", "value": "plain"}],
        environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::settings/app.env"}],
        secrets=[{"name": "SECRET", "valueFrom": f"{secret}:url::"}],
    )

    assert cluster.lines(task["taskArn"]) == ["['plain', '\"quoted\"', 'hidden', 'image']", "task"]
    assert task["containers"][0]["exitCode"] == 0


def test_override_replaces_the_command(cluster: Cluster) -> None:
    cluster.define("sh", "-c", "exit 3")
    override = {
        "name": "job",
        "command": ["sh", "-c", "echo $WORD"],
        "environment": [{"name": "WORD", "value": "hello"}],
    }

    task = stopped(cluster.ecs, "main", cluster.start(overrides={"containerOverrides": [override]}))

    assert task["containers"][0]["exitCode"] == 0
    assert cluster.lines(task["taskArn"]) == ["hello"]


def test_image_without_a_program_ends_with_a_line(cluster: Cluster) -> None:
    task = cluster.run("anything", image="public.ecr.aws/docker/library/python:3.13-alpine")

    assert task["containers"][0]["exitCode"] == 0
    assert "python:3.13-alpine" in cluster.lines(task["taskArn"])[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tag": "missing"}, "CannotPullContainerError: pull image manifest has been retried"),
        (
            {
                "secrets": [
                    {
                        "name": "S",
                        "valueFrom": f"arn:aws:secretsmanager:eu-north-1:{'1' * 12}:secret:no-AbCdEf",
                    }
                ]
            },
            "ResourceInitializationError: unable to pull secrets",
        ),
        (
            {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::settings/app.env"}]},
            "ResourceInitializationError: failed to download env files",
        ),
        (
            {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "no"}}},
            "ResourceInitializationError: failed to validate logger args",
        ),
    ],
    ids=["image", "secret", "environment-file", "log-group"],
)
def test_task_does_not_start(cluster: Cluster, changes: dict[str, Any], reason: str) -> None:
    task = cluster.run("true", **changes)

    assert task["stoppedReason"].startswith(reason)
    assert task["stopCode"] == "TaskFailedToStart"
    assert "exitCode" not in task["containers"][0]


def test_image_needs_the_permission_of_the_execution_role(
    cluster: Cluster, account: Account
) -> None:
    account.client("iam").delete_role_policy(RoleName="execution", PolicyName="own")

    assert "403 Forbidden" in cluster.run("true")["stoppedReason"]


def test_unknown_command_fails_to_start_without_an_init_process(cluster: Cluster) -> None:
    task = cluster.run("no-such-command")

    assert task["stoppedReason"].startswith("CannotStartContainerError")
    assert '"no-such-command": executable file not found in $PATH' in task["stoppedReason"]


def test_unknown_command_ends_with_127_under_an_init_process(cluster: Cluster) -> None:
    task = cluster.run("no-such-command", linuxParameters={"initProcessEnabled": True})

    assert task["containers"][0]["exitCode"] == 127
    assert cluster.lines(task["taskArn"]) == [
        "[FATAL tini (7)] exec no-such-command failed: No such file or directory"
    ]


def test_stopped_task_gets_sigterm_and_keeps_its_exit_code(cluster: Cluster) -> None:
    cluster.define("sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    task = cluster.start()
    while not has_line(cluster, task):
        time.sleep(0.01)

    cluster.ecs.stop_task(cluster="main", task=task, reason="enough")

    after = stopped(cluster.ecs, "main", task)
    assert (after["stopCode"], after["stoppedReason"]) == ("UserInitiated", "enough")
    assert after["containers"][0]["exitCode"] == 7


def has_line(cluster: Cluster, task: str) -> bool:
    try:
        return bool(cluster.lines(task))
    except ClientError:
        return False


def test_stopping_task_is_not_listed_as_running(cluster: Cluster) -> None:
    cluster.define(
        "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done", stopTimeout=2
    )
    task = cluster.start()
    while not has_line(cluster, task):
        time.sleep(0.01)
    assert cluster.ecs.list_tasks(cluster="main", family="job")["taskArns"] == [task]

    cluster.ecs.stop_task(cluster="main", task=task)

    described = cluster.ecs.describe_tasks(cluster="main", tasks=[task])["tasks"][0]
    assert (described["desiredStatus"], described["lastStatus"]) == ("STOPPED", "RUNNING")
    assert cluster.ecs.list_tasks(cluster="main", family="job")["taskArns"] == []
    assert stopped(cluster.ecs, "main", task)["containers"][0]["exitCode"] == 137


def test_client_token_starts_one_task(cluster: Cluster) -> None:
    cluster.define("true")

    first = cluster.start(clientToken="t")

    assert cluster.start(clientToken="t") == first
    with pytest.raises(ClientError, match="ConflictException"):
        cluster.start(clientToken="t", startedBy="another")
    assert cluster.start(clientToken="u") != first


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"cluster": "other"}, "ClusterNotFoundException"),
        ({"definition": "unknown"}, "ClientException"),
        ({"networkConfiguration": {}}, "InvalidParameterException"),
        (
            {"overrides": {"containerOverrides": [{"name": "other", "command": ["true"]}]}},
            "InvalidParameterException",
        ),
    ],
    ids=["cluster", "task-definition", "network", "container"],
)
def test_request_is_refused(cluster: Cluster, changes: dict[str, Any], error: str) -> None:
    cluster.define("true")

    assert refused(cluster.start, **changes) == error


def test_inactive_definition_is_refused(cluster: Cluster) -> None:
    arn = cluster.define("true")
    cluster.ecs.deregister_task_definition(taskDefinition=arn)

    assert refused(cluster.start, definition=arn) == "ClientException"


ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in ("execution", "task")]
RUN_JOB = {
    "Action": "ecs:RunTask",
    "Resource": "arn:aws:ecs:eu-north-1:123456789012:task-definition/job:*",
    "Condition": {"ArnEquals": {"ecs:cluster": CLUSTER}},
}
PASS_ROLES = {
    "Action": "iam:PassRole",
    "Resource": ROLES,
    "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
}
OF_CLUSTER = {
    "Action": ["ecs:StopTask", "ecs:DescribeTasks"],
    "Resource": "arn:aws:ecs:eu-north-1:123456789012:task/main/*",
}


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ((RUN_JOB, PASS_ROLES), ""),
        ((RUN_JOB,), "AccessDeniedException"),
        ((PASS_ROLES,), "AccessDeniedException"),
        (
            ({**RUN_JOB, "Condition": {"ArnEquals": {"ecs:cluster": CLUSTER + "2"}}}, PASS_ROLES),
            "AccessDeniedException",
        ),
        ((RUN_JOB, {**PASS_ROLES, "Resource": ROLES[0]}), "AccessDeniedException"),
    ],
    ids=["all", "no-pass-role", "no-run-task", "other-cluster", "one-role"],
)
def test_caller_needs_run_task_and_pass_role(
    embedded: EmbeddedAws,
    account: Account,
    cluster: Cluster,
    statements: tuple[dict[str, Any], ...],
    error: str,
) -> None:
    arn = cluster.define("true")
    caller = Caller(embedded, account, *statements, OF_CLUSTER)
    cluster.ecs = caller.client("ecs")

    if error:
        assert refused(cluster.start, definition=arn) == error
        return
    task = stopped(cluster.ecs, "main", cluster.start(definition=arn))
    assert task["containers"][0]["exitCode"] == 0
    assert refused(cluster.ecs.list_tasks, cluster="main") == "AccessDeniedException"
