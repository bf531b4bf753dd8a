"""The function of the migration, against ECS, CloudWatch Logs and Lambda of the embedded AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from templates_src.functions import stack_status
from templates_src.functions.custom_resource import Deadline
from templates_src.functions.run_migration import handler as function
from templates_src.functions.run_migration import reasons, tasks
from tests.embedded_aws.tasks import REGISTRY, push_program, stopped
from tests.functions.cloudformation import STACK, Answers, Context
from tests.functions.databases import AMPLE

REQUEST = "7f2c"
AMPLE_DEADLINE = Deadline.after(3600)


class Family:
    """The family `app-migration` in a cluster, whose image runs shell scripts in a folder."""

    def __init__(self, client: Any, folder: Path) -> None:
        self.client, self.folder, self.name = client, folder, f"c{time.monotonic_ns()}"
        self.ecs = client("ecs")
        self.ecs.create_cluster(clusterName=self.name)
        client("ecr").create_repository(repositoryName=self.name)
        client("logs").create_log_group(logGroupName=self.name)
        statement = {"Effect": "Allow", "Action": ["ecr:*", "logs:*"], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.role = client("iam").create_role(
            RoleName=self.name, AssumeRolePolicyDocument=document
        )["Role"]["Arn"]
        client("iam").put_role_policy(RoleName=self.name, PolicyName="own", PolicyDocument=document)
        push_program(client("ecr"), self.name, "1", folder)

    def properties(self, *command: str, tag: str = "1") -> dict[str, Any]:
        """The properties of the resource for a command."""
        image = f"{REGISTRY}/{self.name}:{tag}"
        container = {
            "name": "migration",
            "image": image,
            "command": list(command),
            "linuxParameters": {"initProcessEnabled": True},
            "stopTimeout": 2,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": self.name,
                    "awslogs-region": "eu-north-1",
                    "awslogs-stream-prefix": "migration",
                },
            },
        }
        definition = self.ecs.register_task_definition(
            family=f"{self.name}-migration",
            networkMode="awsvpc",
            executionRoleArn=self.role,
            containerDefinitions=[container],
        )["taskDefinition"]["taskDefinitionArn"]
        return {
            "ServiceToken": "arn",
            "Cluster": self.name,
            "TaskDefinition": definition,
            "SubnetIds": ["subnet-1"],
            "SecurityGroupIds": ["sg-1"],
            "LogGroup": self.name,
            "RunsFor": [image, " ".join(command)],
        }

    def script(self, text: str) -> tuple[str, str]:
        """A command that runs a script."""
        (self.folder / "migrate.sh").write_text(text + "\n")
        return "sh", "migrate.sh"

    def started(self) -> list[str]:
        """Every task of the family."""
        return [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in self.ecs.list_tasks(
                cluster=self.name, family=f"{self.name}-migration", desiredStatus=status
            )["taskArns"]
        ]

    def running(self) -> str:
        """The only task, once it has written its first line."""
        while True:
            (task,) = self.started()
            try:
                stream = tasks.Tasks.stream(task)
                if self.client("logs").get_log_events(logGroupName=self.name, logStreamName=stream)[
                    "events"
                ]:
                    return task
            except ClientError:
                time.sleep(0.02)


@pytest.fixture
def family(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Family]:
    monkeypatch.setenv("WAIT_SECONDS", "60")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "run-migration")
    in_status(monkeypatch, "UPDATE_IN_PROGRESS")
    found = Family(client, tmp_path)
    yield found
    for task in found.ecs.list_tasks(cluster=found.name)["taskArns"]:
        found.ecs.stop_task(cluster=found.name, task=task)


def in_status(monkeypatch: pytest.MonkeyPatch, status: str, root: str = "") -> None:
    """Let the stack be in a status, and its root in another one."""
    statuses = {
        STACK: {"StackStatus": status, "RootId": "root"},
        "root": {"StackStatus": root or status},
    }
    monkeypatch.setattr(stack_status, "describe_stack", lambda stack: statuses[stack])


def create(
    answers: Answers, properties: dict[str, Any], context: Context = AMPLE
) -> dict[str, Any]:
    """The answer to a Create."""
    function.handler(answers.event("Create", properties), context)
    return answers.taken[-1]


def test_success(family: Family, answers: Answers) -> None:
    answer = create(answers, family.properties(*family.script("echo done")))

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "migration")
    (task,) = family.started()
    described = family.ecs.describe_tasks(cluster=family.name, tasks=[task], include=["TAGS"])
    assert tasks.TAG in described["tasks"][0]["tags"]
    assert described["tasks"][0]["launchType"] == "FARGATE"


def test_failure_has_code_and_last_lines(family: Family, answers: Answers) -> None:
    command = family.script("for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done; exit 3")

    reason = create(answers, family.properties(*command))["Reason"]

    (task,) = family.started()
    assert reason == (
        "The migration failed with exit code 3; no service was changed."
        f" Last lines: {' | '.join(f'line {i}' for i in range(1, 10))}."
        f" Log stream: migration/migration/{task.rpartition('/')[2]}."
    )


def test_long_output_keeps_the_last_lines(family: Family, answers: Answers) -> None:
    command = family.script(f"for i in $(seq 100); do echo {'x' * 150} $i; done; exit 1")

    reason = create(answers, family.properties(*command))["Reason"]

    assert len(reason) <= 600
    assert f"{'x' * 150} 100." in reason
    assert " 90 |" not in reason


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("postgresql://carbon_app_1:hidden@db:5432/x failed", "postgresql://***@db:5432/x failed"),
        ("redis://:hidden@cache:6379", "redis://***@cache:6379"),
        ("DB_PASSWORD=hidden next", "DB_PASSWORD=*** next"),
        ('{"api_key": "hidden", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("token: hidden", "token: ***"),
        ("\x1b[31merror\x1b[0m: no\ttable", "error: no table"),
        ("no secret here: table users", "no secret here: table users"),
    ],
)
def test_line_is_shown_without_secrets(line: str, shown: str) -> None:
    assert reasons.visible(line) == shown


def test_missing_image(family: Family, answers: Answers) -> None:
    reason = create(answers, family.properties("true", tag="no"))["Reason"]

    assert reason.startswith("The migration did not start, and no service was changed. Push ")
    assert "CannotPullContainerError" in reason


def test_unknown_command(family: Family, answers: Answers) -> None:
    reason = create(answers, family.properties("no-such-command"))["Reason"]

    assert "exit code 127 (the image has no such command)" in reason
    assert "exec no-such-command failed" in reason


def test_repeated_request_starts_one_task(family: Family, answers: Answers) -> None:
    properties = family.properties(*family.script("echo once"))

    assert create(answers, properties)["Status"] == create(answers, properties)["Status"]
    assert len(family.started()) == 1


def test_second_migration_is_refused_while_one_runs(family: Family, answers: Answers) -> None:
    properties = family.properties(*family.script("echo ready; sleep 30"))
    tasks.Tasks(family.ecs, properties).start("another", AMPLE_DEADLINE)
    running = family.running()

    reason = create(answers, properties)["Reason"]

    assert f"Task {running.rpartition('/')[2]} of the migration runs already" in reason
    assert family.started() == [running]


def test_stopping_migration_counts_as_running(family: Family, answers: Answers) -> None:
    properties = family.properties(
        *family.script("trap '' TERM; echo ready; sleep 30 & wait; wait")
    )
    tasks.Tasks(family.ecs, properties).start("another", AMPLE_DEADLINE)
    family.ecs.stop_task(cluster=family.name, task=family.running())

    assert "runs already" in create(answers, properties)["Reason"]


def test_update_of_the_same_image_and_command_starts_nothing(
    family: Family, answers: Answers
) -> None:
    old, new = (family.properties(*family.script("echo no")) for _ in range(2))
    assert old["TaskDefinition"] != new["TaskDefinition"]

    function.handler(answers.event("Update", new, OldResourceProperties=old), AMPLE)

    assert answers.only["Status"] == "SUCCESS"
    assert family.started() == []


@pytest.mark.parametrize("changed", [0, 1], ids=["image", "command"])
def test_update_of_image_or_command_starts_the_task(
    family: Family, answers: Answers, changed: int
) -> None:
    new = family.properties(*family.script("echo yes"))

    before = [*new["RunsFor"]]
    before[changed] = "other"

    function.handler(
        answers.event("Update", new, OldResourceProperties={**new, "RunsFor": before}), AMPLE
    )

    assert answers.only["Status"] == "SUCCESS"
    assert len(family.started()) == 1


@pytest.mark.parametrize(
    ("own", "root"),
    [
        ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_IN_PROGRESS"),
        ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
    ],
)
def test_rollback_starts_nothing_and_stops_what_runs(
    family: Family, answers: Answers, monkeypatch: pytest.MonkeyPatch, own: str, root: str
) -> None:
    new = family.properties(*family.script("echo ready; exec sleep 30"))
    tasks.Tasks(family.ecs, new).start("cancelled", AMPLE_DEADLINE)
    running = family.running()
    in_status(monkeypatch, own, root)

    function.handler(
        answers.event("Update", {**new, "RunsFor": ["old", "old"]}, OldResourceProperties=new),
        AMPLE,
    )

    assert answers.only["Status"] == "SUCCESS"
    assert stopped(family.ecs, family.name, running)["stopCode"] == "UserInitiated"
    assert family.started() == [running]


def test_delete_stops_what_runs_and_always_succeeds(family: Family, answers: Answers) -> None:
    properties = family.properties(*family.script("echo ready; exec sleep 30"))
    tasks.Tasks(family.ecs, properties).start("cancelled", AMPLE_DEADLINE)
    running = family.running()

    for cluster in (family.name, "no-such-cluster"):
        function.handler(answers.event("Delete", {**properties, "Cluster": cluster}), AMPLE)

    assert [answer["Status"] for answer in answers.taken] == ["SUCCESS", "SUCCESS"]
    assert stopped(family.ecs, family.name, running)["lastStatus"] == "STOPPED"


def test_unknown_status_of_the_stack_starts_nothing(
    family: Family, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_stack: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    monkeypatch.setattr(stack_status, "describe_stack", refuse)

    reason = create(answers, family.properties("true"))["Reason"]

    assert "no migration was started: AccessDenied" in reason
    assert family.started() == []


def test_late_migration_is_stopped(
    family: Family, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAIT_SECONDS", "1")

    reason = create(answers, family.properties(*family.script("exec sleep 30")))["Reason"]

    assert "did not end within 0 minutes and was stopped; no service was changed" in reason
    (task,) = family.started()
    assert stopped(family.ecs, family.name, task)["stopCode"] == "UserInitiated"


class Lambda:
    """Records asynchronous invocations, and refuses the first ones."""

    def __init__(self, refusals: int = 0) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.refusals = refusals

    def invoke(self, **request: Any) -> None:
        assert (request["FunctionName"], request["InvocationType"]) == ("run-migration", "Event")
        if self.refusals:
            self.refusals -= 1
            raise ClientError({"Error": {"Code": "ServiceException"}}, "Invoke")
        self.payloads.append(json.loads(request["Payload"]))


def with_lambda(monkeypatch: pytest.MonkeyPatch, client: Any, fake: Lambda) -> None:
    """Record invocations. The function that continues runs in this process, with the recorded event."""
    monkeypatch.setattr(
        boto3, "client", lambda name, **_: fake if name == "lambda" else client(name)
    )


def test_function_continues_in_another_invocation(
    family: Family, client: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Lambda()
    with_lambda(monkeypatch, client, fake)
    properties = family.properties(
        *family.script("echo ready; until [ -e go ]; do sleep 0.05; done; exit 5")
    )

    function.handler(answers.event("Create", properties), Context(30))

    assert answers.taken == []
    (event,) = fake.payloads
    assert event["RequestId"] == REQUEST
    assert event["ResponseURL"] == answers.url
    (family.folder / "go").touch()
    function.handler(event, AMPLE)
    assert "failed with exit code 5" in answers.only["Reason"]
    assert len(family.started()) == 1


def test_invocation_that_fails_is_tried_again(
    family: Family, client: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Lambda(refusals=2)
    with_lambda(monkeypatch, client, fake)

    function.handler(
        answers.event("Create", family.properties(*family.script("exec sleep 30"))), Context(35)
    )

    assert answers.taken == []
    assert len(fake.payloads) == 1


def test_migration_is_stopped_if_the_function_cannot_continue(
    family: Family, client: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_lambda(monkeypatch, client, Lambda(refusals=100))

    function.handler(
        answers.event("Create", family.properties(*family.script("exec sleep 30"))), Context(17)
    )

    assert "could not invoke itself to wait for it: ServiceException" in answers.only["Reason"]
    (task,) = family.started()
    assert stopped(family.ecs, family.name, task)["stopCode"] == "UserInitiated"
