""".github/workflows/publish.yml: a pull request gets its plan as one comment, a version tag publishes that version."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER
from tests.launches.tree import Tree
from tests.workflows.comments import TOKEN, comment, pull_request
from tests.workflows.reading import workflow

PUBLISH = workflow("publish.yml")
MARK = "<!-- carbon-connect-plan -->"
PLAN_STEP = "Plan the publication"
COMMENT_STEP = "Write the comment, or replace the one of an earlier plan"
TAG_STEP = "Compare the tag with the version"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A writable clone for the plan."""
    return Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")


def planned(tree: Tree, **variables: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """The result of the plan's step, and its output ``plan`` in GitHub."""
    outputs = tree.folder / "outputs"
    outputs.unlink(missing_ok=True)
    done = PUBLISH.run(
        "plan",
        PLAN_STEP,
        tree.folder,
        GITHUB_OUTPUT=str(outputs),
        RUNNER_TEMP=str(tree.folder),
        **variables,
    )
    first, *lines = outputs.read_text().splitlines()
    name, _, end = first.partition("<<")
    assert name == "plan"
    assert lines.index(end) == len(lines) - 1
    return done, "\n".join(lines[:-1])


def test_the_plan_is_the_output_of_its_step(tree: Tree, embedded: EmbeddedAws) -> None:
    done, plan = planned(tree, **embedded.environment())

    assert done.returncode == 0, done.stdout
    assert plan.startswith("eu-north-1, account ")
    assert "create" in plan
    assert plan.splitlines()[-1].startswith("Plan: ")


def test_a_plan_that_fails_fails_the_job_and_leaves_its_reason(
    tree: Tree, embedded: EmbeddedAws
) -> None:
    variables = {**embedded.environment(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}

    done, plan = planned(tree, **variables)

    assert done.returncode == 1
    assert plan.startswith("build.py: ")


def commented(held: list[dict[str, Any]], plan: str, token: str = TOKEN) -> int:
    """Run the comment's step on a pull request with these comments; returns its result."""
    with pull_request(held) as url:
        done = PUBLISH.run(
            "comment",
            COMMENT_STEP,
            PROJECT_FOLDER,
            GITHUB_API_URL=url,
            GITHUB_REPOSITORY="acme/infrastructure",
            PULL_REQUEST="7",
            COMMIT="3b18e51",
            PLAN=plan,
            TOKEN=token,
        )
    return done.returncode


def test_a_later_plan_replaces_the_comment_of_the_earlier_one() -> None:
    held = [comment(0, "reviewer", f"{MARK}\nlooks like the plan's")]

    assert commented(held, "Plan: 2 create.") == 0
    assert commented(held, "Plan: 3 create.") == 0

    assert [each["user"]["login"] for each in held] == ["reviewer", "github-actions[bot]"]
    assert held[0]["body"] == f"{MARK}\nlooks like the plan's"
    assert held[1]["body"] == f"{MARK}\n`build.py plan` at 3b18e51:\n\n    Plan: 3 create.\n"


def test_comment_is_found_after_a_hundred_others() -> None:
    held = [comment(number, "reviewer", "+1") for number in range(230)]
    held.append(comment(230, "github-actions[bot]", f"{MARK}\nold"))

    assert commented(held, "Plan: 1 update.") == 0

    assert len(held) == 231
    assert "1 update" in held[-1]["body"]


@pytest.mark.parametrize(
    "plan", ["```\n@everyone [x](https://evil.example)", "$(touch evil) ${{ 1 }} \"; exit 1 #'"]
)
def test_plan_is_inserted_as_text(plan: str) -> None:
    held: list[dict[str, Any]] = []

    assert commented(held, plan) == 0

    _, _, blank, *lines = held[0]["body"].splitlines()
    assert blank == ""
    assert lines == [f"    {line}" for line in plan.splitlines()]
    assert not (PROJECT_FOLDER / "evil").exists()


def test_long_plan_is_cut_to_the_limit_of_a_comment() -> None:
    held: list[dict[str, Any]] = []

    assert commented(held, "x\n" * 30000) == 0

    assert len(held[0]["body"]) == 65536


def test_a_comment_that_github_refuses_fails_the_job() -> None:
    assert commented([], "Plan: 1 update.", token="other") != 0


def version() -> str:
    settings = configparser.ConfigParser()
    settings.read(PROJECT_FOLDER / "setup.cfg")
    return settings["metadata"]["version"]


@pytest.mark.parametrize("tag", ["0.0.1", "v{version}", "{version}.1"])
def test_a_tag_publishes_only_its_own_version(tag: str, tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_bytes((PROJECT_FOLDER / "setup.cfg").read_bytes())
    name = tag.format(version=version())

    refused = PUBLISH.run("publish", TAG_STEP, tmp_path, GITHUB_REF_NAME=name)
    accepted = PUBLISH.run("publish", TAG_STEP, tmp_path, GITHUB_REF_NAME=version())

    assert refused.returncode == 1
    assert (
        f"::error::The tag is {name}, and setup.cfg has the version {version()}" in refused.stdout
    )
    assert accepted.returncode == 0


def test_publishing_runs_in_its_environment_and_one_at_a_time() -> None:
    job = PUBLISH.jobs["publish"]
    concurrency = PUBLISH.document["concurrency"]

    assert job["environment"] == "publish"
    assert "environment" not in PUBLISH.jobs["plan"]
    assert concurrency["group"].endswith("|| 'publish' }}")
    assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    assert PUBLISH.document["on"]["push"] == {"tags": ["[0-9]+.[0-9]+.[0-9]+"]}


def test_the_job_that_writes_comments_runs_no_code_of_the_pull_request() -> None:
    job = PUBLISH.jobs["comment"]

    assert job["permissions"] == {"pull-requests": "write"}
    assert [step.get("uses") for step in job["steps"]] == [None]


def test_each_job_signs_in_as_its_own_role() -> None:
    def role(job: str) -> str:
        (step,) = (s for s in PUBLISH.jobs[job]["steps"] if "configure-aws" in s.get("uses", ""))
        assert set(step["with"]) == {"role-to-assume", "aws-region", "role-session-name"}
        return str(step["with"]["role-to-assume"])

    assert role("plan") == "${{ vars.PLAN_ROLE_ARN }}"
    assert role("publish") == "${{ vars.PUBLISH_ROLE_ARN }}"
