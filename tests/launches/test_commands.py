"""build.py launch --direct and delete as programs: output, exit status and remaining resources."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.tree import Finished, Tree, end, finished

STACK = "carbon-connect-dev"
LINE = re.compile(r" +\d+\.\d s  (?P<stack>\S+) +(?P<status>[A-Z_]+), \d+ of \d+ resources")


def progress(output: str) -> set[tuple[str, str]]:
    """The printed statuses, by stack."""
    found = map(LINE.fullmatch, output.splitlines())
    return {(line["stack"], line["status"]) for line in found if line}


def outputs(output: str) -> dict[str, str]:
    """The output below the last title."""
    pairs = (
        line.strip().partition(" ")
        for line in output.rpartition("(CREATE_COMPLETE)")[2].splitlines()
        if line.startswith("  ")
    )
    return {name: value.strip() for name, _, value in pairs}


@pytest.fixture(scope="module")
def embedded(tree: Tree) -> Finished:
    """A launch on a separate embedded AWS."""
    return tree.run("launch", "dev", "--direct", "--embedded")


def test_embedded_launch_succeeds_and_ends(embedded: Finished) -> None:
    assert embedded.stderr == ""
    assert embedded.returncode == 0


def test_embedded_launch_shows_the_progress_of_each_stack(
    embedded: Finished, release: Release
) -> None:
    names = [STACK, *(layer.name.capitalize() for layer in release.layers)]

    assert {(name, "CREATE_COMPLETE") for name in names} <= progress(embedded.stdout)


def test_embedded_launch_prints_every_output_of_the_root(
    embedded: Finished, release: Release
) -> None:
    assert f"{STACK} launched (CREATE_COMPLETE)" in embedded.stdout.splitlines()
    printed = outputs(embedded.stdout)
    assert printed.keys() == release.root.template.outputs.keys()
    assert printed["Url"].startswith("https://")
    assert printed["DocumentsBucketName"] == f"{STACK}-documents"


def test_embedded_launch_says_that_its_addresses_are_gone(embedded: Finished) -> None:
    last = embedded.stdout.splitlines()[-1]

    assert last == (
        "The embedded AWS has ended, and these addresses with it; --keep keeps it running."
    )


def test_kept_embedded_aws_answers_until_ctrl_c(tree: Tree) -> None:
    process = tree.start("launch", "dev", "--direct", "--embedded", "--keep")
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if line.startswith("export "))
        variables = dict(pair.split("=", 1) for pair in line.split()[1:])
        client = boto3.client(
            "cloudformation",
            region_name=variables["AWS_DEFAULT_REGION"],
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )
        stacks = {s["StackName"]: s["StackStatus"] for s in client.describe_stacks()["Stacks"]}
    finally:
        end(process, signal.SIGINT)
        ended = finished(process)

    assert stacks[STACK] == "CREATE_COMPLETE"
    assert len(stacks) == 7
    assert ended.returncode == 0
    assert "these addresses" not in ended.stdout
    assert ended.stderr == ""
    with pytest.raises(EndpointConnectionError):
        client.describe_stacks()


def test_ctrl_c_ends_an_embedded_launch_with_one_sentence(tree: Tree) -> None:
    process = tree.start("launch", "dev", "--direct", "--embedded")
    assert process.stdout is not None
    next(line for line in process.stdout if LINE.match(line))
    end(process, signal.SIGINT)
    ended = finished(process)

    assert ended.returncode == 130
    assert ended.stderr == "build.py: Interrupted; run the same command again to continue.\n"


def user_without(running: EmbeddedAws, action: str) -> dict[str, str]:
    """The variables of a user who can do everything except one action."""
    iam = client_of(running, "iam")
    iam.create_user(UserName="someone")
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": action, "Resource": "*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="someone", PolicyName="most", PolicyDocument=document)
    key = iam.create_access_key(UserName="someone")["AccessKey"]
    return running.environment() | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


def client_of(running: EmbeddedAws, service: str) -> Any:
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=running.endpoint_url,
        aws_access_key_id=running.access_key,
        aws_secret_access_key=running.secret_key,
    )


@pytest.fixture(scope="module")
def launched(running: EmbeddedAws, tree: Tree) -> list[Finished]:
    """Two launches and two deletions on one embedded AWS."""
    return [
        tree.run(*arguments, **running.environment())
        for arguments in (
            ("launch", "dev", "--direct"),
            ("launch", "dev", "--direct"),
            ("delete", "dev", "--yes"),
            ("delete", "dev", "--yes"),
        )
    ]


def test_commands_succeed(launched: list[Finished]) -> None:
    assert [(command.returncode, command.stderr) for command in launched[:3]] == [(0, "")] * 3


def test_first_launch_creates_the_release_bucket(
    launched: list[Finished], release: Release
) -> None:
    bucket = f"carbon-connect-releases-123456789012-{REGION}"
    count = len(release.files) + 1

    assert launched[0].stdout.splitlines()[:2] == [
        f"Created bucket {bucket}.",
        f"Release {release.prefix}: {count} files uploaded, 0 exist already.",
    ]


def test_second_launch_says_that_nothing_changes(
    launched: list[Finished], release: Release
) -> None:
    count = len(release.files) + 1
    lines = launched[1].stdout.splitlines()

    assert re.fullmatch(r"  Monthly cost: about \d+\.\d\d USD, as before\.", lines.pop(2))
    assert lines[:4] == [
        f"What changes in {STACK}:",
        "  No resource changes.",
        f"Release {release.prefix}: 0 files uploaded, {count} exist already.",
        f"{STACK} is up to date (CREATE_COMPLETE)",
    ]
    assert outputs(launched[1].stdout) == outputs(launched[0].stdout)


def test_deletion_shows_the_progress_of_each_stack(
    launched: list[Finished], release: Release
) -> None:
    names = [STACK, *(layer.name.capitalize() for layer in release.layers)]

    assert {(name, "DELETE_COMPLETE") for name in names} <= progress(launched[2].stdout)
    assert launched[2].stdout.splitlines()[-1] == f"Stack {STACK} is deleted."


def test_second_deletion_says_that_the_stack_does_not_exist(launched: list[Finished]) -> None:
    assert (launched[3].returncode, launched[3].stdout) == (1, "")
    assert f"Stack {STACK} does not exist in {REGION}" in launched[3].stderr


def test_failed_launch_prints_the_reasons_and_ends_with_status_1(
    running: EmbeddedAws, tree: Tree
) -> None:
    """A user without the permission to list log groups, so that the check of the account cannot find the taken one."""
    setting = ("--set", "Project=broken")
    client_of(running, "logs").create_log_group(logGroupName="aws-waf-logs-broken-dev")
    user = user_without(running, "logs:DescribeLogGroups")

    failed = tree.run("launch", "dev", "--direct", *setting, **user)

    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [
        "Stack broken-dev ended in ROLLBACK_COMPLETE.",
        "  Edge: WebAclLogGroup: Resource of type 'AWS::Logs::LogGroup' with identifier"
        " 'aws-waf-logs-broken-dev' already exists.",
    ]
    assert ("broken-dev", "ROLLBACK_COMPLETE") in progress(failed.stdout)
