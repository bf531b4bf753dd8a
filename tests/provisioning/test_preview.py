"""build.py update: the preview of an update, and refusals."""

from __future__ import annotations

import json

import pytest

from commands.common.embedded_sessions import session
from pipeline.environments.provisioning import environments
from pipeline.release.assemble import Release
from tests.launches.snapshots import keep_snapshot
from tests.launches.tree import Finished, Tree
from tests.provisioning.catalog import Catalog
from tests.provisioning.test_end_user_policy import POLICY

NAME = "carbon-connect-dev"
UPDATE = ("update", "dev")


@pytest.fixture(scope="module")
def launched(catalog: Catalog, tree: Tree) -> Catalog:
    """The catalog, after a user launched dev with an image, restored from a snapshot."""
    keep_snapshot(catalog.aws.client("rds"), "s")
    ended = tree.run(
        "launch", "dev", "--set", "ImageTag=1.0", "--set", "DatabaseSnapshotIdentifier=s",
        **catalog.user.environment,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    return catalog


def last_record(catalog: Catalog) -> str:
    """The last operation on the environment."""
    return environments.existing_environment(catalog.user, NAME).last_record_id


def refused(finished: Finished, status: int) -> str:
    """The error of a command that was refused with an exit status."""
    assert finished.returncode == status, finished.stdout + finished.stderr
    (line,) = finished.stderr.splitlines()
    assert line.startswith("build.py: ")
    return line


def values(catalog: Catalog) -> dict[str, str]:
    stack = environments.stack_of(
        catalog.user, environments.existing_environment(catalog.user, NAME)
    )
    assert stack is not None
    return dict(stack.parameters)


@pytest.mark.parametrize("words", [(), ("--yes",)], ids=["no terminal", "yes"])
def test_loss_that_is_not_accepted_ends_with_status_3(
    launched: Catalog, tree: Tree, words: tuple[str, ...]
) -> None:
    before = last_record(launched)

    ended = tree.run(
        *UPDATE, "--set", "DatabaseSnapshotIdentifier=", *words, **launched.user.environment
    )

    assert "--accept-loss Data.Database" in refused(ended, 3)
    assert ended.stdout.splitlines()[1] == "  Data is lost to the environment:"
    assert last_record(launched) == before


def test_preview_changes_nothing(launched: Catalog, tree: Tree) -> None:
    before = last_record(launched)

    ended = tree.run(*UPDATE, "--set", "ImageTag=", "--preview", **launched.user.environment)

    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == f"What changes in {NAME}:"
    assert "  Interrupted:" in lines
    assert lines[-1] == f"Nothing was changed in {NAME}."
    assert last_record(launched) == before


def test_update_without_loss_keeps_the_given_values(launched: Catalog, tree: Tree) -> None:
    ended = tree.run(*UPDATE, "--set", "ApiMaxTasks=12", **launched.user.environment)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "  The rest: 1 updated in place." in ended.stdout.splitlines()
    found = values(launched)
    assert (found["ImageTag"], found["DatabaseSnapshotIdentifier"]) == ("1.0", "s")
    assert found["ApiMaxTasks"] == "12"


def test_what_aws_refuses_is_refused_first(launched: Catalog, tree: Tree) -> None:
    """A user without permissions on the resources gets the sentence of LaunchCheck before the update starts."""
    before = last_record(launched)

    ended = tree.run(*UPDATE, "--set", "VpcCidr=10.9.0.0/16", "--yes", **launched.user.environment)

    assert "VpcCidr cannot change from 10.0.0.0/16 to 10.9.0.0/16" in refused(ended, 1)
    assert last_record(launched) == before


def test_snapshot_that_the_user_cannot_read_is_refused_by_the_stack(
    launched: Catalog, tree: Tree
) -> None:
    """LaunchCheck has the right to read it; the update fails there, and the environment stays as it is."""
    ended = tree.run(
        *UPDATE,
        *("--set", "DatabaseSnapshotIdentifier=absent", "--accept-loss", "Data.Database"),
        **launched.user.environment,
    )

    assert ended.returncode == 1
    assert "DatabaseSnapshotIdentifier absent does not exist in eu-north-1" in ended.stderr
    assert values(launched)["DatabaseSnapshotIdentifier"] == "s"


def test_unknown_version_is_refused(launched: Catalog, tree: Tree) -> None:
    before = last_record(launched)

    ended = tree.run(*UPDATE, "--product-version", "9.9.9", **launched.user.environment)

    assert "no active version '9.9.9'" in refused(ended, 1)
    assert last_record(launched) == before


def test_other_version_is_compared_from_the_bucket(
    launched: Catalog, tree: Tree, later: Release
) -> None:
    launched.publish(later)

    ended = tree.run(
        *UPDATE, "--product-version", later.version, "--set", "ImageTag=1.1",
        **launched.user.environment,
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == f"What changes in {NAME}:"
    assert not any("Data is lost" in line for line in lines)
    assert any("Compute.BeatService" in line for line in lines)
    assert values(launched)["ImageTag"] == "1.1"


def test_role_without_permission_to_read_templates_is_refused(
    launched: Catalog, tree: Tree
) -> None:
    iam, account = launched.aws.client("iam"), launched.aws.account()
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(
        RoleName="aws-policy",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName="aws-policy", PolicyName="aws", PolicyDocument=json.dumps(POLICY["Document"])
    )
    launched.admit(f"arn:aws:iam::{account}:role/aws-policy")
    user = session(launched.aws, "aws-policy", "ada")
    for arguments, owner in (
        (("terminate", "dev", "--yes"), launched.user),
        (("launch", "dev"), user),
    ):
        assert tree.run(*arguments, **owner.environment).returncode == 0

    ended = tree.run(*UPDATE, "--set", "ImageTag=1", **user.environment)

    line = refused(ended, 1)
    assert "Could not read the templates of stack SC-" in line
    assert "cloudformation:GetTemplate" in line
