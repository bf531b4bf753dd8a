"""build.py launch --direct on an existing environment: preview, kept values, confirmation and refusals."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from commands.common.embedded_sessions import session
from commands.direct import DirectLaunch, before_upload
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.changes.change import Action, Change, Fate
from pipeline.environments.preview.preview import Preview
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from pipeline.template.references import Name
from tests.conftest import REGION
from tests.launches.environments import Environment, aws_of
from tests.launches.snapshots import keep_snapshot
from tests.launches.tree import PATIENCE, Finished, Tree, clean_environment

STACK = "carbon-connect-dev"
LAUNCH = ("launch", "dev", "--direct")
SECONDS = 3.0


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, tree: Tree, release: Release) -> Environment:
    """dev, launched with an image and restored from a snapshot."""
    keep_snapshot(aws_of(running).client("rds"), "s")
    launched = tree.run(
        *LAUNCH,
        *("--set", "ImageTag=1.0", "--set", "DatabaseSnapshotIdentifier=s"),
        **running.environment(),
    )
    assert (launched.returncode, launched.stderr) == (0, "")
    return Environment(running, release, "dev")


def values(environment: Environment) -> dict[str, str]:
    return {p["ParameterKey"]: p["ParameterValue"] for p in environment.stacks()[""]["Parameters"]}


def change_sets(environment: Environment) -> list[Any]:
    """The change sets that wait in any stack of the environment."""
    client = environment.client("cloudformation")
    return [
        each
        for stack in environment.stacks().values()
        for each in client.list_change_sets(StackName=stack["StackName"])["Summaries"]
        if each["ExecutionStatus"] != "EXECUTE_COMPLETE"
    ]


@pytest.fixture
def unchanged(environment: Environment) -> Iterator[None]:
    """Fail if the test changed a resource or a value, or left a change set."""
    before = environment.resources(), values(environment)
    yield
    assert (environment.resources(), values(environment)) == before
    assert change_sets(environment) == []


def refused(finished: Finished, status: int) -> str:
    """The error of a command that was refused with an exit status."""
    assert finished.returncode == status, finished.stdout + finished.stderr
    (line,) = finished.stderr.splitlines()
    assert line.startswith("build.py: ")
    return line


@pytest.mark.usefixtures("environment", "unchanged")
def test_the_snapshot_is_let_go_of_in_an_update_of_its_own(
    running: EmbeddedAws, tree: Tree
) -> None:
    wanted = ("--set", "DatabaseSnapshotIdentifier=restored", "--set", "ApiMaxTasks=7")

    line = refused(tree.run(*LAUNCH, *wanted, **running.environment()), 1)

    assert "changes together with ApiMaxTasks" in line
    alone = tree.run(*LAUNCH, *wanted[:2], "--preview", **running.environment())
    assert (alone.returncode, alone.stderr) == (0, "")


@pytest.mark.usefixtures("environment", "unchanged")
@pytest.mark.parametrize(
    ("snapshot", "settings", "reason"),
    [
        ("unknown", {}, "does not exist"),
        ("plain", {"encrypted": False}, "is not encrypted"),
        ("old", {"version": "15.8"}, "is of postgres 15.8"),
        ("large", {"storage": 400}, "DatabaseMaxAllocatedStorage"),
    ],
)
def test_a_snapshot_that_cannot_be_restored_is_refused_before_anything_is_written(
    running: EmbeddedAws, tree: Tree, snapshot: str, settings: dict[str, Any], reason: str
) -> None:
    if settings:
        keep_snapshot(aws_of(running).client("rds"), snapshot, **settings)

    ended = tree.run(
        *LAUNCH, "--set", f"DatabaseSnapshotIdentifier={snapshot}", **running.environment()
    )

    assert reason in refused(ended, 1)


@pytest.mark.usefixtures("environment", "unchanged")
def test_given_values_are_kept_and_shown(running: EmbeddedAws, tree: Tree) -> None:
    again = tree.run(*LAUNCH, **running.environment())

    assert (again.returncode, again.stderr) == (0, "")
    lines = again.stdout.splitlines()
    assert "  ImageTag                    1.0  profile: (empty)" in lines
    assert "  DatabaseSnapshotIdentifier  s  profile: (empty)" in lines
    assert "  No resource changes." in lines
    assert f"{STACK} is up to date (CREATE_COMPLETE)" in lines


@pytest.mark.usefixtures("environment", "unchanged")
def test_loss_that_is_not_accepted_ends_with_status_3(running: EmbeddedAws, tree: Tree) -> None:
    for words in ((), ("--yes",), ("--accept-loss", "Data.DocumentsBucket")):
        reset = tree.run(
            *LAUNCH, "--reset", "DatabaseSnapshotIdentifier", *words, **running.environment()
        )

        line = refused(reset, 3)
        assert "would lose data of Data.Database" in line
        assert "--accept-loss Data.Database" in line
        shown = reset.stdout.splitlines()
        place = shown.index("  Data is lost to the environment:")
        assert shown[place + 1].startswith("    Data.Database (AWS::RDS::DBInstance) is replaced")
        assert "DatabaseSnapshotIdentifier 's' → ''" in shown[place + 1]
        # The refusal comes before a change set is created.
        assert not any(each.startswith("AWS's change set") for each in shown)


@pytest.mark.usefixtures("environment", "unchanged")
def test_preview_shows_both_verdicts_and_changes_nothing(running: EmbeddedAws, tree: Tree) -> None:
    shown = tree.run(
        *LAUNCH, "--preview", "--reset", "ImageTag", "--set", "CacheMode=replication-group",
        **running.environment(),
    )  # fmt: skip

    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    headings = [
        "  Data is lost to the environment:",
        "  Interrupted:",
    ]
    assert [line for line in lines if line in headings] == headings
    assert any("Data.ServerlessCache" in line and "data is lost" in line for line in lines)
    assert any(line.startswith("  The rest: ") for line in lines)
    assert any(
        line.startswith("AWS's change set: ") and line.endswith("templates.") for line in lines
    )
    assert lines[-1] == f"Nothing was changed in {STACK}."


@pytest.mark.usefixtures("environment", "unchanged")
def test_value_that_was_changed_in_a_nested_stack_is_noted(
    environment: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    nested = environment.stacks()["Compute"]
    client = environment.client("cloudformation")
    given = {p["ParameterKey"]: p["ParameterValue"] for p in nested["Parameters"]}

    def update(tasks: str) -> None:
        client.update_stack(
            StackName=nested["StackId"],
            UsePreviousTemplate=True,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": tasks if key == "ApiMaxTasks" else value}
                for key, value in given.items()
            ],
        )
        client.get_waiter("stack_update_complete").wait(
            StackName=nested["StackId"], WaiterConfig={"Delay": 1}
        )

    update("19")
    shown = tree.run(*LAUNCH, "--preview", **running.environment())
    update(given["ApiMaxTasks"])

    assert "Nested stack Compute has ApiMaxTasks '19', which the root does not give" in shown.stdout
    assert "1 updated in place" in shown.stdout


def at_a_terminal(running: EmbeddedAws, tree: Tree, answer: str, *words: str) -> tuple[int, str]:
    """Status and output of a launch that asks for confirmation on a terminal."""
    controller, terminal = pty.openpty()
    os.write(controller, f"{answer}\n".encode())
    ended = subprocess.run(
        [sys.executable, tree.folder / "build.py", *LAUNCH, *words],
        env=clean_environment(running.environment()),
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    os.close(controller)
    os.close(terminal)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.usefixtures("environment", "unchanged")
def test_answer_no_changes_nothing(running: EmbeddedAws, tree: Tree) -> None:
    status, said = at_a_terminal(running, tree, "n", "--set", "ApiMaxTasks=11")

    assert status == 1
    assert f"Update {STACK}? [y/N]" in said
    assert "build.py: Nothing was changed." in said


def test_answer_yes_updates(environment: Environment, running: EmbeddedAws, tree: Tree) -> None:
    status, said = at_a_terminal(running, tree, "y", "--set", "ApiMaxTasks=11")

    assert status == 0, said
    assert values(environment)["ApiMaxTasks"] == "11"


def test_reset_uses_the_value_of_the_profile(
    environment: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    before = environment.resources()

    ended = tree.run(*LAUNCH, "--reset", "ImageTag", **running.environment())
    after = environment.resources()

    assert ended.returncode == 0, ended.stderr
    assert values(environment)["ImageTag"] == ""
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        f"Compute.{part}TaskDefinition" for part in ("Api", "Beat", "Migration", "Worker")
    }


def test_accepted_loss_happens_as_previewed(
    environment: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    before = environment.physical_id("Data.Database")

    ended = tree.run(
        *LAUNCH, "--reset", "DatabaseSnapshotIdentifier", "--accept-loss", "Data.Database",
        **running.environment(),
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert environment.physical_id("Data.Database") != before
    assert values(environment)["DatabaseSnapshotIdentifier"] == ""


def test_unknown_name_to_reset_is_refused(running: EmbeddedAws, tree: Tree) -> None:
    line = refused(tree.run(*LAUNCH, "--reset", "ImageTags", **running.environment()), 1)

    assert "did you mean ImageTag?" in line


@pytest.mark.usefixtures("environment", "unchanged")
def test_what_aws_refuses_is_refused_first(running: EmbeddedAws, tree: Tree) -> None:
    """The preview shows it, and an update stops before it uploads, with the sentence of LaunchCheck."""
    wanted = ("--set", "VpcCidr=10.9.0.0/16")
    sentence = "VpcCidr cannot change from 10.0.0.0/16 to 10.9.0.0/16"

    shown = tree.run(*LAUNCH, "--preview", *wanted, **running.environment())
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "  AWS refuses the update:" in shown.stdout.splitlines()
    assert f"LaunchCheck refuses this: {sentence}" in shown.stdout

    ended = tree.run(*LAUNCH, "--yes", *wanted, **running.environment())
    assert sentence in refused(ended, 1)
    assert "files uploaded" not in ended.stdout


def test_change_that_the_templates_show_to_fail_is_refused() -> None:
    """The sentence names the first resource and its reason, and nothing is raised where the templates do not decide."""
    failing = [
        Change(Name("Data", each), "AWS::EC2::Volume", Action.FAIL, (), Fate.REFUSED, ("No.",))
        for each in ("First", "Second")
    ]
    found = Preview(STACK, tuple(failing), ())
    with pytest.raises(PipelineError, match=r"Data\.First \(and 1 more\): No\."):
        found.require_possible()
    replace(found, is_certain=False).require_possible()
    Preview(STACK, (), ()).require_possible()


def test_preview_takes_less_than_three_seconds(
    environment: Environment, running: EmbeddedAws, release: Release
) -> None:
    aws = aws_of(running)
    wanted = DirectLaunch({"ApiMaxTasks": "15"})
    started = time.process_time()

    _, found = before_upload(aws, release, "dev", wanted, lambda _: None, lambda _: None)

    assert found is not None
    assert time.process_time() - started < SECONDS
    del environment


OTHER: Mapping[str, Any] = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
DESCRIPTION = "Carbon Connect 1.2.0: a whole environment as nested stacks"
YAML = f"""
Description: '{DESCRIPTION}'
Resources:
  Queue:
    Type: AWS::SQS::Queue
