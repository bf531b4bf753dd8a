"""`run` starts a command in a task of the image, shows its log and returns its exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.environments.provisioning.stacks import find_stack
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from pipeline.stacks.diagnosis.one_off_tasks import TaskNotStartedError, follow_task, start_task
from tests.conftest import REGION
from tests.launches.environments import Environment

STACK = "carbon-connect-dev"
TAG = "runs"


def push(environment: Environment, folder: Path, tag: str) -> None:
    """Push an image whose commands run in a folder of this machine."""
    repository = environment.outputs()["RepositoryUri"].partition("/")[2]
    program = json.dumps({"directory": str(folder)})
    manifest = {"schemaVersion": 2, "annotations": {"embedded-aws.program": program}}
    environment.client("ecr").put_image(
        repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag
    )


@pytest.fixture(scope="module")
def environment(
    running: EmbeddedAws, release: Release, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """dev with an image that runs programs of this machine."""
    dev = Environment(running, release, "dev")
    assert dev.launch().succeeded
    push(dev, tmp_path_factory.mktemp("image"), TAG)
    assert dev.launch(ImageTag=TAG).succeeded
    return dev


def arguments(running: EmbeddedAws, *words: str) -> dict[str, Any]:
    return {
        "args": [sys.executable, PROJECT_FOLDER / "build.py", *words],
        "env": {"PATH": "/usr/bin:/bin", **running.environment()},
        "text": True,
    }


def run(running: EmbeddedAws, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        **arguments(running, "run", "dev", *words), capture_output=True, timeout=60, check=False
    )


def tasks(environment: Environment) -> Iterator[Mapping[str, Any]]:
    """The one-off tasks, the newest first."""
    ecs, cluster = environment.client("ecs"), environment.outputs()["ClusterName"]
    for status in ("RUNNING", "STOPPED"):
        found = ecs.list_tasks(cluster=cluster, startedBy="build.py", desiredStatus=status)
        if found["taskArns"]:
            yield from ecs.describe_tasks(cluster=cluster, tasks=found["taskArns"][::-1])["tasks"]


def test_run_shows_the_log_and_returns_the_status(
    running: EmbeddedAws, environment: Environment
) -> None:
    program = (
        "import os; print('in', os.environ['ENVIRONMENT']); print('[done]'); raise SystemExit(42)"
    )

    finished = run(running, "--", sys.executable, "-c", program)

    assert finished.returncode == 42, finished.stderr
    assert finished.stdout == "in dev\n[done]\n"
    (note,) = finished.stderr.splitlines()
    assert note.startswith("Task ")
    assert note.endswith("Ctrl-C stops the output, and not the task.")
    task = next(tasks(environment))
    assert task["capacityProviderName"] == "FARGATE"
    assert ":task-definition/carbon-connect-dev-api:" in task["taskDefinitionArn"]


def test_success_is_status_0_and_worker_has_its_own_task_definition(
    running: EmbeddedAws, environment: Environment
) -> None:
    finished = run(running, "--service", "worker", "--", "true")

    assert (finished.returncode, finished.stdout) == (0, "")
    found = next(each for each in tasks(environment) if "-dev-worker:" in each["taskDefinitionArn"])
    assert found["containers"][0]["exitCode"] == 0


@pytest.mark.usefixtures("environment")
@pytest.mark.usefixtures("environment")
def test_status_130_of_a_command_is_no_ctrl_c(running: EmbeddedAws) -> None:
    finished = run(running, "--", "sh", "-c", "exit 130")

    assert finished.returncode == 130
    assert "Interrupted" not in finished.stderr


def test_unknown_command_is_status_127(running: EmbeddedAws) -> None:
    finished = run(running, "--", "no-such-command")

    assert finished.returncode == 127
    assert "no-such-command" in finished.stdout


def test_network_is_that_of_the_service(environment: Environment) -> None:
    ecs, outputs = environment.client("ecs"), environment.outputs()
    (service,) = ecs.describe_services(
        cluster=outputs["ClusterName"], services=[outputs["ApiServiceName"]]
    )["services"]

    network = service["networkConfiguration"]["awsvpcConfiguration"]
    assert network["subnets"] == outputs["PrivateSubnetIds"].split(",")
    assert network["securityGroups"] == [outputs["ApiSecurityGroupId"]]


def test_image_that_does_not_exist_is_one_sentence_and_status_125(
    running: EmbeddedAws, environment: Environment
) -> None:
    assert environment.launch(ImageTag="missing").succeeded
    try:
        finished = run(running, "--", "true")
    finally:
        assert environment.launch(ImageTag=TAG).succeeded

    assert finished.returncode == 125
    sentence = finished.stderr.splitlines()[-1]
    assert sentence.startswith("build.py: Task ")
    assert "did not start: CannotPullContainerError: " in sentence
    assert sentence.count("CannotPullContainerError") == 1


def test_placeholder_image_is_refused_before_a_task_starts(environment: Environment) -> None:
    before = len(list(tasks(environment)))
    stack = {**find_stack(environment.aws, STACK)}
    stack["Parameters"] = [
        {**each, "ParameterValue": ""} if each["ParameterKey"] == "ImageTag" else each
        for each in stack["Parameters"]
    ]

    with pytest.raises(TaskNotStartedError, match="runs the placeholder image"):
        start_task(environment.aws, stack, "api", ["true"])

    assert len(list(tasks(environment))) == before


def test_ctrl_c_leaves_the_task_and_says_how_to_stop_it(
    running: EmbeddedAws, environment: Environment
) -> None:
    program = "import time; print('working', flush=True); time.sleep(600)"
    process = subprocess.Popen(
        **arguments(running, "run", "dev", "--", sys.executable, "-c", program),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    sentence = errors.splitlines()[-1]
    cluster, task = environment.outputs()["ClusterName"], next(tasks(environment))
    identity = task["taskArn"].rpartition("/")[2]
    assert task["lastStatus"] == "RUNNING"
    assert (
        f"`aws ecs stop-task --region {REGION} --cluster {cluster} --task {identity}`" in sentence
    )
    assert f"logs dev api --follow --region {REGION} --name {STACK}" in sentence
    environment.client("ecs").stop_task(cluster=cluster, task=identity)


def test_task_that_is_stopped_ends_with_the_status_of_the_signal(
    environment: Environment,
) -> None:
    program = "import time; time.sleep(600)"
    stack = find_stack(environment.aws, STACK)
    task = start_task(environment.aws, stack, "api", [sys.executable, "-c", program])

    def stop(_seconds: float) -> None:
        time.sleep(0.05)
        found = environment.client("ecs").describe_tasks(
            cluster=task.service.cluster, tasks=[task.arn]
        )["tasks"][0]
        if found["lastStatus"] == "RUNNING":
            environment.client("ecs").stop_task(cluster=task.service.cluster, task=task.arn)

    assert follow_task(environment.aws, task, print, print, stop) == 143


@pytest.mark.parametrize("service", ["beat", "search"])
def test_only_api_and_worker_run_tasks(running: EmbeddedAws, service: str) -> None:
    finished = run(running, "--service", service, "--", "true")

    assert finished.returncode == 2
    assert "must be api or worker" in finished.stderr
