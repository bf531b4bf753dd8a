"""The commands of the README for a launch in an account, with the AWS CLI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import describe_stack
from tests.conftest import REGION
from tests.documentation.blocks import Place, block
from tests.gate import Gate
from tests.launches.environments import Environment
from tests.launches.tree import PATIENCE, Finished, Tree, clean_environment

COMMANDS = block(Place("README.md", "Launch it in an account")).commands()
STACK = "carbon-connect-dev"
BUCKET = "my-releases"


def is_settled(aws: Aws) -> bool:
    stack = describe_stack(aws, STACK)
    return stack is not None and not stack["StackStatus"].endswith("_IN_PROGRESS")


def settle(aws: Aws) -> None:
    """Wait until the stack has the expected status."""
    for _ in range(PATIENCE * 50):
        if is_settled(aws):
            return
        time.sleep(0.02)
    raise AssertionError(f"{STACK} is still in progress after {PATIENCE} s")


@pytest.fixture(scope="module")
def ends(running: EmbeddedAws, tree: Tree) -> list[Finished]:
    """The result of each command.

    `aws cloudformation deploy` reads the stack once and then again after thirty seconds, which cannot be configured; so
    the response to its ExecuteChangeSet is delayed until the stack is stable.
    """
    aws = Aws(REGION, running.environment())
    programs = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
    with Gate(
        running.endpoint_url,
        lambda request: request.asks_for("ExecuteChangeSet"),
        lambda: settle(aws),
        after=True,
    ) as gate:
        variables = {**running.environment(), "AWS_ENDPOINT_URL": gate.endpoint_url}
        # The commands contain the region.
        del variables["AWS_DEFAULT_REGION"]
        return [
            subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=tree.folder,
                env={**clean_environment(variables), "PATH": programs},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            for command in COMMANDS
        ]


def test_readme_has_three_commands() -> None:
    assert [" ".join(command.split()[:3]) for command in COMMANDS] == [
        "aws s3 mb",
        ".venv/bin/python build.py upload",
        "aws cloudformation deploy",
    ]


def test_each_command_succeeds(ends: list[Finished]) -> None:
    assert [end.returncode for end in ends] == [0, 0, 0]
    bucket, upload, deploy = (end.stderr.strip() for end in ends)
    assert (bucket, upload) == ("", "")
    # The AWS CLI writes the progress of its upload there.
    assert re.fullmatch(r"Uploading to \w+\.template .*", deploy)


def test_commands_print_their_results(ends: list[Finished], release: Release) -> None:
    bucket, upload, deploy = (end.stdout for end in ends)

    assert bucket == f"make_bucket: {BUCKET}\n"
    assert upload.startswith(f"s3://{BUCKET}/{release.prefix} has the release")
    assert deploy.splitlines()[-1] == f"Successfully created/updated stack - {STACK}"


def test_environment_equals_that_of_build_py(
    running: EmbeddedAws, release: Release, ends: list[Finished]
) -> None:
    del ends
    environment = Environment(running, release, "dev", ReleaseBucket=BUCKET)
    stacks = environment.stacks()
    by_hand = {name: resource.type for name, resource in environment.resources().items()}
    again = environment.launch()

    assert {stack["StackStatus"] for stack in stacks.values()} == {"CREATE_COMPLETE"}
    assert again.succeeded
    # build.py also tags the stack; the resources are the same.
    assert {name: r.type for name, r in environment.resources().items()} == by_hand
    assert again.outputs["ReleaseLocation"] == f"s3://{BUCKET}/{release.prefix}"
