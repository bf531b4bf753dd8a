"""The commands about sharing in docs/publishing.md, in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.plan.steps import Action
from pipeline.paths import PROJECT_FOLDER
from tests.documentation.blocks import below
from tests.organization import Organization
from tests.publishing.conftest import Publisher
from tests.publishing.results import portfolio_and_product, writing_steps
from tests.publishing.shared_catalog import Hub, catalog_with


def commands(heading: str, containing: str) -> str:
    """The commands of the one block of a section that contains a text."""
    [found] = [
        block.text for block in below("docs/publishing.md", heading) if containing in block.text
    ]
    return found


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in bash with the AWS CLI; it ends at the first command that fails."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script],
        env={"PATH": path, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **environment},
        cwd=PROJECT_FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_principals_and_shares_are_removed(publisher: Publisher) -> None:
    hub, organization = Hub(publisher), Organization(publisher.embedded)
    organization.allow_sharing()
    unit = organization.unit("team")["Id"]
    catalog = catalog_with(
        "{account: '210987654321'}",
        f"{{organizational_unit: {unit}}}",
        f"{{organization: {organization.id}}}",
        top=f"organization: {organization.id}\n",
    )
    hub.publish(catalog)
    script = commands("Sharing > Removing principals and shares", "delete-portfolio-share")
    portfolio, _ = portfolio_and_product(publisher.catalog)
    accept = commands("Sharing", "accept-portfolio-share").replace("port-…", portfolio)
    accepted = run(accept, **organization.credentials("210987654321"))
    assert accepted.returncode == 0, accepted.stderr
    for example, real in (
        ("port-…", portfolio),
        ("role/NAME", "role/launcher"),
        ("ou-ab12-c3d4e5f6", unit),
        ("o-a1b2c3d4e5", organization.id),
    ):
        assert example in script
        script = script.replace(example, real)
    environment = publisher.embedded.environment()
    for line in script.replace("\\\n", " ").splitlines():
        done = patiently(line, environment)
        assert done.returncode == 0, done.stderr
    assert sorted(writing_steps(hub.plan(catalog))) == [
        (Action.CREATE, Kind.PRINCIPAL),
        *[(Action.CREATE, Kind.SHARE)] * 3,
    ]


def patiently(line: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command, and repeat it while another share is in progress."""
    for _ in range(5):
        done = run(line, AWS_PAGER="", **environment)
        if "InvalidStateException" not in done.stderr:
            break
    return done


@pytest.mark.parametrize("command", ["create-stack-set", "create-stack-instances"])
def test_stack_set_deploys_the_launch_role_to_every_account(command: str) -> None:
    script = commands("Sharing", "create-stack-set").replace("\\\n", " ")
    [line] = [line for line in script.splitlines() if f"aws cloudformation {command} " in line]

    # Validates the request with the API's model and sends nothing.
    done = run(f"{line} --generate-cli-skeleton output --region eu-north-1")

    assert done.returncode == 0, done.stderr
