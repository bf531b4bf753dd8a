"""The sentences and table rows of a page, each of which can be a promise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A sentence ends before a capital letter, a code span or a quotation.
END = re.compile(r'(?:(?<=[.?!])|(?<=[.?!]["*]))\s+(?=[A-Z`"])')
ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")
# Words in bold at the beginning of a text are the title of what follows.
TITLE = re.compile(r"^\*\*([^*]+?)[.:]?\*\*[.:]?\s+(?=[A-Z`])")
BOLD = re.compile(r"\*\*(.+?)\*\*")
ITALIC = re.compile(r"(?<![\w*`-])\*(\w[^*`]*?)\*(?![\w*])")
LINK = re.compile(r"\[((?:[^\]\[]|\[[^\]]*\])*)\]\([^)]*\)")
IGNORED = ("<!--", "![")
# A table within an item of a list; code is indented further.
IN_A_LIST = re.compile(r" {2,4}\|")
DASH = "\N{EN DASH}"
BAR = re.compile(r"(?<!\\)\|")
# Tables in which each cell is a promise, and not each row.
BY_CELL = frozenset({("data-safety.md", "At a glance")})


@dataclass(frozen=True)
class Unit:
    """A sentence, or a row or a cell of a table, as one line without marks of Markdown."""

    section: str
    text: str
    of_table: bool = False


def units_of(page: str, text: str) -> tuple[Unit, ...]:
    """The units of a page in docs/ with a text, in order; titles, code blocks, pictures and comments are none."""
    return tuple(_units(page, text))


def _units(page: str, text: str) -> Iterator[Unit]:
    section = ""
    for block in _blocks(text):
        if block[0].startswith("#"):
            section = block[0].lstrip("# ")
        elif block[0].startswith("|"):
            rows = _cells(block) if (page, section) in BY_CELL else _rows(block)
            yield from (Unit(section, row, of_table=True) for row in rows)
        else:
            yield from (Unit(section, sentence) for sentence in _sentences(block))


def _blocks(text: str) -> Iterator[list[str]]:
    """Titles, tables, list items and paragraphs as lists of their lines."""
    block: list[str] = []
    fenced = False
    for written in (*text.splitlines(), ""):
        fence = written.startswith("```")
        fenced ^= fence
        line = "" if fenced or fence or written.startswith(IGNORED) else written
        if IN_A_LIST.match(line):
            line = line.lstrip()
        begins = bool(ITEM.match(line)) or line.startswith("#") or not line.strip()
        if block and (begins or (block[0][0] in "|#" and not line.startswith("|"))):
            yield block
            block = []
        code = line.startswith("    ") and not block and not ITEM.match(line)
        if line.strip() and not code:
            block.append(line)


def _rows(lines: list[str]) -> Iterator[str]:
    _, _, *rows = (_split(line) for line in lines)
    for row in rows:
        yield " | ".join(row).strip()


def _cells(lines: list[str]) -> Iterator[str]:
    head, _, *rows = (_split(line) for line in lines)
    for first, *cells in rows:
        for column, cell in zip(head[1:], cells, strict=True):
            if cell.strip(DASH):
                yield f"{first} | {column} | {cell}"


def _split(line: str) -> list[str]:
    return [plain(cell) for cell in BAR.split(line.strip().strip("|"))]


def _sentences(lines: list[str]) -> Iterator[str]:
    first, *others = lines
    text = " ".join(" ".join((ITEM.sub("", first), *others)).split())
    yield from END.split(plain(TITLE.sub(r"\1: ", text)))


def plain(text: str) -> str:
    """A text without the marks of links and emphasis."""
    return ITALIC.sub(r"\1", BOLD.sub(r"\1", LINK.sub(r"\1", text))).strip()
