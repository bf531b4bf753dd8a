"""Every promise of the pages names the checks that hold it; each check exists, and finds what breaks the promise."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.promises import ledger, named
from tests.promises.document import units_of
from tests.promises.judging import findings, problems_of, relations_of, unread
from tests.promises.ledger import BROKEN, FIGURE, SEE, Entry
from tests.promises.pages import PAGES, WRITTEN, written_by_hand

ENTRIES = {page: ledger.read(page) for page in PAGES}
EVERY = [entry for entries in ENTRIES.values() for entry in entries]


def test_every_sentence_is_listed() -> None:
    for page in PAGES:
        units = units_of(page, written_by_hand(page))
        listed = [entry.unit for entry in ENTRIES[page]]
        assert [replace(unit, of_table=False) for unit in units] == listed, (
            f"docs/{page} has changed: run `python -m tests.promises`, and name the checks of what is new"
        )


@pytest.mark.parametrize("page", PAGES)
def test_every_promise_names_its_checks(page: str) -> None:
    assert {
        entry.unit.text: found
        for entry in ENTRIES[page]
        if (
            found := [
                *problems_of(entry),
                *(f"{each} is read from nothing." for each in unread(entry)),
            ]
        )
    } == {}


def test_a_repeated_promise_is_held_where_it_is_made() -> None:
    for entry in EVERY:
        for beginning in entry.all(SEE):
            made = [each for each in EVERY if each.unit.text.startswith(beginning)]
            assert [each.unit.text for each in made if each.checks], (entry.unit.text, beginning)


def test_numbers_of_tests_are_in_their_files() -> None:
    for entry in EVERY:
        for text in entry.all(FIGURE):
            number, _, file = text.partition(" from ")
            source = (named.TESTS / file).read_text(encoding="utf-8").replace("_", "")
            assert re.search(rf"(?<!\d){re.escape(number.replace(',', ''))}(?!\d)", source), text


BROKEN_ENTRIES = [entry for entry in EVERY if relations_of(entry) or entry.all(BROKEN)]


@pytest.mark.parametrize("entry", BROKEN_ENTRIES, ids=lambda entry: entry.unit.text[:60])
def test_relations_find_what_breaks_their_promise(entry: Entry) -> None:
    """Each change is found by a relation of the promise, and each relation finds one of the changes."""
    checks = relations_of(entry)
    found = {change: findings(checks, change) for change in entry.all(BROKEN)}

    assert [change for change, by in found.items() if not by] == []
    assert checks.keys() - {name for by in found.values() for name in by} == set()


@pytest.mark.parametrize("part", WRITTEN, ids=str)
def test_what_a_program_writes_is_held_by_the_tests_of_its_table(part: tuple[str, str]) -> None:
    assert [problem for check in WRITTEN[part] if (problem := named.problem(check))] == []
