"""`build.py changes` on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.changes.sides import KEPT
from pipeline.paths import PROJECT_FOLDER


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "build.py", "changes", *arguments],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )


def test_value_that_replaces_the_database_is_reported() -> None:
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
        (("nowhere", "dist"), 1, "'nowhere' is not a folder, a kept release (1.0.0, 1.1.0)"),
        (("docs", "dist"), 1, "docs has no templates/environment.template.json; build it first."),
        (("1.1.0", "dist", "--environment", "qa"), 1, "1.1.0 has no environment 'qa'"),
        (("dev",), 2, "Name two sides, or an environment and --set KEY=VALUE"),
        (("1.1.0", "dist", "--set", "A=b"), 2, "--set applies to one environment"),
        (("dev", "--set", "Nonsense=1"), 1, "--set names Nonsense, which is not a parameter"),
        (("1.1.0", "dist", "--json", "--markdown"), 2, "exclude each other"),
        (("--", "-x", "dist"), 1, "'-x' is not a folder"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], status: int, words: str) -> None:
    ended = run(*arguments)

    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (status, "")
    assert words in line


def broken(name: str, change: Callable[[Any], object]) -> Callable[[Path], object]:
    """Change a template of a folder."""

    def break_it(folder: Path) -> None:
        path = folder / "templates" / f"{name}.template.json"
        body = json.loads(path.read_text(encoding="utf-8"))
        change(body)
        path.write_text(json.dumps(body), encoding="utf-8")

    return break_it


def database(**properties: Any) -> Callable[[Any], object]:
    """Give the database other properties."""
    return lambda body: body["Resources"]["Database"]["Properties"].update(properties)


UNRENDERABLE: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "a root that is not a template": (
        lambda folder: (folder / "templates" / "environment.template.json").write_text("[]"),
        "environment.template.json is not a CloudFormation template: it has no Resources.",
    ),
    "a layer that is not a template": (
        broken("data", lambda body: body.pop("Resources")),
        "data.template.json is not a CloudFormation template: it has no Resources.",
    ),
    "a layer that is not JSON": (
        lambda folder: (folder / "templates" / "data.template.json").write_text("{"),
        "data.template.json cannot be read as JSON: ",
    ),
    "a layer that is missing": (
        lambda folder: (folder / "templates" / "data.template.json").unlink(),
        "data.template.json, which is not a template of this release.",
    ),
    "a function that does not exist": (
        broken("data", database(DBName={"Fn::Nothing": ["x"]})),
        "Resource Data.Database has Fn::Nothing, which cannot be evaluated.",
    ),
    "a reference to nothing": (
        broken("data", database(DBName={"Ref": "Missing"})),
        "Resource Data.Database has Ref Missing, which cannot be evaluated.",
    ),
    "an attribute of nothing": (
        broken("data", database(DBName={"Fn::GetAtt": ["Missing", "Arn"]})),
        "The template of nested stack Data refers to Missing.Arn, which it does not have.",
    ),
    "a condition that does not exist": (
        broken("data", lambda body: body["Resources"]["Database"].update(Condition="Missing")),
        "The template uses condition Missing, but does not define it.",
    ),
    "a parameter without a value": (
        broken("environment", lambda body: body["Parameters"].update(More={"Type": "String"})),
        "Parameter More of the root has no value and no default.",
    ),
    "a profile that is none": (
        lambda folder: (folder / "parameters" / "dev.json").write_text('{"a": 1}'),
        "dev.json must be a list of objects with ParameterKey and ParameterValue.",
    ),
}


@pytest.mark.parametrize("what", UNRENDERABLE)
def test_tree_that_cannot_be_rendered_is_one_sentence(tmp_path: Path, what: str) -> None:
    for name in ("templates", "parameters"):
        shutil.copytree(KEPT / "1.1.0" / name, tmp_path / name)
    break_it, words = UNRENDERABLE[what]
    break_it(tmp_path)

    for sides in ((str(tmp_path), "1.1.0"), ("1.1.0", str(tmp_path))):
        ended = run(*sides)
        (line,) = ended.stderr.splitlines()
        assert (ended.returncode, ended.stdout) == (1, "")
        assert words in line
