"""The table of blocks is true, and a block that is only parsed has no typing error."""

from __future__ import annotations

import ast

import pytest

from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.documentation.blocks import Place, block
from tests.documentation.listed import STEPS
from tests.documentation.parsing import errors
from tests.documentation.table import DRILLS, NO_COMMANDS, PARSED, RUN_ELSEWHERE

# Programs at the beginning of a command.
PROGRAMS = ("aws ", ".venv/bin/", "make ", "build.py ", "python", "docker ", "curl ", "git ")


def test_every_command_of_a_block_is_run() -> None:
    """A block whose commands belong to different environments is run by several steps."""
    parts: dict[Place, set[int]] = {}
    for step in STEPS:
        numbers = range(len(block(step.place).commands()))
        parts.setdefault(step.place, set()).update(step.lines or numbers)
    missing = {
        (str(place), command)
        for place, numbers in parts.items()
        for number, command in enumerate(block(place).commands())
        if number not in numbers and not command.startswith("#")
    }

    assert missing == set()


@pytest.mark.parametrize("place", NO_COMMANDS, ids=str)
def test_block_without_commands_has_none(place: Place) -> None:
    lines = [line.strip() for line in block(place).text.splitlines()]

    assert [line for line in lines if line.startswith(PROGRAMS)] == []


@pytest.mark.parametrize("module", [*RUN_ELSEWHERE, *DRILLS.values()])
def test_other_test_reads_the_blocks_from_the_page(module: str) -> None:
    """The module names the page's headings in a call of `below`, `block` or, for a drill, `blocks`."""
    tree = ast.parse((PROJECT_FOLDER / module).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    places = RUN_ELSEWHERE.get(module, ())
    sections = {section for section, of in DRILLS.items() if of == module}

    assert {place.heading for place in places} | sections <= texts


@pytest.mark.parametrize("place", PARSED, ids=str)
def test_parsed_block_has_no_typing_error(release: Release, place: Place) -> None:
    assert errors(release, block(place).text) == []


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("aws s3api put-objekt --bucket b", "put-objekt"),
        ("aws ecs list-tasks --clustr c", "--clustr"),
        (".venv/bin/python build.py upgrade dev", "no command upgrade"),
        (".venv/bin/python build.py update dev --sett A=b", "--sett"),
        (".venv/bin/python build.py changes    # without its argument", "Missing argument 'old'"),
        (".venv/bin/python build.py update dev --set ImagTag=1", "no parameter ImagTag"),
        ("cd build && make lanch", "no target lanch"),
        (".venv/bin/pytest tests/relation", "no tests/relation"),
        (".venv/bin/python -m benchmarks.command", "no module benchmarks.command"),
        ("build.py update dev", "not known"),
    ],
)
def test_a_typing_error_is_found(release: Release, command: str, error: str) -> None:
    (found,) = errors(release, command)

    assert error in found
