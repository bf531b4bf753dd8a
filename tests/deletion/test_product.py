"""build.py terminate, as the launcher role and as a role that may use Service Catalog and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from commands.common.embedded_sessions import session
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.tree import Finished, Tree
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User

NAME = "carbon-connect-dev"
ROLE = "service-catalog-only"


@pytest.fixture(scope="module")
def catalog(running: EmbeddedAws, release: Release) -> Catalog:
    """A catalog with the release as its product's first version."""
    made = Catalog(running)
    made.publish(release)
    return made


@pytest.fixture(scope="module")
def few(catalog: Catalog) -> Aws:
    """A session of a role with permissions for Service Catalog only."""
    iam, account = catalog.aws.client("iam"), catalog.aws.account()
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    iam.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=policy({"Principal": root, "Action": "sts:AssumeRole"}),
    )
    allowed = policy({"Action": "servicecatalog:*", "Resource": "*"})
    iam.put_role_policy(RoleName=ROLE, PolicyName="products", PolicyDocument=allowed)
    catalog.admit(f"arn:aws:iam::{account}:role/{ROLE}")
    return session(catalog.aws, ROLE)


def policy(statement: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def terminate(tree: Tree, aws: Aws, *arguments: str) -> Finished:
    return tree.run("terminate", "dev", "--yes", *arguments, **aws.environment)


def test_launcher_sees_what_the_stacks_tell_and_which_permission_tells_the_rest(
    catalog: Catalog, tree: Tree
) -> None:
    assert User(catalog.user).launch().succeeded

    run = terminate(tree, catalog.user)

    assert (run.returncode, run.stderr) == (0, "")
    before, _, after = run.stdout.partition(
        "Stays in the account, with the command that removes it:"
    )
    assert f"What the deletion of {NAME} does:" in before
    assert "Data.Database (sc-123456789012-pp-" in before
    assert "A final snapshot of Data.Database" in before
    assert "Not known: the state of Data.Database (needs rds:DescribeDBInstances)." in before
    assert "(Security.Key, retained): not verified" in after
    assert "aws kms schedule-key-deletion" in after
    assert "aws rds describe-db-snapshots" in after
    assert "(needs rds:DescribeDBSnapshots)" in after
    assert "Data.Database" in after
    assert run.stdout.splitlines()[-1] == f"{NAME} is terminated."


def test_user_of_service_catalog_alone_terminates_without_a_list(
    few: Aws, catalog: Catalog, tree: Tree
) -> None:
    assert User(few).launch().succeeded

    run = terminate(tree, few)

    assert (run.returncode, run.stderr) == (0, "")
    assert "Not known: the resources of carbon-connect-dev" in run.stdout
    assert "cloudformation:DescribeStacks" in run.stdout
    assert run.stdout.splitlines()[-1] == f"{NAME} is terminated."
    stacks = catalog.aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack for stack in stacks if stack["StackName"].startswith("SC-")]


def test_unknown_name_is_one_sentence_and_status_1(few: Aws, tree: Tree) -> None:
    run = terminate(tree, few, "--name", "absent")

    assert (run.returncode, run.stdout) == (1, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"build.py: Provisioned product absent does not exist in {REGION}")
    assert "--name" in line


def test_protected_environment_is_refused_before_the_termination_starts(
    catalog: Catalog, tree: Tree
) -> None:
    user = User(catalog.user)
    assert user.launch().succeeded
    stack = user.stack().id.split("/")[1]
    cloudformation = catalog.aws.client("cloudformation")
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)

    run = terminate(tree, catalog.user)

    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert f"Nothing of {NAME} was deleted: Stack {stack} has termination protection; " in line
    assert f"build.py update dev --region {REGION} --set Decommission=true`" in line
    assert user.environment().status == "AVAILABLE"
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    assert terminate(tree, catalog.user).returncode == 0


@dataclass(frozen=True)
class Stopped:
    """An environment whose termination stopped at a network interface that the launcher cannot see, and what each command then says."""

    user: User
    runs: Mapping[str, Finished]


@pytest.fixture(scope="module")
def stopped(catalog: Catalog, tree: Tree) -> Iterator[Stopped]:
    user = User(catalog.user)
    assert user.launch().succeeded
    ec2 = catalog.aws.client("ec2")
    of_environment = [{"Name": "tag:Environment", "Values": ["dev"]}]
    subnet = ec2.describe_subnets(Filters=of_environment)["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    runs = {"terminate": terminate(tree, catalog.user)}
    for command, *rest in (("status",), ("update", "--set", "ImageTag=1"), ("launch",)):
        runs[command] = tree.run(command, "dev", *rest, **catalog.user.environment)
    yield Stopped(user, runs)
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ended = terminate(tree, catalog.user)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_termination_that_stops_ends_with_status_1_and_the_way_out(stopped: Stopped) -> None:
    run = stopped.runs["terminate"]

    assert run.returncode == 1
    assert "Subnet" in run.stderr
    assert run.stderr.splitlines()[-1] == (
        f"{NAME} is in DELETE_FAILED and still has resources: remove the causes above, then run"
        f" `.venv/bin/python build.py terminate dev --region {REGION}` again."
    )
    assert "is terminated" not in run.stdout


@pytest.mark.parametrize("command", ["status", "update", "launch"])
def test_every_command_then_names_the_termination(stopped: Stopped, command: str) -> None:
    run = stopped.runs[command]

    assert run.returncode == (0 if command == "status" else 1)
    assert "terminate" in (run.stdout if command == "status" else run.stderr)
    assert len(run.stderr.splitlines()) <= 1
