""".github/workflows/deploy.yml: its steps run with the real AWS CLI as the deploy role, which may do all that they ask."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.paths import PROJECT
from pipeline.provisioning import environments
from pipeline.provisioning.operations import Wanted, launch
from tests.conftest import REGION
from tests.iam.policies import Request, allows
from tests.provisioning.catalog import DEVELOPMENT, Catalog
from tests.provisioning.recording import recording

WORKFLOW = PROJECT / ".github/workflows/deploy.yml"
NAME = "carbon-connect-dev"
SHA = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"
# Service Catalog tells the caller's level of a provisioned product through this key.
OWNER = {"servicecatalog:roleLevel": "self"}
# Writes down what it was called with; a login reads the password from its input.
DOCKER = """#!/bin/sh
echo "$*" >>"$DOCKER_CALLS"
case $1 in login) grep -q . && exit 0; echo "no password" >&2; exit 1 ;; esac
"""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Deployed:
    """What a run of the workflow's steps did."""

    status: int
    output: str
    docker: list[str]
    summary: str
    actions: list[tuple[str, bytes]]


class Runner:
    """Runs the workflow's steps as GitHub does: one shell after the other, with the variables that they leave."""

    def __init__(self, folder: Path, aws: Aws) -> None:
        self.folder, self.aws = folder, aws
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
                **evaluated(job["env"], attempt, tag),
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


def evaluated(variables: Mapping[str, str], attempt: int, tag: str) -> dict[str, str]:
    """The job's variables, with each expression of GitHub replaced by its value; an unknown one is an error."""
    values = {
        "${{ vars.PROVISIONED_PRODUCT || format('carbon-connect-{0}', inputs.environment) }}": NAME,
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


@dataclass(frozen=True)
class Handed:
    """An environment that was handed over to its deploy role."""

    catalog: Catalog
    role_name: str
    role: Aws
    repository: str

    def parameters(self) -> Mapping[str, str]:
        """The values of the stack, as the account sees them: who launched it owns it no more."""
        found = environments.required(self.catalog.aws, NAME)
        stack = environments.stack_of(self.catalog.aws, found)
        assert stack is not None
        return stack.parameters


@pytest.fixture(scope="module")
def handed(catalog: Catalog) -> Handed:
    """dev, launched with values of its own, and owned by its deploy role as docs/launching.md has it done."""
    settings = {
        "GitHubRepository": "carbon-connect/application",
        "ApiMaxTasks": "7",
        "ImageTag": "before",
    }
    wanted = Wanted(NAME, DEVELOPMENT.name, settings=settings)
    assert launch(catalog.user, wanted, lambda _: None, lambda _: None).succeeded
    found = environments.required(catalog.user, NAME)
    outputs = environments.outputs(catalog.user, found)
    role = outputs["DeployRoleArn"]
    catalog.admit(role)
    catalog.catalog.update_provisioned_product_properties(
        ProvisionedProductId=found.id, ProvisionedProductProperties={"OWNER": role}
    )
    return Handed(
        catalog,
        role.rpartition("/")[2],
        session(catalog.aws, role),
        outputs["RepositoryUri"].partition("/")[2],
    )


def session(aws: Aws, role: str) -> Aws:
    """The embedded AWS as a job that took on a role."""
    credentials = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="deploy-4711")
    keys = credentials["Credentials"]
    return Aws(
        REGION,
        {
            **aws.environment,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        },
    )


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, handed: Handed) -> Runner:
    return Runner(tmp_path_factory.mktemp("runner"), handed.role)


@pytest.fixture(scope="module")
def deployed(
    running: EmbeddedAws, runner: Runner, handed: Handed
) -> tuple[Mapping[str, str], Deployed]:
    """A first run, and the parameters before it."""
    before = handed.parameters()
    return before, runner.run(running.endpoint_url)


def test_run_updates_the_image_and_nothing_else(
    handed: Handed, deployed: tuple[Mapping[str, str], Deployed]
) -> None:
    before, run = deployed

    assert run.status == 0, run.output
    assert before["ApiMaxTasks"] == "7"
    assert handed.parameters() == {**before, "ImageTag": SHA}
    assert environments.required(handed.catalog.aws, NAME).status == "AVAILABLE"
    assert run.summary == f"{NAME} runs {SHA}.\n"


