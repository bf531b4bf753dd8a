"""The blocks of code of the pages, with the heading above each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt

from pipeline.paths import PROJECT_FOLDER

PAGES = tuple(
    sorted(
        str(path.relative_to(PROJECT_FOLDER))
        for path in (*PROJECT_FOLDER.glob("*.md"), *(PROJECT_FOLDER / "docs").rglob("*.md"))
    )
)


@dataclass(frozen=True)
class Place:
    """Where a block stands: a page, the heading above, and its number below that heading, from 1.

    The heading of a part of a section is "SECTION > PART", as several sections can have parts of the same name.
    """

    page: str
    heading: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.page}, {self.heading}, block {self.number}"


@dataclass(frozen=True)
class Block:
    """A block of code."""

    place: Place
    text: str

    def commands(self) -> list[str]:
        """Its lines, where a line that ends with a backslash continues in the next."""
        return self.text.replace("\\\n", " ").splitlines()


@cache
def blocks_of(page: str) -> tuple[Block, ...]:
    """The blocks of a page, in their order; ``page`` is its path in the project."""
    return tuple(_read(page, (PROJECT_FOLDER / page).read_text(encoding="utf-8")))


def block(place: Place) -> Block:
    """The block at a place. Raises LookupError if the page has none there."""
    for found in blocks_of(place.page):
        if found.place == place:
            return found
    raise LookupError(f"There is no block at {place}.")


def below(page: str, heading: str) -> list[Block]:
    """The blocks directly below a heading. Raises LookupError if there is none."""
    found = [each for each in blocks_of(page) if each.place.heading == heading]
    if not found:
        raise LookupError(f"{page} has no block below {heading!r}.")
    return found


def _read(page: str, text: str) -> Iterator[Block]:
    heading = section = ""
    number = 0
    tokens = MarkdownIt("commonmark").parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            own, number = tokens[index + 1].content, 0
            if token.tag in ("h1", "h2"):
                heading, section = own, own if token.tag == "h2" else ""
            else:
                heading = f"{section} > {own}"
        elif token.type in ("code_block", "fence"):
            number += 1
            yield Block(Place(page, heading, number), token.content)
