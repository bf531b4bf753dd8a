"""Every workflow satisfies the project's rules and those of zizmor, and planted faults prove them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflows.reading import GITHUB, Workflow, workflow, workflows
from tests.workflows.rules import SAME_REPOSITORY, broken_rules

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
KEEPS_NO_TOKEN = "          persist-credentials: false\n"
PLAN_RIGHTS = "      id-token: write # Sign in to AWS as the role that only reads.\n"
# A file, a text in it, its replacement, and the findings of the rules and of zizmor: None if zizmor has no such rule.
FAULTS: dict[str, tuple[str, str, str, str, str | None]] = {
    "an action by its tag": (
        *("ci.yml", CHECKOUT, "actions/checkout@v7"),
        *("actions/checkout@v7 is not pinned", "unpinned-uses"),
    ),
    "a commit without its version": (
        *("ci.yml", CHECKOUT, CHECKOUT.partition(" #")[0]),
        *("is not pinned to a commit with its version", None),
    ),
    "an event with the rights of the repository": (
        *("ci.yml", "  pull_request:\n", "  pull_request_target:\n"),
        *("the event pull_request_target", "dangerous-triggers"),
    ),
    "every permission": (
        *("publish.yml", "permissions: {}\n", "permissions: write-all\n"),
        *("more permissions than reading", "excessive-permissions"),
    ),
    "GitHub's default permissions": (
        *("publish.yml", "permissions: {}\n", ""),
        *("or GitHub's default ones", None),
    ),
    "a job's permission to write code": (
        *("publish.yml", PLAN_RIGHTS, f"{PLAN_RIGHTS}      contents: write\n"),
        *("the job plan has the permission contents: write", None),
    ),
    "a title in a script": (
        *("publish.yml", "run: make lint", 'run: echo "${{ github.event.pull_request.title }}"'),
        *("an expression in its script", "template-injection"),
    ),
    "a token in the folder": (
        *("deploy.yml", KEEPS_NO_TOKEN, "          fetch-depth: 1\n"),
        *("a checkout keeps the token", "artipacked"),
    ),
    "credentials for forks": (
        *("publish.yml", f"      && {SAME_REPOSITORY}\n", ""),
        *("the job plan signs in for pull requests from forks", None),
    ),
    "code that is signed in and writes comments": (
        *("publish.yml", PLAN_RIGHTS, f"{PLAN_RIGHTS}      pull-requests: write\n"),
        *("the job plan both signs in and writes", None),
    ),
    "a long-lived key": (
        *("deploy.yml", "role-to-assume:", "aws-access-key-id: ${{ secrets.KEY }}\n          x:"),
        *("a secret is read", None),
    ),
    "no time limit": (
        *("ci.yml", "    timeout-minutes: 90\n", ""),
        *("the job test has no time limit", None),
    ),
}


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    """zizmor without a network, with its strictest rules."""
    program = Path(sys.executable).with_name("zizmor")
    return subprocess.run(
        [program, "--offline", "--no-config", "--no-progress", "--persona", "auditor", folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("each", workflows(), ids=lambda each: each.name)
def test_workflow_satisfies_every_rule(each: Workflow) -> None:
    assert broken_rules(each) == []


def test_zizmor_finds_nothing() -> None:
    done = zizmor(GITHUB)

    assert done.returncode == 0, done.stdout
    for each in workflows():
        assert f"completed {GITHUB}/workflows/{each.name}" in done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_breaks_a_rule(fault: str) -> None:
    file, old, new, sentence, _ = FAULTS[fault]
    text = workflow(file).text
    assert old in text

    (found,) = broken_rules(Workflow(file, text.replace(old, new, 1)))

    assert sentence in found


@pytest.mark.parametrize("fault", [name for name, parts in FAULTS.items() if parts[4]])
def test_zizmor_finds_a_planted_fault(fault: str, tmp_path: Path) -> None:
    file, old, new, _, rule = FAULTS[fault]
    copy = tmp_path / ".github"
    shutil.copytree(GITHUB, copy)
    (copy / "workflows" / file).write_text(workflow(file).text.replace(old, new, 1))

    done = zizmor(copy)

    assert done.returncode > 10, done.stderr
    assert f"[{rule}]" in done.stdout