def test_image_is_built_for_arm64_and_pushed_under_the_commit(
    handed: Handed, deployed: tuple[Mapping[str, str], Deployed]
) -> None:
    login, build = deployed[1].docker
    registry = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"

    assert login == f"login --username AWS --password-stdin {registry}"
    assert "--platform linux/arm64" in build
    assert f"--tag {registry}/{handed.repository}:{SHA} --push examples/app" in build


def statements(aws: Aws, role: str) -> Iterator[Document]:
    """What the role's policies say where it is deployed."""
    iam = aws.client("iam")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from (document if isinstance(document, dict) else json.loads(document))["Statement"]


def resource_of(action: str, body: bytes) -> str:
    """The ARN that an action is on; ``*`` for those that know none."""
    request = json.loads(body)
    if action == "servicecatalog:DescribeProvisioningParameters":
        return f"arn:aws:catalog:{REGION}:123456789012:product/{request['ProductId']}"
    if action.startswith("ecr:") and "repositoryName" in request:
        return f"arn:aws:ecr:{REGION}:123456789012:repository/{request['repositoryName']}"
    return "*"


def test_deploy_role_may_do_all_that_the_workflow_asks(
    handed: Handed, deployed: tuple[Mapping[str, str], Deployed]
) -> None:
    granted = list(statements(handed.catalog.aws, handed.role_name))
    asked = {(action, resource_of(action, body)) for action, body in deployed[1].actions}

    assert {action for action, _ in asked} == {
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "servicecatalog:DescribeProvisionedProduct",
        "servicecatalog:DescribeProvisioningParameters",
        "servicecatalog:DescribeRecord",
        "servicecatalog:UpdateProvisionedProduct",
    }
    assert [each for each in sorted(asked) if not allows(granted, Request(*each, OWNER))] == []


def test_deploy_role_may_do_nothing_else_with_products(handed: Handed) -> None:
    granted = list(statements(handed.catalog.aws, handed.role_name))
    product = f"arn:aws:catalog:{REGION}:123456789012:product/prod-a"

    for action in ("ProvisionProduct", "TerminateProvisionedProduct", "DescribeProduct"):
        for resource in (product, "*"):
            assert not allows(granted, Request(f"servicecatalog:{action}", resource, OWNER))


@pytest.mark.usefixtures("deployed")
def test_same_attempt_asks_for_the_update_only_once(
    running: EmbeddedAws,
    runner: Runner,
    handed: Handed,
) -> None:
    record = environments.required(handed.catalog.aws, NAME).last_record_id

    again = runner.run(running.endpoint_url)

    assert again.status == 0, again.output
    assert environments.required(handed.catalog.aws, NAME).last_record_id == record


@pytest.mark.usefixtures("deployed")
def test_image_that_was_pushed_is_not_built_again(
    running: EmbeddedAws,
    runner: Runner,
    handed: Handed,
) -> None:
    manifest = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})
    handed.catalog.aws.client("ecr").put_image(
        repositoryName=handed.repository, imageManifest=manifest, imageTag=SHA
    )

    again = runner.run(running.endpoint_url, attempt=2)

    assert again.status == 0, again.output
    assert [call.split()[0] for call in again.docker] == ["login"]
    assert handed.parameters()["ImageTag"] == SHA


@pytest.mark.usefixtures("deployed")
def test_update_that_fails_fails_the_run_with_the_reason(
    running: EmbeddedAws,
    runner: Runner,
    handed: Handed,
) -> None:
    wrong = "not-a-tag!"

    run = runner.run(running.endpoint_url, attempt=3, tag=wrong)

    assert run.status == 1
    assert f"::error::The update of {NAME} failed: " in run.output
    assert "ImageTag must be empty or a tag" in run.output
    assert run.summary == ""
    assert handed.parameters()["ImageTag"] == SHA


def test_job_asks_github_for_no_more_than_it_needs() -> None:
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
    # What comes from outside reaches a shell through a variable, never through its text.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]
