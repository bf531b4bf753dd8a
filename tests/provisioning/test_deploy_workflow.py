""".github/workflows/deploy.yml: its steps run with the real AWS CLI as the deploy role, which has all needed permissions."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.checks.iam.policies import Request, allows
from pipeline.environments.provisioning import environments
from pipeline.paths import PROJECT_FOLDER
from tests.conftest import REGION
from tests.provisioning.catalog import Catalog
from tests.provisioning.deployments import NAME, OWNER, Deployable, deployable, statements
from tests.provisioning.recording import recording

WORKFLOW = PROJECT_FOLDER / ".github/workflows/deploy.yml"
SHA = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"
# Records its arguments; a login reads the password from its input.
DOCKER = """#!/bin/sh
echo "$*" >>"$DOCKER_CALLS"
case $1 in login) grep -q . && exit 0; echo "no password" >&2; exit 1 ;; esac
"""

# What a push of docker calls: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
PUSHING = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Deployed:
    """The result of a run of the workflow's steps."""

    status: int
    output: str
    docker: list[str]
    summary: str
    actions: list[tuple[str, bytes]]


class Runner:
    """Runs the workflow's steps like GitHub: one shell after the other, with the variables that they set."""

    def __init__(self, folder: Path, aws: Aws, function: str) -> None:
        self.folder, self.aws, self.function = folder, aws, function
        binaries = folder / "bin"
        binaries.mkdir()
        docker = binaries / "docker"
        docker.write_text(DOCKER)
        docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
        (binaries / "aws").symlink_to(Path(sys.executable).with_name("aws"))
        self.path = f"{binaries}:{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(self, upstream: str, *, attempt: int = 1, tag: str = SHA) -> Deployed:
        """The job, from its first shell step to its end or to the first step that fails."""
        job = read_workflow()["jobs"]["deploy"]
        calls, variables, summary = (
            self.folder / f"{name}-{attempt}-{tag[:4]}" for name in ("docker", "env", "summary")
        )
        for file in (calls, variables, summary):
            file.touch()
        with recording(upstream) as recorded:
            env = {
                "PATH": self.path,
                "HOME": str(self.folder),
                **self.aws.environment,
                "AWS_ENDPOINT_URL": recorded.endpoint_url,
                "AWS_EC2_METADATA_DISABLED": "true",
                "DOCKER_CALLS": str(calls),
                "GITHUB_ENV": str(variables),
                "GITHUB_STEP_SUMMARY": str(summary),
                "RUNNER_TEMP": str(self.folder),
                **evaluated(job["env"], self.function, attempt, tag),
                "POLL_SECONDS": "0.1",
            }
            status, output = self._steps(job["steps"], env, variables)
        return Deployed(
            status,
            output,
            calls.read_text().splitlines(),
            summary.read_text(),
            recorded.actions,
        )

    def _steps(
        self, steps: list[Document], env: dict[str, str], variables: Path
    ) -> tuple[int, str]:
        output = ""
        for step in steps:
            if "run" not in step:
                continue
            left = dict(line.split("=", 1) for line in variables.read_text().splitlines())
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                env={**env, **left},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            output += done.stdout
            if done.returncode:
                return done.returncode, output
        return 0, output


def read_workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text())


def evaluated(
    variables: Mapping[str, str], function: str, attempt: int, tag: str
) -> dict[str, str]:
    """The job's variables, with each expression of GitHub replaced by its value; an unknown one is an error."""
    values = {
        "${{ vars.PROVISIONED_PRODUCT || format('carbon-connect-{0}', inputs.environment) }}": NAME,
        "${{ vars.DEPLOY_FUNCTION }}": function,
        "${{ inputs.context }}": "examples/app",
        "${{ github.sha }}": tag,
        "${{ github.run_id }}": "4711",
        "${{ github.run_attempt }}": str(attempt),
    }
    found = {}
    for name, text in variables.items():
        for expression, value in values.items():
            text = text.replace(expression, value)  # noqa: PLW2901 - one expression after the other
        assert "${{" not in text, text
        found[name] = text
    return found


