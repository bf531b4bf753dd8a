"""`plan` and `publish` as programs, with the catalog.yaml and the templates of the project."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.spec.document import load_catalog
from pipeline.environments.account.quota_table import PRODUCTS
from pipeline.release.upload import keys_below
from tests.conftest import REGION
from tests.launches.tree import Tree, clean_environment
from tests.publishing.snapshot import snapshot


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A writable copy of the working tree."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")


def counts(output: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(output)["Summary"]
    return {action: count for action, count in found.items() if count}


def test_plan_changes_nothing_and_publish_leaves_no_step(tree: Tree, embedded: EmbeddedAws) -> None:
    aws = Aws(REGION, embedded.environment())
    empty = snapshot(aws)

    planned = tree.run("plan", "--json", **embedded.environment())
    assert planned.returncode == 0, planned.stderr
    assert counts(planned.stdout).keys() == {"create"}
    assert snapshot(aws) == empty

    published = tree.run("publish", "--yes", **embedded.environment())
    assert published.returncode == 0, published.stderr
    catalog = load_catalog()
    held = snapshot(aws)
    names = [each["Name"] for each in held["products"]]
    assert sorted(names) == sorted(product.name for product in catalog.products)
    assert len(held["portfolios"]) == len(catalog.portfolios)

    (address,) = re.findall(r"The pages are at s3://([^/]+)/(\S+)\.\n", published.stdout)
    keys = keys_below(aws.client("s3"), *address)
    assert {f"{address[1]}index.html", f"{address[1]}site.css"} <= keys

    again = tree.run("publish", "--yes", **embedded.environment())
    assert "The pages are at" not in again.stdout
    assert again.stdout.endswith("Nothing to publish.\n")
    table = tree.run("plan", **embedded.environment()).stdout
    assert "create" not in table
    assert "unchanged  constraint" in table


def test_release_that_changed_without_a_new_version_is_refused(
    tree: Tree, embedded: EmbeddedAws
) -> None:
    assert tree.run("publish", "--yes", **embedded.environment()).returncode == 0
    profile = tree.folder / "parameters" / "dev.json"
    before = profile.read_text()
    profile.write_text(
        before.replace('"VpcCidr", "ParameterValue": "10.0', '"VpcCidr", "ParameterValue": "10.9')
    )
    try:
        refused = tree.run("publish", "--yes", **embedded.environment())
    finally:
        profile.write_text(before)

    assert refused.returncode == 1
    assert "refuse" in refused.stdout
    assert "raise the version in setup.cfg" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_quota_that_does_not_suffice_stops_plan_and_publish(
    tree: Tree, embedded: EmbeddedAws
) -> None:
    aws = Aws(REGION, embedded.environment())
    empty = snapshot(aws)
    embedded.set_quota(PRODUCTS.service, PRODUCTS.code, 2)

    for command in (("plan",), ("publish", "--yes")):
        refused = tree.run(*command, **embedded.environment())
        assert refused.returncode == 1
        assert f"request at least 9 for quota {PRODUCTS.code}" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert snapshot(aws) == empty


def test_wrong_catalog_is_one_sentence_with_its_line(tree: Tree, embedded: EmbeddedAws) -> None:
    path = tree.folder / "catalog.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("versions_kept: 10", "versions_kept: ten"), encoding="utf-8")
    try:
        refused = tree.run("plan", **embedded.environment())
    finally:
        path.write_text(before, encoding="utf-8")

    line = before.split("\n").index("versions_kept: 10") + 1
    assert refused.returncode == 1
    assert refused.stderr == (
        f"build.py: catalog.yaml:{line}: versions_kept must be a whole number from 1 to 99, not 'ten'.\n"
    )


def test_region_that_does_not_exist_is_refused(tree: Tree, embedded: EmbeddedAws) -> None:
    refused = tree.run("plan", "--region", "eu-nroth-1", **embedded.environment())

    assert refused.returncode == 1
    assert "AWS has no region 'eu-nroth-1'" in refused.stderr


@pytest.mark.parametrize(("answer", "made"), [("n", False), ("y", True)])
def test_publish_asks_on_a_terminal(
    tree: Tree, embedded: EmbeddedAws, answer: str, made: bool
) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, tree.folder / "build.py", "publish"],
        env=clean_environment(embedded.environment()),
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(leader, f"{answer}\n".encode())
    output, _ = process.communicate(timeout=120)
    os.close(leader)
    os.close(follower)

    assert "steps? [y/N]" in output
    assert process.returncode == (0 if made else 1)
    assert bool(snapshot(Aws(REGION, embedded.environment()))["products"]) is made


def test_message_without_an_endpoint_or_credentials_says_what_to_do(tree: Tree) -> None:
    refused = tree.run("plan")

    assert refused.returncode == 1
    assert "sign in" in refused.stderr
    assert refused.stdout == ""
