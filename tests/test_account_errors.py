"""Commands that talk to AWS answer a wrong region, missing permissions and a silent endpoint with one sentence."""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import build
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws, aws_errors
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.conftest import REGION

COMMANDS = (
    "upload --bucket releases",
    "plan",
    "publish --yes",
    "launch dev",
    "launch dev --direct",
    "update dev --set ImageTag=1",
    "terminate dev",
    "status dev",
    "outputs dev",
    "why dev",
    "logs dev",
    "run dev",
    "delete dev",
    "check dev",
    "environments",
)
every_command = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture(autouse=True)
def assembled_once(monkeypatch: pytest.MonkeyPatch, release: Release) -> None:
    """Each command assembles the release, which takes most of its time."""
    monkeypatch.setattr("pipeline.release.assemble.assemble", lambda: release)


def refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    *options: str,
    **environment: str,
) -> str:
    """Run a command, which must fail with one sentence and without other output; returns the sentence."""
    words = [*shlex.split(command), *options]
    if words[0] == "run":
        words += ["--", "true"]
    monkeypatch.setattr(sys, "argv", ["build.py", *words])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        build.main()
    output, errors = capsys.readouterr()
    (line,) = errors.splitlines()
    assert ended.value.code == 1
    assert output == ""
    assert line.startswith("build.py: ")
    assert line.endswith(".")
    return line


@pytest.fixture(scope="module")
def stranger(running_aws: EmbeddedAws) -> dict[str, str]:
    """The variables of a user without any permission."""
    running_aws.reset()
    iam = Aws(REGION, running_aws.environment()).client("iam")
    iam.create_user(UserName="stranger")
    key: Any = iam.create_access_key(UserName="stranger")["AccessKey"]
    return {
        **running_aws.environment(),
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


@every_command
def test_region_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stranger: dict[str, str],
    command: str,
) -> None:
    line = refused(monkeypatch, capsys, command, "--region", "eu-nroth-1", **stranger)

    assert "'eu-nroth-1'" in line


@every_command
def test_credentials_without_permission(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stranger: dict[str, str],
    command: str,
) -> None:
    line = refused(monkeypatch, capsys, command, **stranger)

    # HeadBucket of a bucket that does not exist needs no permission.
    assert ("Bucket releases does not exist" if "upload" in command else "permission") in line
    if command.split(maxsplit=1)[0] in {"why", "logs", "run"}:
        assert "these credentials lack cloudformation:DescribeStacks and servicecatalog:" in line


@every_command
def test_endpoint_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stranger: dict[str, str],
    command: str,
) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        line = refused(monkeypatch, capsys, command, **{**stranger, "AWS_ENDPOINT_URL": url})

    assert url in line
    assert line.endswith("check the network and AWS_ENDPOINT_URL.")


@pytest.fixture
def silent() -> Iterator[str]:
    """An endpoint that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_endpoint_that_accepts_and_says_nothing(silent: str) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "sts",
        REGION,
        endpoint_url=silent,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(read_timeout=0.1, retries={"total_max_attempts": 1}),
    )
    with (
        pytest.raises(PipelineError, match=r"Read timeout .*; check the network and AWS_E"),
        aws_errors("ask AWS for the account"),
    ):
        client.get_caller_identity()
