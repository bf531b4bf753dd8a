"""The process starts, prints its address, and ends with the process that started it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from embedded_aws.server import EmbeddedAws, EmbeddedAwsError
from tests.embedded_aws.conftest import template

COMMAND = [sys.executable, "-m", "embedded_aws"]


@pytest.fixture
def foreground() -> Iterator[subprocess.Popen[str]]:
    """`python -m embedded_aws` on a free port, after its line."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--region", "eu-west-1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    # Not killed: it could not remove its files.
    process.terminate()
    process.communicate(timeout=30)


def stops_listening(endpoint_url: str) -> bool:
    """Whether nobody answers there any more, within ten seconds."""
    host, port = endpoint_url.removeprefix("http://").split(":")
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) != 0:
                return True
        time.sleep(0.02)
    return False


def settings_in(line: str) -> dict[str, str]:
    """NAME=value pairs of the line that a person pastes into a shell."""
    _, _, pasted = line.partition("export ")
    return dict(pair.split("=", 1) for pair in pasted.split())


def test_foreground_prints_settings_and_ends_with_ctrl_c(
    foreground: subprocess.Popen[str],
) -> None:
    assert foreground.stdout is not None
    settings = settings_in(foreground.stdout.readline())
    assert settings["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert set(settings) == {
        "AWS_ENDPOINT_URL",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    }
    connection = http.client.HTTPConnection(settings["AWS_ENDPOINT_URL"].removeprefix("http://"))
    connection.request("GET", "/_ministack/health")
    assert connection.getresponse().status == 200
    connection.close()
    foreground.send_signal(signal.SIGINT)
    output, errors = foreground.communicate(timeout=10)
    assert (foreground.returncode, output, errors) == (0, "", "")


def test_only_loopback_listens(foreground: subprocess.Popen[str]) -> None:
    assert foreground.stdout is not None
    settings = settings_in(foreground.stdout.readline())
    port = int(settings["AWS_ENDPOINT_URL"].rsplit(":", 1)[1])
    # 127.0.0.2 is this machine as well: bound to all interfaces, the process would answer there.
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_used_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tried = subprocess.run(
            [*COMMAND, "--port", str(port)], capture_output=True, text=True, check=False
        )
    assert tried.returncode == 1
    assert tried.stdout == ""
    assert tried.stderr == (
        f"embedded_aws: port {port} of 127.0.0.1 is in use;"
        " stop what uses it or give another with --port\n"
    )


@pytest.mark.parametrize("wrong", [["--port", "99999"], ["--port", "x"], ["--region", "Nowhere"]])
def test_wrong_argument_is_refused(wrong: list[str]) -> None:
    tried = subprocess.run([*COMMAND, *wrong], capture_output=True, text=True, check=False)
    assert tried.returncode == 2
    assert wrong[1] in tried.stderr
    assert "Traceback" not in tried.stderr


def test_process_ends_with_its_parent_and_takes_its_files_along(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, signal
        from embedded_aws.server import EmbeddedAws
        aws = EmbeddedAws.start()
        print(aws.endpoint_url, len(os.listdir(os.environ["TMPDIR"])), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    parent = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    endpoint_url, files = parent.stdout.split()
    assert int(files) == 1
    assert stops_listening(endpoint_url)
    for _ in range(500):
        if not list(tmp_path.iterdir()):
            break
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []


def test_stop_takes_the_files_of_a_killed_process_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    aws = EmbeddedAws.start()
    aws._process.kill()
    aws._process.wait()
    assert list(tmp_path.iterdir()) != []
    aws.stop()
    assert list(tmp_path.iterdir()) == []


def test_environment_points_a_child_at_it(running_aws: EmbeddedAws) -> None:
    program = (
        "import boto3; print(boto3.client('sts').get_caller_identity()['Account'],"
        " boto3.session.Session().region_name)"
    )
    environment = {**os.environ, **running_aws.environment()}
    shown = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == [running_aws.account_id, running_aws.region]


def test_state_directory_keeps_what_was_made(tmp_path: Path) -> None:
    command = [*COMMAND, "--port", "0", "--state-dir", str(tmp_path / "kept")]
    names = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            settings = settings_in(process.stdout.readline())
            sns = boto3.client(
                "sns",
                endpoint_url=settings["AWS_ENDPOINT_URL"],
                region_name=settings["AWS_DEFAULT_REGION"],
                aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            )
            names.append([t["TopicArn"].rsplit(":", 1)[1] for t in sns.list_topics()["Topics"]])
            sns.create_topic(Name="kept")
            process.send_signal(signal.SIGTERM)
        assert process.returncode == 0
    assert names == [[], ["kept"]]


def test_stopped_server_says_so() -> None:
    aws = EmbeddedAws.start()
    aws.stop()
    aws.stop()
    with pytest.raises(EmbeddedAwsError, match="does not answer"):
        aws.reset()


def test_stop_does_not_wait_for_a_stack_that_waits() -> None:
    waiting = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": 3600},
        },
    }
    with EmbeddedAws.start() as aws:
        cloudformation = boto3.client(
            "cloudformation",
            endpoint_url=aws.endpoint_url,
            region_name=aws.region,
            aws_access_key_id=aws.access_key,
            aws_secret_access_key=aws.secret_key,
        )
        cloudformation.create_stack(StackName="s", TemplateBody=template(waiting))
        status = cloudformation.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"]
        assert status == "CREATE_IN_PROGRESS"
    # Killed after its time to end had run out, it would be -9.
    assert aws._process.returncode == 0


def test_start_that_takes_too_long_is_an_error() -> None:
    with pytest.raises(EmbeddedAwsError, match=r"did not start within 0\.001 s"):
        EmbeddedAws.start(timeout=0.001)


def test_importing_the_launcher_does_not_import_the_emulator() -> None:
    program = "import sys, embedded_aws.server; print('ministack' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "False"
