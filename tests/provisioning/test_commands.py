"""build.py launch, update, status, outputs and terminate as programs: output and exit status."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.tree import Finished, Tree, end, finished
from tests.provisioning.catalog import Catalog

NAME = "carbon-connect-dev"
LINE = re.compile(r" +\d+\.\d s  (?P<stack>\S+) +(?P<status>[A-Z_]+), \d+ of \d+ resources")


def progress(output: str) -> set[tuple[str, str]]:
    """The printed statuses, by stack."""
    found = map(LINE.fullmatch, output.splitlines())
    return {(line["stack"], line["status"]) for line in found if line}


def pairs(output: str) -> dict[str, str]:
    """Names and values that are separated by two spaces."""
    found = (line.strip().split("  ", 1) for line in output.splitlines() if line.startswith("  "))
    return {pair[0]: pair[1].strip() for pair in found if len(pair) == 2}


@pytest.fixture(scope="module")
def embedded(tree: Tree) -> Finished:
    """Published to, and launched on, a separate embedded AWS."""
    return tree.run("launch", "dev", "--embedded", "--set", "ApiMaxTasks=7")


def test_embedded_launch_publishes_and_launches_from_the_product(
    embedded: Finished, release: Release
) -> None:
    assert (embedded.returncode, embedded.stderr) == (0, "")
    assert re.search(rf"^Published \d+ products of {release.version}", embedded.stdout, re.M)
    assert f"{NAME} launched (version {release.version})" in embedded.stdout.splitlines()
    assert pairs(embedded.stdout).keys() >= release.root.template.outputs.keys()


def test_embedded_launch_shows_the_progress_of_each_stack(
    embedded: Finished, release: Release
) -> None:
    names = [NAME, *(layer.name.capitalize() for layer in release.layers)]

    assert {(name, "CREATE_COMPLETE") for name in names} <= progress(embedded.stdout)


def test_production_launches_with_its_prerequisites(tree: Tree) -> None:
    prod = tree.run("launch", "prod", "--embedded")

    assert (prod.returncode, prod.stderr) == (0, "")
    assert pairs(prod.stdout)["DocumentsBucketName"] == "carbon-connect-prod-documents"


def test_kept_embedded_aws_has_the_product_until_ctrl_c(tree: Tree) -> None:
    process = tree.start("launch", "dev", "--embedded", "--keep")
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if line.startswith("export "))
        variables = dict(pair.split("=", 1) for pair in line.split()[1:])
        looked = tree.run("status", "dev", **variables)
        ended = tree.run("terminate", "dev", "--yes", **variables)
    finally:
        end(process, signal.SIGINT)
        stopped = finished(process)

    assert pairs(looked.stdout)["Status"] == "AVAILABLE"
    assert ended.stdout.splitlines()[-1] == f"{NAME} is terminated."
    assert (stopped.returncode, stopped.stderr) == (0, "")


@pytest.fixture(scope="module")
def commands(catalog: Catalog, tree: Tree, later: Release) -> dict[str, Finished]:
    """The commands of an environment on one embedded AWS, each by its name."""
    variables = dict(catalog.user.environment)

    def run(*arguments: str) -> Finished:
        return tree.run(*arguments, **variables)

    found = {
        "launch": run("launch", "dev", "--set", "ApiMaxTasks=7"),
        "launch again": run("launch", "dev"),
        "update": run("update", "dev", "--set", "ImageTag=1.4.2"),
    }
    catalog.publish(later)
    return found | {
        "next version": run("update", "dev", "--product-version", later.version),
        "nothing to update": run("update", "dev", "--set", "ApiMaxTasks=7"),
        "status": run("status", "dev"),
        "outputs": run("outputs", "dev"),
        "terminate": run("terminate", "dev", "--yes"),
        "terminate again": run("terminate", "dev", "--yes"),
    }


def test_all_commands_succeed(commands: dict[str, Finished]) -> None:
    ended = {name: (run.returncode, run.stderr) for name, run in commands.items()}
    again = ended.pop("terminate again")

    assert ended == dict.fromkeys(ended, (0, ""))
    assert again[0] == 1
    assert f"Provisioned product {NAME} does not exist in {REGION}" in again[1]


def test_result_is_printed(commands: dict[str, Finished], release: Release, later: Release) -> None:
    lines = {
        "launch": f"{NAME} launched (version {release.version})",
        "launch again": f"{NAME} is already launched (version {release.version})",
        "update": f"{NAME} updated (version {release.version})",
        "next version": f"{NAME} updated (version {later.version})",
        "nothing to update": f"{NAME} is up to date (version {later.version})",
        "terminate": f"{NAME} is terminated.",
    }

    for name, line in lines.items():
        assert line in commands[name].stdout.splitlines(), name


def test_progress_shows_changing_stacks(commands: dict[str, Finished], release: Release) -> None:
    names = [NAME, *(layer.name.capitalize() for layer in release.layers)]

    assert {(name, "CREATE_COMPLETE") for name in names} <= progress(commands["launch"].stdout)
    assert progress(commands["launch again"].stdout) == set()
    assert (NAME, "UPDATE_COMPLETE") in progress(commands["update"].stdout)
    assert progress(commands["nothing to update"].stdout) == set()
    assert {(name, "DELETE_COMPLETE") for name in names} <= progress(commands["terminate"].stdout)


def test_status_and_outputs_are_names_and_values(
    commands: dict[str, Finished], later: Release
) -> None:
    status, outputs = (pairs(commands[name].stdout) for name in ("status", "outputs"))

    assert (status["Status"], status["Version"]) == ("AVAILABLE", later.version)
    assert status["Stack status"] == "UPDATE_COMPLETE"
    assert outputs.keys() == later.root.template.outputs.keys()
    assert outputs["ReleaseVersion"] == later.version


def test_failed_launch_gives_the_reasons_and_status_1(catalog: Catalog, tree: Tree) -> None:
    catalog.aws.client("s3").create_bucket(
        Bucket="broken-dev-media", CreateBucketConfiguration={"LocationConstraint": REGION}
    )

    failed = tree.run("launch", "dev", "--set", "Project=broken", **catalog.user.environment)

    assert failed.returncode == 1
    first, second = failed.stderr.splitlines()
    assert first.startswith("broken-dev failed: ")
    assert second == (
        "  broken-dev: LaunchCheck: broken-dev-media is already a bucket of this account:"
        " set ExistingBuckets=true to use both buckets with everything in them,"
        " or choose another BucketNamespace or Project."
    )
    assert ("broken-dev", "ROLLBACK_COMPLETE") in progress(failed.stdout)


@pytest.mark.parametrize("command", ["update", "status", "outputs"])
def test_missing_environment_is_one_sentence(catalog: Catalog, tree: Tree, command: str) -> None:
    refused = tree.run(command, "dev", "--name", "absent", **catalog.user.environment)

    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert line.startswith(f"build.py: Provisioned product absent does not exist in {REGION}")
    assert "--name" in line


def test_profile_without_a_product_is_refused(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "without")
    catalog = tree.folder / "catalog.yaml"
    catalog.write_text(catalog.read_text().replace("profile: dev\n", "layer: network\n"))

    refused = tree.run("launch", "dev", AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret")

    assert refused.returncode == 1
    assert refused.stderr == (
        "build.py: catalog.yaml has no product of profile 'dev'; add one, or launch with --direct.\n"
    )
