"""Progress and `why` show what ECS knows about a service that does not become stable."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.common.embedded_sessions import with_credentials
from embedded_aws.server import EmbeddedAws, EmbeddedAwsError
from pipeline.aws import Aws
from pipeline.environments.provisioning.stacks import find_stack
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from pipeline.stacks import deploy
from pipeline.stacks.deploy import Launched
from pipeline.stacks.diagnosis.progress import ServiceWatch
from pipeline.stacks.diagnosis.why import explain, nothing_known
from templates_src.functions.service_diagnosis import Reader
from tests.launches.environments import Environment

STACK = "carbon-connect-dev"
CIRCUIT_BREAKER = "ECS Deployment Circuit Breaker was triggered"


@dataclass(frozen=True)
class Case:
    """A failing service: its outcome, and parts of lines that progress and `why` show."""

    outcome: Mapping[str, Any]
    progress: tuple[str, ...]
    why: tuple[str, ...]


CASES = {
    "exits": Case(
        {"container": "api", "exit_code": 3, "log": ["no [database]", "giving up"]},
        (
            "api: 0 of 1 tasks run",
            " failed task",
            "Essential container in task exited; container api exited with 3.",
            "    | no [database]",
            "    | giving up",
        ),
        (
            f"Compute: ApiService: Resource handler returned message: \"Error occurred during operation '{CIRCUIT_BREAKER}'",
            "ROLLBACK_SUCCESSFUL; 3 failed tasks, and 3 end the deployment: ECS deployment circuit breaker: tasks failed",
            "api: 3 tasks stopped",
            "    | giving up",
        ),
    ),
    "unhealthy": Case(
        {"container": "api", "health_status": 503},
        (
            "api: ECS: (port 8000) is unhealthy in (target-group ",
            "api: unhealthy targets 10.0.48.",
            "Health checks failed with these codes: [503] (Target.ResponseCodeMismatch).",
        ),
        (
            "due to (reason Health checks failed with these codes: [503])",
            "Task failed ELB health checks in (target-group ",
        ),
    ),
    "cannot-start": Case(
        {"container": "beat", "start_error": "CannotPullContainerError: no such image"},
        ("beat: ", " stopped, the last one at ", "CannotPullContainerError: no such image."),
        ("beat: 3 tasks stopped", "CannotPullContainerError: no such image."),
    ),
    "no-capacity": Case(
        {"container": "worker", "no_capacity": "FARGATE_SPOT"},
        (
            "worker: 0 of 1 tasks run.",
            "worker: ECS: was unable to place a task. Reason: Capacity is unavailable at this time.",
            "The service uses Fargate Spot: wait for capacity, or change WorkerCapacity.",
        ),
        (
            "Compute: WorkerService: ",
            "worker: ECS: was unable to place a task. Reason: Capacity is unavailable",
        ),
    ),
}


def followed(
    environment: Environment, release: Release, tag: str, aws: Aws | None = None
) -> tuple[Launched, list[str]]:
    """The result of an update to another image, and the notes of its progress."""
    notes: list[str] = []
    client = aws or environment.aws
    watch = ServiceWatch(client, lambda _: None, notes.append)
    return deploy.launch(
        client, release, environment.values(ImageTag=tag), watch, notes.append
    ), notes


@pytest.fixture(scope="module", params=CASES)
def failed(
    request: pytest.FixtureRequest,
    running: EmbeddedAws,
    environment: Environment,
    release: Release,
) -> tuple[Case, Launched, list[str], list[str]]:
    """A failed update, its progress, and what `why` says afterwards."""
    case = CASES[request.param]
    running.fail_service(**case.outcome, image_tag=request.param, seconds=1.5)
    launched, notes = followed(environment, release, request.param)
    return case, launched, notes, explain(environment.aws, find_stack(environment.aws, STACK))


Failed = tuple[Case, Launched, list[str], list[str]]


def test_update_is_rolled_back_and_progress_has_the_reason(failed: Failed) -> None:
    case, launched, notes, _ = failed

    assert launched.status == "UPDATE_ROLLBACK_COMPLETE"
    for part in case.progress:
        assert any(part in note for note in notes), (part, notes)
    assert not [note for note in notes if notes.count(note) > 1]


def test_why_has_the_reason_after_the_rollback(failed: Failed) -> None:
    case, _, _, lines = failed

    assert lines[0].startswith(f"{STACK} is in UPDATE_ROLLBACK_COMPLETE; its last update began on ")
    for part in case.why:
        assert any(part in line for line in lines), (part, lines)
    assert not [line for line in lines if line.startswith("Nothing failed")]


def test_other_services_are_not_mentioned(failed: Failed) -> None:
    case, _, notes, lines = failed
    others = {"api", "worker", "beat"} - {case.outcome["container"]}

    assert not [
        line for line in (*notes, *lines) for name in others if line.startswith(f"{name}: ")
    ]


def test_reasons_of_earlier_updates_are_not_repeated(failed: Failed) -> None:
    case, _, notes, lines = failed
    earlier = [each.why[-1] for each in CASES.values() if each is not case]

    assert not [line for line in (*notes, *lines) for reason in earlier if reason in line]


def test_nothing_is_said_about_an_update_that_succeeds(
    environment: Environment, release: Release
) -> None:
    launched, notes = followed(environment, release, "better")

    assert launched.succeeded
    assert notes == []
    assert explain(environment.aws, find_stack(environment.aws, STACK))[1:] == [
        "Nothing failed, and every service runs its tasks."
    ]


def limited(environment: Environment, *actions: str) -> Aws:
    """A user who has only these permissions."""
    iam = environment.client("iam")
    name = f"limited-{len(actions)}-{abs(hash(actions))}"
    iam.create_user(UserName=name)
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_user_policy(
        UserName=name,
        PolicyName="limited",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return with_credentials(environment.aws, key["AccessKeyId"], key["SecretAccessKey"])


DEPLOYS = ("cloudformation:*", "sts:*", "s3:*", "servicecatalog:*")


def test_missing_permissions_are_named_once_and_the_update_goes_on(
    running: EmbeddedAws, environment: Environment, release: Release
) -> None:
    running.fail_service("api", exit_code=1, image_tag="denied", seconds=1.5)
    user = limited(environment, *DEPLOYS)

    launched, notes = followed(environment, release, "denied", user)

    assert launched.status == "UPDATE_ROLLBACK_COMPLETE"
    assert notes == [
        "Some reasons are not shown, because these credentials lack ecs:DescribeServices."
    ]


def test_why_names_missing_permissions_and_shows_the_rest(environment: Environment) -> None:
    user = limited(environment, *DEPLOYS, "ecs:DescribeServices")

    lines = explain(user, find_stack(user, STACK))

    assert any(CIRCUIT_BREAKER in line for line in lines)
    assert any(line.startswith("api: ECS: ") for line in lines)
    (missing,) = (line for line in lines if line.startswith("Some reasons are not shown"))
    assert missing.endswith("lack ecs:ListServiceDeployments, ecs:ListTasks.") or (
        "ecs:ListTasks" in missing and "ecs:ListServiceDeployments" in missing
    )


def test_failed_launch_has_its_reasons_before_the_rollback_deletes_the_cluster(
    running: EmbeddedAws, release: Release
) -> None:
    running.fail_service("beat", exit_code=7, image_tag="first", log=["no broker"], seconds=1.0)
    other = Environment(
        running, release, "dev", Project="other", BucketNamespace="account-regional"
    )
    values = other.values(ImageTag="first")
    notes: list[str] = []
    watch = ServiceWatch(other.aws, lambda _: None, notes.append)

    launched = deploy.launch(other.aws, release, values, watch, notes.append)
    lines = explain(other.aws, find_stack(other.aws, "other-dev"))

    assert launched.status == "ROLLBACK_COMPLETE"
    assert any("container beat exited with 7" in note for note in notes)
    assert "    | no broker" in notes
    assert "its last launch began on" in lines[0]
    assert lines[-1].startswith("ECS knows nothing more about this operation")


def test_old_operation_says_that_ecs_keeps_tasks_for_an_hour(environment: Environment) -> None:
    began = datetime.now(UTC) - timedelta(hours=3)
    reader = Reader(environment.aws.client)

    (line,) = nothing_known(failed=True, found=[], began=began, reader=reader)

    assert line == (
        "ECS knows nothing more: it keeps stopped tasks for about one hour, and the operation is older."
    )


def test_environment_that_does_not_exist_is_one_sentence(environment: Environment) -> None:
    with pytest.raises(PipelineError, match="nothing-dev has no stack in eu-north-1"):
        find_stack(environment.aws, "nothing-dev")


@pytest.mark.parametrize(
    ("allowed", "says"),
    [
        (
            "sts:GetCallerIdentity",
            rf"^Could not read the stack of {STACK} in eu-north-1: these credentials lack cloudformation:DescribeStacks and "
            "servicecatalog:DescribeProvisionedProduct; use a role that has the permission",
        ),
        (
            "servicecatalog:DescribeProvisionedProduct",
            rf"^These credentials see no provisioned product {STACK} in eu-north-1, and lack cloudformation:DescribeStacks",
        ),
    ],
)
def test_missing_permission_is_named_first(
    environment: Environment, allowed: str, says: str
) -> None:
    with pytest.raises(PipelineError, match=says):
        find_stack(limited(environment, allowed), STACK)


def test_command_shows_the_reasons(running: EmbeddedAws, environment: Environment) -> None:
    finished = subprocess.run(
        [sys.executable, PROJECT_FOLDER / "build.py", "why", "dev"],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", **running.environment()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == explain(
        environment.aws, find_stack(environment.aws, STACK)
    )


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ({}, "has one of exit_code, start_error, health_status, no_capacity and alarm"),
        ({"exit_code": 1, "health_status": 500}, "has one of"),
        ({"exitcode": 1}, "has no exitcode"),
    ],
)
def test_outcome_that_is_not_one_is_refused(
    running: EmbeddedAws, outcome: Mapping[str, Any], reason: str
) -> None:
    with pytest.raises(EmbeddedAwsError, match=reason):
        running.fail_service("api", **outcome)
