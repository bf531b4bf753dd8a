"""`build.py changes` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipeline.paths import PROJECT_FOLDER


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "build.py", "changes", *arguments],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )


def test_value_that_replaces_the_database() -> None:
    ended = run("dev", "--set", "DatabaseName=other")

    assert (ended.returncode, ended.stderr) == (0, "")
    heading, database = ended.stdout.splitlines()[1:3]
    assert heading == "  Data is lost to the environment:"
    assert database == (
        "    Data.Database (AWS::RDS::DBInstance) is replaced: DBName: DatabaseName 'carbon_connect' → 'other'. "
        "A final snapshot stays. The new one is empty."
    )


def test_kept_release_against_dist_loses_nothing() -> None:
    ended = run("1.0.0", "dist", "--json")

    reports = json.loads(ended.stdout)
    assert [found["Environment"] for found in reports] == ["dev", "prod", "staging"]
    assert [change for found in reports for change in found["Changes"] if change["LosesData"]] == []


def test_markdown_of_one_environment() -> None:
    ended = run("1.1.0", "1.0.0", "--environment", "prod", "--markdown")

    assert ended.stdout.startswith("## prod\n")
    assert "## dev" not in ended.stdout


def test_git_revision_is_a_side() -> None:
    ended = run("HEAD", "HEAD")

    assert ended.returncode == 0
    assert ended.stdout.splitlines()[:2] == ["dev", "  No resource changes."]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("nowhere", "dist"), 1, "'nowhere' is no folder, no kept release (1.0.0, 1.1.0)"),
        (("docs", "dist"), 1, "docs has no templates/environment.template.json; build it first."),
        (("1.1.0", "dist", "--environment", "qa"), 1, "1.1.0 has no environment 'qa'"),
        (("dev",), 2, "Name two sides, or an environment and --set KEY=VALUE"),
        (("1.1.0", "dist", "--set", "A=b"), 2, "--set applies to one environment"),
        (("dev", "--set", "Nonsense=1"), 1, "--set names Nonsense, which is not a parameter"),
        (("1.1.0", "dist", "--json", "--markdown"), 2, "exclude each other"),
        (("--", "-x", "dist"), 1, "'-x' is no folder"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], status: int, words: str) -> None:
    ended = run(*arguments)

    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (status, "")
    assert words in line
