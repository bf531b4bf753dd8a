"""Every block of the pages is run by a test, or listed with a reason; a block that is only parsed has no typing error."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.documentation import test_product, test_stack
from tests.documentation.blocks import PAGES, Place, block, blocks_of
from tests.documentation.parsing import errors
from tests.documentation.table import DRILLS, NO_COMMANDS, PARSED, RUN_ELSEWHERE

STEPS = (*test_stack.STEPS, *test_product.STEPS)
# Programs at the beginning of a command.
PROGRAMS = ("aws ", ".venv/bin/", "make ", "build.py ", "python", "docker ", "curl ", "git ")


def drills() -> Iterator[Place]:
    """The blocks of docs/recovery.md, which the tests of its sections run."""
    for found in blocks_of("docs/recovery.md"):
        if found.place.heading.partition(" > ")[0] in DRILLS:
            yield found.place


def test_every_block_is_in_one_list() -> None:
    run = {step.place for step in STEPS}
    elsewhere = [place for places in RUN_ELSEWHERE.values() for place in places]
    listed = [*run, *elsewhere, *drills(), *PARSED, *NO_COMMANDS]

    assert sorted(map(str, listed)) == sorted(
        str(found.place) for page in PAGES for found in blocks_of(page)
    )


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