@pytest.fixture(scope="module")
def environment(catalog: Catalog) -> Deployable:
    """dev, launched with its own values."""
    return deployable(catalog)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, environment: Deployable) -> Runner:
    return Runner(tmp_path_factory.mktemp("runner"), environment.role, environment.function)


@pytest.fixture(scope="module")
def deployed(
    running: EmbeddedAws, runner: Runner, environment: Deployable
) -> tuple[Mapping[str, str], Deployed]:
    """A first run, and the parameters before it."""
    before = environment.parameters()
    return before, runner.run(running.endpoint_url)


def test_run_updates_the_image_and_nothing_else(
    environment: Deployable, deployed: tuple[Mapping[str, str], Deployed]
) -> None:
    before, run = deployed

    assert run.status == 0, run.output
    assert before["ApiMaxTasks"] == "7"
    assert environment.parameters() == {**before, "ImageTag": SHA}
    assert environments.existing_environment(environment.catalog.aws, NAME).status == "AVAILABLE"
    assert run.summary == f"{NAME} runs {SHA}.\n"


def test_image_is_built_for_arm64_and_pushed_under_the_commit(
    environment: Deployable, deployed: tuple[Mapping[str, str], Deployed]
) -> None:
    login, build = deployed[1].docker
    registry = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"

    assert login == f"login --username AWS --password-stdin {registry}"
    assert "--platform linux/arm64" in build
    assert f"--tag {registry}/{environment.repository}:{SHA} --push examples/app" in build


def resource_of(action: str, body: bytes, function: str) -> str:
    """The ARN of an action's resource; ``*`` for an action without one."""
    if action == "lambda:InvokeFunction":
        return f"arn:aws:lambda:{REGION}:123456789012:function:{function}"
    request = json.loads(body)
    if "repositoryName" in request:
        return f"arn:aws:ecr:{REGION}:123456789012:repository/{request['repositoryName']}"
    return "*"


def test_deploy_role_can_make_all_calls_of_the_workflow(
    environment: Deployable, deployed: tuple[Mapping[str, str], Deployed]
) -> None:
    granted = list(statements(environment.catalog.aws, environment.role_name))
    asked = {
        (action, resource_of(action, body, environment.function))
        for action, body in deployed[1].actions
    }

    assert {action for action, _ in asked} == {
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "lambda:InvokeFunction",
    }
    assert [each for each in sorted(asked) if not allows(granted, Request(*each))] == []


def test_deploy_role_can_use_only_its_repository_and_its_function(
    environment: Deployable,
) -> None:
    granted = list(statements(environment.catalog.aws, environment.role_name))
    others = {
        f"arn:aws:ecr:{REGION}:123456789012:repository/other",
        f"arn:aws:lambda:{REGION}:123456789012:function:other",
        f"arn:aws:catalog:{REGION}:123456789012:product/prod-a",
        "*",
    }
    actions = {action for statement in granted for action in statement["Action"]}
    own = f"arn:aws:ecr:{REGION}:123456789012:repository/{environment.repository}"

    assert [each for each in PUSHING if not allows(granted, Request(each, own))] == []
    assert {action.partition(":")[0] for action in actions} == {"ecr", "lambda"}
    for action in actions - {"ecr:GetAuthorizationToken"}:
        assert [each for each in others if allows(granted, Request(action, each, OWNER))] == []


@pytest.mark.usefixtures("deployed")
def test_same_attempt_requests_the_update_once(
    running: EmbeddedAws,
    runner: Runner,
    environment: Deployable,
) -> None:
    record = environments.existing_environment(environment.catalog.aws, NAME).last_record_id

    again = runner.run(running.endpoint_url)

    assert again.status == 0, again.output
    assert environments.existing_environment(environment.catalog.aws, NAME).last_record_id == record


