"""Every failed state has a way out at its entry point, which the error names and which works."""

from __future__ import annotations

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.entry_points import EntryPoint, way_out
from tests.conftest import REGION
from tests.deletion.environments import commands, former, typed
from tests.launches.environments import Environment
from tests.launches.inventory import inventory
from tests.launches.tree import Finished, Tree
from tests.releases.kept import Kept

DELETE = f".venv/bin/python build.py delete prod --region {REGION}"
# The last layer but two wants this log group, so that the creation fails when the database exists.
TAKEN = "aws-waf-logs-{}"


def failed_creation(running: EmbeddedAws, environment: Environment) -> Environment:
    """An environment whose first launch failed after its database was created; the obstacle is gone again."""
    del running
    logs, name = environment.client("logs"), TAKEN.format(environment.stack)
    logs.create_log_group(logGroupName=name)
    assert not environment.launch().succeeded
    logs.delete_log_group(logGroupName=name)
    return environment


def delete(tree: Tree, running: EmbeddedAws, environment: Environment) -> Finished:
    project = environment.stack.rpartition("-")[0]
    name = environment.stack.rpartition("-")[2]
    setting = f"Project={project}"
    return tree.run("delete", name, "--yes", "--set", setting, **running.environment())


def databases(environment: Environment) -> list[str]:
    found = environment.client("rds").describe_db_instances()["DBInstances"]
    return [each["DBInstanceIdentifier"] for each in found]


def test_failed_rollback_with_protected_resources_is_never_reported_as_deleted(
    running: EmbeddedAws, previous: Kept, tree: Tree
) -> None:
    """The release before this one created the database protected, so that the rollback stopped at it."""
    environment = failed_creation(running, former(running, previous, "prod"))
    assert environment.stacks()[""]["StackStatus"] == "ROLLBACK_FAILED"

    refused = delete(tree, running, environment)

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert "Data.Database has deletion protection" in line
    assert (
        "a stack in ROLLBACK_FAILED cannot be updated, so run `aws rds modify-db-instance" in line
    )
    assert "deleted." not in refused.stdout
    assert databases(environment)
    for command in [part for part in line.split("`") if part.startswith("aws ")]:
        assert typed(command, running).returncode == 0

    deleted = delete(tree, running, environment)

    assert databases(environment) == []
    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert environment.stacks() == {}
    assert environment.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_failed_first_launch_is_removed_by_one_command_that_lists_what_it_left(
    running: EmbeddedAws, release: Release, tree: Tree, name: str
) -> None:
    environment = Environment(running, release, name, Project="removed")
    before = inventory(environment.aws)
    failed_creation(running, environment)
    if environment.stacks()[""]["StackStatus"] != "ROLLBACK_COMPLETE":
        pytest.fail("The rollback of a first launch does not complete.")

    deleted = delete(tree, running, environment)

    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert environment.stacks() == {}
    for command in commands(deleted.stdout):
        assert typed(command, running).returncode == 0, command
    assert inventory(environment.aws) == before


def test_launch_removes_a_failed_first_launch_and_launches(
    running: EmbeddedAws, release: Release
) -> None:
    environment = failed_creation(running, Environment(running, release, "prod", Project="again"))

    assert environment.launch().status == "CREATE_COMPLETE"
    assert environment.notes == [f"The creation of stack {environment.stack} failed; removing it."]


@pytest.fixture
def stopped(running: EmbeddedAws, previous: Kept) -> Environment:
    """An environment of the release before this one, whose deletion stopped at a bucket."""
    running.reset()
    environment = former(running, previous, "dev")
    bucket = environment.launch().outputs["DocumentsBucketName"]
    environment.client("s3").put_object(Bucket=bucket, Key="offer.pdf", Body=b"offer")
    assert environment.delete().status == "DELETE_FAILED"
    return environment


def test_retry_retains_the_bucket_at_which_a_deletion_stopped(
    stopped: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    bucket = "carbon-connect-dev-documents"

    deleted = delete(tree, running, stopped)

    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert f"bucket {bucket} (Data.DocumentsBucket)" in deleted.stdout
    assert f"Bucket {bucket} contains objects; the deletion retains it." in deleted.stdout
    assert f"Bucket {bucket} (Data.DocumentsBucket, retained): not empty" in deleted.stdout
    kept = stopped.client("s3").get_object(Bucket=bucket, Key="offer.pdf")["Body"].read()
    assert kept == b"offer"
    assert stopped.stacks() == {}
    # The snapshot that the first attempt took is listed too.
    assert "Database snapshot carbon-connect-dev-data-" in deleted.stdout


def test_launch_of_a_stopped_deletion_names_the_deletion(
    stopped: Environment, running: EmbeddedAws, tree: Tree
) -> None:
    del stopped
    refused = tree.run("launch", "dev", "--direct", **running.environment())

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith("build.py: Stack carbon-connect-dev is in DELETE_FAILED; ")
    assert f"`.venv/bin/python build.py delete dev --region {REGION}`" in line


DIRECT = EntryPoint("prod", REGION, is_product=False)
PRODUCT = EntryPoint("prod", REGION, is_product=True)
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
FAILED = (
    "CREATE_FAILED",
    "DELETE_FAILED",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "UPDATE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
)


@pytest.mark.parametrize("entry", [DIRECT, PRODUCT], ids=["direct", "product"])
@pytest.mark.parametrize("status", FAILED)
def test_each_failed_state_names_a_command(entry: EntryPoint, status: str) -> None:
    sentence = way_out(entry, status, "carbon-connect-prod")

    assert sentence.count("`") >= 4
    verb = "terminate" if entry.is_product else "delete"
    expected = verb if "UPDATE" not in status else "aws cloudformation"
    assert expected in sentence
    assert ("--direct" in sentence) is not entry.is_product


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
)
def test_a_state_that_can_be_updated_needs_no_way_out(status: str) -> None:
    assert way_out(DIRECT, status, "carbon-connect-prod") == ""
