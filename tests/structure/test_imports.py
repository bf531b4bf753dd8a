"""Imports only go down: the floors of tests/structure/rooms.py hold, and docs/architecture.md shows them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.structure.imports import broken_rules, crowded_folders, graph_of
from tests.structure.rooms import MOST_IN_A_FOLDER, PAGE, PROJECT_FOLDER, written

# A file, an import at its end, and the text of the finding.
UPWARD = {
    "a layer imports the pipeline": (
        "templates_src/core/iam.py",
        "from pipeline.errors import PipelineError",
        "templates_src must not use pipeline",
    ),
    "a lower floor imports a higher one": (
        "pipeline/release/names.py",
        "from pipeline.checks.render import render",
        "checks is not on a lower floor than release",
    ),
    "rooms of one floor import each other": (
        "pipeline/checks/lint.py",
        "from pipeline.stacks.reading import read_stack",
        "stacks is not on a lower floor than checks",
    ),
    "the plan calls AWS": (
        "pipeline/catalog/plan/versions.py",
        "from pipeline.catalog.apply import tokens",
        "apply is not on a lower floor than plan",
    ),
    "the observer imports the planner": (
        "pipeline/catalog/observed/versions.py",
        "from pipeline.catalog.plan.versions import version_steps",
        "plan is not on a lower floor than observed",
    ),
    "an import in a function": (
        "pipeline/stacks/events.py",
        "def late() -> None:\n    from commands.common import show",
        "pipeline must not use commands",
    ),
    "the embedded AWS imports the project": (
        "embedded_aws/settings.py",
        "from pipeline.paths import PROJECT",
        "embedded_aws must not use pipeline",
    ),
    "the pipeline imports the tests": (
        "pipeline/release/names.py",
        "from tests import golden",
        "pipeline must not use tests",
    ),
    "the commands look into the embedded AWS": (
        "commands/common/targets.py",
        "from embedded_aws.serving import serve",
        "commands must not use embedded_aws",
    ),
    "two modules of a room import each other": (
        "pipeline/stacks/early_validation.py",
        "from pipeline.stacks import events",
        "pipeline.stacks.early_validation, pipeline.stacks.events import one another",
    ),
}


def test_imports_only_go_down() -> None:
    assert broken_rules(graph_of(PROJECT_FOLDER)) == []


def test_no_folder_is_crowded() -> None:
    assert crowded_folders(PROJECT_FOLDER) == []


@pytest.mark.parametrize("name", UPWARD)
def test_an_upward_import_is_found(name: str) -> None:
    file, line, says = UPWARD[name]
    findings = broken_rules(graph_of(PROJECT_FOLDER, {file: line}))
    assert [finding for finding in findings if says in finding], findings


def test_a_room_without_a_floor_is_found() -> None:
    (finding,) = broken_rules(graph_of(PROJECT_FOLDER, {"pipeline/spare.py": ""}))
    assert finding.startswith("pipeline.spare is not in the table")


def test_a_crowded_folder_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "pipeline" / "stacks"
    folder.mkdir(parents=True)
    for name in ("__init__", *(f"part_{number}" for number in range(MOST_IN_A_FOLDER))):
        (folder / f"{name}.py").touch()
    assert crowded_folders(tmp_path) == []
    (folder / "one_more.py").touch()
    (finding,) = crowded_folders(tmp_path)
    assert finding.startswith(f"pipeline/stacks holds {MOST_IN_A_FOLDER + 1} ")


def test_private_names_of_ministack_are_named_in_the_bridge_only() -> None:
    found = [
        f"{path.relative_to(PROJECT_FOLDER)}:{line}: {name}"
        for path in sorted((PROJECT_FOLDER / "embedded_aws").rglob("*.py"))
        if path.parent.name != "bridge"
        for line, name in private_names(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def private_names(source: str) -> list[tuple[int, str]]:
    """Return the lines and private names of a source's imports from ministack."""
    tree = ast.parse(source)
    modules = {"ministack"}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            modules |= {alias.asname or alias.name for alias in node.names}
            found += [(node.lineno, a.name) for a in node.names if a.name.startswith("_")]
        elif isinstance(node, ast.Import):
            modules |= {a.asname for a in node.names if a.asname and a.name.startswith("ministack")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            root: ast.expr = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in modules:
                found.append((node.lineno, node.attr))
    return found


@pytest.mark.parametrize(
    "source",
    [
        "from ministack.services import s3\n\ns3._buckets.clear()",
        "import ministack.app\n\nministack.app._MAIN_LOOP.stop()",
        "from ministack.services.s3 import _buckets",
    ],
)
def test_a_private_name_is_found(source: str) -> None:
    assert private_names(source)


def test_architecture_page_shows_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "run `python -m tests.structure.rooms`"
