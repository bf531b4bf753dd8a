"""Information about regions: the command's table, JSON and exit status, and the README's list."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipeline.checks.regions import schemas
from pipeline.checks.regions.readiness import Readiness, readiness
from pipeline.checks.regions.readme import BEGIN, END, README, readme_with_list, region_list
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.conftest import ENVIRONMENTS
from tests.conftest import REGION as HERE


@pytest.fixture(scope="module")
def everywhere(release: Release) -> list[Readiness]:
    """Every environment in every region."""
    return readiness(release)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROJECT_FOLDER / "build.py", "regions", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_json_has_all_results() -> None:
    arguments = [f"--region={region}" for region in (HERE, "us-west-1", "me-south-1")]

    finished = run("--json", "--profile", "dev", *arguments)

    document = json.loads(finished.stdout)
    here, west, south = document["Regions"]
    assert document["Schemas"] == schemas.source()
    assert "Fargate Spot" in document["NotInSchemas"]
    assert here == {
        "Region": HERE,
        "Products": True,
        "Environments": {"dev": {"Ready": True, "Reasons": []}},
    }
    assert west["Environments"]["dev"]["Ready"] is False
    assert [reason["Known"] for reason in west["Environments"]["dev"]["Reasons"]] == [True]
    assert south["Products"] is None
    assert south["Environments"]["dev"]["Ready"] is None
    assert [reason["Known"] for reason in south["Environments"]["dev"]["Reasons"]] == [False]
    assert finished.returncode == 1


def test_all_regions_are_listed_with_status_0(everywhere: list[Readiness]) -> None:
    finished = run()

    heading, *rows = finished.stdout.splitlines()[: 1 + len(everywhere)]
    assert heading.split() == ["Region", *ENVIRONMENTS, "products", "Why", "not"]
    assert [row.split()[0] for row in rows] == [each.region for each in everywhere]
    by_region = {row.split()[0]: row.strip().split(maxsplit=5)[1:] for row in rows}
    assert by_region[HERE] == ["yes"] * (len(ENVIRONMENTS) + 1)
    assert by_region["us-west-1"] == ["no", "no", "no", "yes", "2 of 3 zones"]
    assert by_region["me-south-1"][:4] == ["unknown"] * 4
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    ("profile", "regions", "status", "says"),
    [
        ("dev", ["me-central-1", HERE], 0, "2 of 2 ready for dev"),
        (
            "prod",
            ["me-central-1"],
            1,
            "CacheNodeType cache.t4g.medium is not offered in me-central-1",
        ),
        ("dev", [HERE, "me-south-1"], 1, "cfn-lint has no schemas of me-south-1"),
    ],
    ids=["ready", "not ready", "not known"],
)
def test_named_regions_are_shown_in_full_and_decide_the_status(
    profile: str, regions: list[str], status: int, says: str
) -> None:
    finished = run("--profile", profile, *(f"--region={region}" for region in regions))

    assert says in finished.stdout
    assert finished.returncode == status, finished.stderr


def test_readme_lists_the_current_regions(everywhere: list[Readiness]) -> None:
    text = README.read_text(encoding="utf-8")
    assert readme_with_list(text, everywhere) == text, (
        "run python -m pipeline.checks.regions.readme"
    )
    assert HERE in region_list(everywhere)
    assert "- me-central-1: no cache.t4g.medium for prod." in region_list(everywhere)


def test_readme_with_other_regions_is_updated(everywhere: list[Readiness]) -> None:
    text = README.read_text(encoding="utf-8")
    fewer = readme_with_list(text, [each for each in everywhere if each.region != HERE])

    assert HERE not in fewer.partition(BEGIN)[2].partition(END)[0]
    assert readme_with_list(fewer, everywhere) == text


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_readme_without_its_marks_is_refused(everywhere: list[Readiness], mark: str) -> None:
    text = README.read_text(encoding="utf-8").replace(mark, "")
    with pytest.raises(PipelineError, match="lacks the marks"):
        readme_with_list(text, everywhere)
