"""build.py delete: the list before, the deletion, the list after, and the commands that remove what stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import typer

from commands.deleting import show_remains
from embedded_aws.server import EmbeddedAws
from pipeline.environments.deletion.deletion import read_plan, read_remains
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import direct_entry
from tests.conftest import REGION
from tests.deletion.environments import commands, plant, typed
from tests.launches.environments import Environment, aws_of
from tests.launches.inventory import Inventory, inventory
from tests.launches.tree import Finished, Tree

BEFORE = "What the deletion of stack carbon-connect-dev does:"
AFTER = "Stays in the account, with the command that removes it:"


@dataclass(frozen=True)
class Deleted:
    """dev with what people and services added, deleted by the program."""

    environment: Environment
    run: Finished
    before: Inventory
    after: Inventory

    @property
    def left(self) -> set[str]:
        """The identities of what the deletion left."""
        return {name for _, name in self.after - self.before}

    @property
    def plan(self) -> str:
        """What was printed before the deletion."""
        return self.run.stdout.partition(AFTER)[0]

    @property
    def rest(self) -> str:
        """What was printed after the deletion."""
        return self.run.stdout.partition(AFTER)[2]


@pytest.fixture(scope="module")
def dev(running: EmbeddedAws, release: Release, tree: Tree) -> Deleted:
    environment = Environment(running, release, "dev")
    before = inventory(environment.aws)
    assert environment.launch().status == "CREATE_COMPLETE"
    plant(environment)
    run = tree.run("delete", "dev", "--yes", **running.environment())
    return Deleted(environment, run, before, inventory(environment.aws))


def test_deletion_ends_well(dev: Deleted) -> None:
    assert (dev.run.returncode, dev.run.stderr) == (0, "")
    assert dev.run.stdout.splitlines()[0] == BEFORE
    assert dev.run.stdout.splitlines()[-1] == "Stack carbon-connect-dev is deleted."


def test_list_before_names_what_holds_data_and_counts_the_rest(dev: Deleted) -> None:
    assert "Data.Database (carbon-connect-dev-" in dev.plan
    assert "the data of the application, 50 GiB" in dev.plan
    assert "Data.ServerlessCache (carbon-connect-dev), queued tasks and cached values" in dev.plan
    # The function deletes both buckets or neither.
    assert "Data.MediaBucket (carbon-connect-dev-media), empty" not in dev.plan
    assert "Bucket carbon-connect-dev-media (Data.MediaBucket, retained): empty" in dev.plan
    assert (
        "Bucket carbon-connect-dev-documents (Data.DocumentsBucket, retained): not empty"
        in dev.plan
    )
    assert "resources in all: " in dev.plan
    assert "A final snapshot of Data.Database (" in dev.plan
    assert "Blocks the deletion" not in dev.plan
    assert "Not known" not in dev.run.stdout


def test_everything_that_stays_is_listed_and_nothing_else(dev: Deleted) -> None:
    listed = {name for name in dev.left if f" {name} (" in dev.rest}

    assert listed == dev.left
    entries = [line for line in dev.rest.splitlines() if line.startswith("  ") and line[2] != " "]
    # The last two are the total and the sources of the prices; the inventory lists no snapshots of volumes.
    assert len(entries) - 2 == len(dev.left) + 1
    assert "Volume snapshot snap-" in dev.rest


def test_each_thing_that_stays_has_a_cost(dev: Deleted) -> None:
    assert "(Security.Key, retained): 1.00 USD a month" in dev.rest
    assert "(Data.SearchVolume, retained): 20 GiB, 1.67 USD a month" in dev.rest
    snapshots = "(of Data.Database): of a database of 50 GiB, at most 4.75 USD a month"
    assert dev.rest.count(snapshots) == 2
    assert "In total at most " in dev.rest
    assert "Prices: AWS, on demand, eu-north-1, 2025-06-18; " in dev.rest
    assert "not confirmed" in dev.rest


def test_commands_remove_everything_that_stays(dev: Deleted, running: EmbeddedAws) -> None:
    ended = [typed(command, running) for command in commands(dev.run.stdout)]

    assert [(end.returncode, end.stderr) for end in ended] == [(0, "")] * len(ended)
    assert len(ended) > len(dev.left)
    assert inventory(dev.environment.aws) == dev.before
    own = {"OwnerIds": ["self"]}
    assert dev.environment.client("ec2").describe_snapshots(**own)["Snapshots"] == []
    # The key is the last, because the others cannot be read without it.
    assert "schedule-key-deletion" in commands(dev.run.stdout)[-1]


def test_resources_that_should_be_gone_are_found(
    dev: Deleted, running: EmbeddedAws, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check after the deletion, on an environment that nobody deletes."""
    assert dev.run.returncode == 0
    environment = Environment(running, release, "dev", Project="left")
    environment.launch()
    stack = environment.stacks()[""]
    entry = direct_entry(REGION, environment.values())
    plan = read_plan(environment.aws, entry, stack, environment.stack)

    found = {each.kind for each in read_remains(environment.aws, plan).undeleted}
    with pytest.raises(typer.Exit) as ended:
        show_remains(environment.aws, plan, "Stack left-dev is deleted.")

    assert found == {
        "AWS::EC2::EIP",
        "AWS::EC2::NatGateway",
        "AWS::EC2::VPC",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::RDS::DBInstance",
    }
    assert ended.value.exit_code == 1
    printed = capsys.readouterr()
    assert "Should be deleted, but exists:" in printed.out
    assert "aws rds delete-db-instance" in printed.out
    assert printed.err.startswith("Stack left-dev is deleted, but resources of it still exist: ")


@pytest.mark.usefixtures("dev")
def test_second_deletion_is_one_sentence_and_status_1(running: EmbeddedAws, tree: Tree) -> None:
    again = tree.run("delete", "dev", "--yes", **running.environment())

    assert again.returncode == 1
    assert again.stdout == ""
    assert again.stderr.startswith(
        f"build.py: Stack carbon-connect-dev does not exist in {REGION}, so nothing was deleted;"
    )


def test_a_stack_that_only_waits_for_its_change_set_is_deleted(
    running: EmbeddedAws, tree: Tree
) -> None:
    """What an interrupted first launch leaves."""
    environment = {"Key": "Environment", "Value": "dev"}
    cloudformation = running_client(running)
    cloudformation.create_change_set(
        StackName="waiting-dev",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
        Tags=[{"Key": "Project", "Value": "waiting"}, environment],
    )

    deleted = tree.run(
        "delete", "dev", "--set", "Project=waiting", "--yes", **running.environment()
    )

    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert "Nothing stays in the account." in deleted.stdout


def running_client(running: EmbeddedAws) -> Any:
    return aws_of(running).client("cloudformation")


TOPIC = '{"Description": "Topics", "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'


def test_stack_of_another_project_is_refused(running: EmbeddedAws, tree: Tree) -> None:
    cloudformation = running_client(running)
    cloudformation.create_stack(StackName="other-dev", TemplateBody=TOPIC)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="other-dev", WaiterConfig={"Delay": 1}
    )

    refused = tree.run("delete", "dev", "--set", "Project=other", "--yes", **running.environment())

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "does not belong to Carbon Connect" in refused.stderr
    stacks = cloudformation.describe_stacks(StackName="other-dev")["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"
