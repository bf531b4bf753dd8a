"""The AWS CLI commands of docs/launching.md against the embedded AWS, from search-products to terminate."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.environments.provisioning import environments
from pipeline.parameters.profiles import load_profile
from pipeline.release.assemble import Release
from tests.documentation.blocks import below
from tests.provisioning.catalog import Catalog
from tests.provisioning.users import User

Run = Callable[[str], "subprocess.CompletedProcess[str]"]


def parts() -> list[str]:
    """The blocks of the section on the AWS CLI: the common beginning, launch, update, terminate."""
    return [block.text for block in below("docs/launching.md", "With the AWS CLI")]


@pytest.fixture(scope="module")
def run(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a script in bash with the AWS CLI, as the user of the product; it ends at the first command that fails."""
    folder = tmp_path_factory.mktemp("cli")
    sleep = folder / "sleep"
    sleep.write_text("#!/bin/sh\n")
    sleep.chmod(sleep.stat().st_mode | stat.S_IXUSR)
    env = {
        "PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "AWS_PAGER": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        **catalog.user.environment,
    }

    def bash(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script],
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return bash


def offered(release: Release) -> dict[str, str]:
    """The profile's values of the parameters that the product has."""
    profile = load_profile(release.root, "dev")
    return {name: value for name, value in profile.items() if name != "PermissionsBoundary"}


def test_walk_through_the_documentation(
    run: Run, catalog: Catalog, release: Release, later: Release
) -> None:
    beginning, launch, update, terminate = parts()
    user = User(catalog.user)
    profile = offered(release)

    launched = run(f"{beginning}\n{launch}")

    assert launched.returncode == 0, launched.stderr
    assert user.environment().status == "AVAILABLE"
    values = user.stack().parameters
    assert values == {**profile, "ApiMaxTasks": "12"}
    for text in ("NatGateways", "single", "https://", "carbon-connect-dev-documents"):
        assert text in launched.stdout

    next_version = catalog.publish(later)
    updated = run(f"{beginning}\n{update}")

    assert updated.returncode == 0, updated.stderr
    assert user.environment().artifact_id == next_version
    assert user.stack().parameters == values
    assert user.outputs()["ReleaseVersion"] == later.version

    terminated = run(f"{beginning}\n{terminate}")

    assert terminated.returncode == 0, terminated.stderr
    assert environments.find_environment(catalog.user, "carbon-connect-dev") is None


def test_waiting_without_an_operation_ends(run: Run) -> None:
    # An interactive shell continues after a failed command.
    ended = run(f'{parts()[0]}\nset +e\nrecord=\nwait_for "$record"')

    assert ended.returncode != 0


def test_all_parameters_of_a_profile_are_accepted_and_a_wrong_one_is_refused(
    run: Run, catalog: Catalog, release: Release
) -> None:
    beginning = parts()[0]
    profile = offered(release) | {"Project": "typed"}

    def provision(name: str, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
        given = json.dumps([{"Key": key, "Value": value} for key, value in values.items()])
        command = (
            'record=$(aws servicecatalog provision-product --product-id "$product"'
            f' --provisioning-artifact-id "$version" --provisioned-product-name {name}'
            f" --provisioning-parameters '{given}' --query RecordDetail.RecordId --output text)"
        )
        return run(f'{beginning}\n{command}\nwait_for "$record"')

    good = provision("typed-dev", profile)
    bad = provision("wrong-dev", {**profile, "ApiMaxTasks": "many"})

    assert good.returncode == 0, good.stderr
    typed = User(catalog.user, "typed-dev")
    assert typed.stack().parameters == profile
    assert bad.returncode == 1
    assert "ApiMaxTasks" in bad.stdout
    assert "many" in bad.stdout
    for name in ("typed-dev", "wrong-dev"):
        assert User(catalog.user, name).terminate().succeeded
