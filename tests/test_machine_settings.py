"""The embedded path uses loopback only, with any AWS and proxy settings of the machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER

# A proxy that answers nobody: any request that reaches it fails. Some tools read the names in lower case.
PROXY = "http://127.0.0.1:1"
PROXIES = {
    name: PROXY
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
}
SSO = """\
[default]
sso_session = company
sso_account_id = 111122223333
sso_role_name = Developer
region = us-gov-west-1
[sso-session company]
sso_start_url = https://company.awsapps.com/start
sso_region = us-east-1
"""
# botocore names the file by the SHA-1 of the session's name.
SSO_TOKEN = f"{hashlib.sha1(b'company').hexdigest()}.json"  # noqa: S324
EXPIRED = {"accessToken": "token", "expiresAt": "2020-01-01T00:00:00Z"}

MACHINES = ("proxy", "missing profile", "malformed file", "expired session", "all")


every_machine = pytest.mark.parametrize("machine", MACHINES, indirect=True)
worst_machine = pytest.mark.parametrize("machine", ["all"], indirect=True)


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment variables of a machine whose settings would stop a client of AWS."""
    home = tmp_path / "home"
    (home / ".aws/sso/cache").mkdir(parents=True)
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(PROJECT_FOLDER)}
    kind = request.param
    if kind in ("proxy", "all"):
        variables |= PROXIES | {"NO_PROXY": "localhost"}
    if kind in ("missing profile", "all"):
        variables |= {"AWS_PROFILE": "foreign", "AWS_DEFAULT_PROFILE": "foreign"}
    if kind in ("expired session", "all"):
        (home / ".aws/config").write_text(SSO, encoding="utf-8")
        (home / ".aws/sso/cache" / SSO_TOKEN).write_text(json.dumps(EXPIRED), encoding="utf-8")
    if kind in ("malformed file", "all"):
        with (home / ".aws/config").open("a", encoding="utf-8") as file:
            file.write("[profile\nno value\n")
        (home / ".aws/credentials").write_text("not a file of settings\n", encoding="utf-8")
    return variables


def run(machine: dict[str, str], *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        env=machine,
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@every_machine
def test_dev_is_launched(machine: dict[str, str]) -> None:
    assert "CREATE_COMPLETE" in run(machine, "build.py", "launch", "dev", "--embedded")


@worst_machine
def test_settings_of_a_kept_embedded_aws_are_enough(
    machine: dict[str, str], embedded: EmbeddedAws
) -> None:
    """As `launch --keep` prints them."""
    variables = machine | {
        "AWS_ENDPOINT_URL": embedded.endpoint_url,
        "AWS_ACCESS_KEY_ID": embedded.access_key,
        "AWS_SECRET_ACCESS_KEY": embedded.secret_key,
    }

    assert "CREATE_COMPLETE" in run(variables, "build.py", "launch", "dev", "--direct")


@worst_machine
def test_taskcat_runs(machine: dict[str, str]) -> None:
    assert "1 passed, 0 failed" in run(machine, "-m", "tests.taskcat", "network")


@worst_machine
def test_tests_run(machine: dict[str, str]) -> None:
    """Their own clients, and the AWS CLI."""
    tests = "tests/embedded_aws/test_service_catalog_command_line.py"

    assert " passed" in run(machine, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests)