"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (json.dumps(OTHER), ("does not belong to Carbon Connect", "--set Project=NAME")),
        (YAML, ("another tool", "not JSON")),
    ],
    ids=["another package", "another tool"],
)
def test_stack_of_another_project_is_refused(
    environment: Environment,
    running: EmbeddedAws,
    tree: Tree,
    body: str,
    words: tuple[str, ...],
) -> None:
    client = environment.client("cloudformation")
    client.create_stack(StackName="other-dev", TemplateBody=body)
    client.get_waiter("stack_create_complete").wait(
        StackName="other-dev", WaiterConfig={"Delay": 1}
    )
    before = client.describe_stacks(StackName="other-dev")["Stacks"]

    ended = tree.run(*LAUNCH, "--set", "Project=other", **running.environment())
    after = client.describe_stacks(StackName="other-dev")["Stacks"]
    client.delete_stack(StackName="other-dev")
    client.get_waiter("stack_delete_complete").wait(
        StackName=before[0]["StackId"], WaiterConfig={"Delay": 1}
    )

    line = refused(ended, 1)
    for word in words:
        assert word in line
    assert after == before
    assert ended.stdout == ""


def without(aws: Aws, action: str) -> Aws:
    """A session of a role with all permissions except one action."""
    iam, account = aws.client("iam"), aws.account()
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    rights = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": action, "Resource": "*"},
    ]
    iam.create_role(
        RoleName="nearly-all",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName="nearly-all",
        PolicyName="rights",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": rights}),
    )
    return session(aws, "nearly-all")


@pytest.mark.usefixtures("environment", "unchanged")
def test_credentials_without_access_to_the_templates_are_refused(
    running: EmbeddedAws, tree: Tree
) -> None:
    limited = without(Aws(REGION, running.environment()), "cloudformation:GetTemplate")

    ended = tree.run(*LAUNCH, "--set", "ApiMaxTasks=18", **limited.environment)

    line = refused(ended, 1)
    assert f"Could not read the templates of stack {STACK}" in line
    assert "cloudformation:GetTemplate" in line
    assert ended.stdout == ""
