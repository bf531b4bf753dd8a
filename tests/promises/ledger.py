"""The files PAGE.txt: each unit of a page, and below it what holds it or why it needs no check.

A file has the sections of its page after ``## ``. An indented line is a clause of the unit above it:

    held by CHECK         a relation, as in docs/checks.md, a test as FILE::FUNCTION below tests/, or an attempt of docs/rights.md
    broken by CHANGE      a change of a rendered environment that breaks the promise, for the relations
    states TEXT           a part of the text whose figures, in braces, are read from the templates or the code
    figure N from FILE    a number that a test uses
    figures by TEST       a test that computes the figures and finds them on the page
    advice                an instruction: what the reader does
    risk                  a limit that the page admits: it promises nothing
    explanation           a definition or a reason: it promises nothing
    AWS: SOURCE           a fact about AWS or another product, and where it is documented
    see: TEXT             the beginning of another unit, which promises the same
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.promises.document import Unit

FOLDER = Path(__file__).parent
SECTION = "## "
INDENT = "    "
HELD, BROKEN, STATES = "held by ", "broken by ", "states "
FIGURE, COMPUTED = "figure ", "figures by "
ADVICE, EXPLANATION, RISK = "advice", "explanation", "risk"
AWS, SEE = "AWS: ", "see: "
REASONS = frozenset({ADVICE, EXPLANATION, RISK})


@dataclass
class Entry:
    """A unit and its clauses."""

    unit: Unit
    clauses: list[str] = field(default_factory=list)

    def all(self, kind: str) -> list[str]:
        """What follows the word of a kind, in each clause of the kind."""
        return [clause.removeprefix(kind) for clause in self.clauses if clause.startswith(kind)]

    @property
    def checks(self) -> list[str]:
        """The names of the checks."""
        return [*self.all(HELD), *self.all(COMPUTED)]

    @property
    def without(self) -> list[str]:
        """The clauses that say why no check is needed."""
        return [
            clause for clause in self.clauses if clause in REASONS or clause.startswith((AWS, SEE))
        ]


def file_of(page: str) -> Path:
    """The file of a page."""
    return FOLDER / f"{page.removesuffix('.md')}.txt"


def read(page: str) -> list[Entry]:
    """The entries of a page's file; none if it does not exist yet."""
    path = file_of(page)
    return list(parse(path.read_text(encoding="utf-8"))) if path.exists() else []


def parse(text: str) -> Iterator[Entry]:
    """The entries of a file's text."""
    section = ""
    entry: Entry | None = None
    for line in text.splitlines():
        if line.startswith(SECTION):
            section = line.removeprefix(SECTION)
        elif line.startswith(INDENT):
            if entry is None:
                raise ValueError(f"The clause {line.strip()!r} has no sentence above it.")
            entry.clauses.append(line.strip())
        elif line:
            if entry:
                yield entry
            entry = Entry(Unit(section, line))
    if entry:
        yield entry


def updated(units: Iterable[Unit], former: Iterable[Entry]) -> list[Entry]:
    """The units with the clauses of those that have not changed."""
    known = {(entry.unit.section, entry.unit.text): entry.clauses for entry in former}
    return [Entry(unit, known.get((unit.section, unit.text), [])) for unit in units]


def text(entries: Iterable[Entry]) -> str:
    """The text of a file."""
    return "\n".join(_lines(entries)) + "\n"


def _lines(entries: Iterable[Entry]) -> Iterator[str]:
    section = None
    for entry in entries:
        if entry.unit.section != section:
            if section is not None:
                yield ""
            section = entry.unit.section
            yield f"{SECTION}{section}"
        yield entry.unit.text
        for clause in entry.clauses:
            yield f"{INDENT}{clause}"