@pytest.mark.usefixtures("deployed")
def test_pushed_image_is_not_built_again(
    running: EmbeddedAws,
    runner: Runner,
    environment: Deployable,
) -> None:
    manifest = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})
    environment.catalog.aws.client("ecr").put_image(
        repositoryName=environment.repository, imageManifest=manifest, imageTag=SHA
    )

    again = runner.run(running.endpoint_url, attempt=2)

    assert again.status == 0, again.output
    assert [call.split()[0] for call in again.docker] == ["login"]
    assert environment.parameters()["ImageTag"] == SHA


@pytest.mark.usefixtures("deployed")
def test_invalid_tag_fails_the_run_with_the_reason(
    running: EmbeddedAws, runner: Runner, environment: Deployable
) -> None:
    run = runner.run(running.endpoint_url, attempt=3, tag="not-a-tag!")

    assert run.status == 1
    assert "::error::ImageTag must be the tag of an image" in run.output
    assert run.summary == ""
    assert environment.parameters()["ImageTag"] == SHA


@pytest.mark.usefixtures("deployed")
def test_product_that_moved_to_another_portfolio_is_deployed_to(
    running: EmbeddedAws, runner: Runner, environment: Deployable
) -> None:
    """Move the product like a publication; until the first update, the record still names the former path."""
    catalog, place = environment.catalog, {"ProductId": environment.catalog.product}
    new = catalog.portfolio_named("Elsewhere")
    catalog.offer(new)
    catalog.admit(environment.updater_arn, new)
    before = {**place, "PortfolioId": catalog.portfolio}
    constraints = catalog.catalog.list_constraints_for_portfolio(**before)["ConstraintDetails"]
    for constraint in constraints:
        catalog.catalog.delete_constraint(Id=constraint["ConstraintId"])
    catalog.catalog.disassociate_product_from_portfolio(**before)

    run = runner.run(running.endpoint_url, attempt=4, tag="f" * 40)

    assert run.status == 0, run.output
    assert environment.parameters()["ImageTag"] == "f" * 40


@pytest.mark.usefixtures("deployed")
def test_failed_tasks_are_in_the_summary_of_the_run(running: EmbeddedAws, runner: Runner) -> None:
    running.fail_service(
        "worker", image_tag="c" * 40, exit_code=2, log=["no broker", "`giving up`"], seconds=0.2
    )

    run = runner.run(running.endpoint_url, attempt=6, tag="c" * 40)

    assert run.status == 1
    lines = run.summary.splitlines()
    assert lines[0].startswith(f"The update of {NAME} to {'c' * 40} failed: ")
    assert lines[1] == ""
    assert all(line.startswith("    ") for line in lines[2:])
    assert any("container worker exited with 2." in line for line in lines)
    assert lines[-2:] == ["      | no broker", "      | `giving up`"]


@pytest.mark.usefixtures("deployed")
def test_failed_update_fails_the_run_with_the_reason(
    running: EmbeddedAws, runner: Runner, environment: Deployable
) -> None:
    s3 = environment.catalog.aws.client("s3")
    for each in s3.list_objects_v2(Bucket=environment.catalog.bucket)["Contents"]:
        if each["Key"].endswith("/compute.template.json"):
            s3.delete_object(Bucket=environment.catalog.bucket, Key=each["Key"])

    run = runner.run(running.endpoint_url, attempt=5, tag="fails")

    assert run.status == 1
    assert f"::error::The update of {NAME} failed: " in run.output
    assert run.summary.startswith(f"The update of {NAME} to fails failed: ")
    assert run.summary.endswith("\n\n    ECS knows no reason.\n")


def test_job_has_least_github_permissions() -> None:
    workflow = read_workflow()
    job = workflow["jobs"]["deploy"]
    (sign_in,) = (s for s in job["steps"] if "configure-aws" in s.get("uses", ""))

    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    # The subject that the deploy role trusts names the environment of GitHub.
    assert job["environment"] == "${{ inputs.environment }}"
    assert set(sign_in["with"]) == {"role-to-assume", "aws-region", "role-session-name"}
    assert workflow["concurrency"] == {
        "group": "deploy-${{ inputs.environment }}",
        "cancel-in-progress": False,
    }
    # External values reach a shell only through variables, never in its text.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
