"""The table of lines is complete: every line of the document has a test, and every test has a line."""

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise, zip_longest
from pathlib import Path
from types import FunctionType

from pipeline.paths import PROJECT_FOLDER
from tests.seed.lines import LINES
from tests.seed.table import HEADING, SYNTAX, TABLE_HEADER, Line

DOCUMENT = (PROJECT_FOLDER / "docs" / "aws-architecture.txt").read_text(encoding="utf-8")
FOLDER = Path(__file__).parent
# The forms of lines without a test. Rows of tables, items of lists and arrows always need a test.
WITHOUT_CLAIM = {
    HEADING: re.compile(r"\(?[A-Z]\w*\)?( \(?[A-Z]\w*\)?)*:?"),
    TABLE_HEADER: re.compile(r"\|( [A-Z][A-Za-z ]* \|)+"),
    SYNTAX: re.compile(r'end|flowchart TB|subgraph (Internet|Monitoring|Security\["Security"\])'),
}


def missing(document: str, lines: Sequence[Line]) -> list[str]:
    """Where the document and the table differ, line by line."""
    wanted = [line for line in document.splitlines() if line.strip()]
    return [
        f"The document says {text!r} where the table says {line.text if line else None!r}."
        for text, line in zip_longest(wanted, lines)
        if line is None or text != line.text
    ]


def without_reason(lines: Sequence[Line]) -> list[str]:
    """Lines without a test whose form requires one."""
    return [
        line.text
        for line in lines
        if not line.tests
        and not (line.without in WITHOUT_CLAIM and WITHOUT_CLAIM[line.without].fullmatch(line.text))
    ]


def repeated_headers(lines: Sequence[Line]) -> list[str]:
    """Lines marked as the header of a table that follow its first row."""
    return [
        line.text
        for before, line in pairwise(lines)
        if line.without == TABLE_HEADER and before.text.startswith("|")
    ]


def named_tests(lines: Iterable[Line]) -> Counter[str]:
    """The number of uses of each test."""
    return Counter(test for line in lines for test in line.tests)


def existing_tests() -> set[str]:
    """MODULE.FUNCTION of every test in this folder, except this module."""
    found = set()
    for file in sorted(FOLDER.glob("test_*.py")):
        if file == Path(__file__):
            continue
        module = importlib.import_module(f"{__package__}.{file.stem}")
        found |= {
            f"{file.stem}.{name}"
            for name, value in vars(module).items()
            if name.startswith("test_") and isinstance(value, FunctionType)
        }
    return found


def test_every_line_of_the_document_is_in_the_table() -> None:
    assert missing(DOCUMENT, LINES) == []


def test_every_line_has_a_test_or_makes_no_claim() -> None:
    assert without_reason(LINES) == []
    assert repeated_headers(LINES) == []


def test_every_test_exists_and_holds_one_line() -> None:
    named = named_tests(LINES)
    assert set(named) - existing_tests() == set()
    assert [test for test, times in named.items() if times > 1] == []


def test_every_test_is_named_by_the_table() -> None:
    assert existing_tests() - set(named_tests(LINES)) == set()


def test_a_new_line_is_noticed() -> None:
    assert missing(DOCUMENT + "\n- A line that nobody tests\n", LINES)


def test_a_claim_cannot_pass_as_a_title() -> None:
    for line in LINES:
        if line.tests:
            for reason in WITHOUT_CLAIM:
                bare = replace(line, tests=(), without=reason)
                assert without_reason([bare]) or reason == TABLE_HEADER, line.text
