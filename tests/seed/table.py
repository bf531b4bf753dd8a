"""The parts of the table of the requested architecture's lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

# The reasons for a line without a test: it makes no claim.
HEADING = "heading"
TABLE_HEADER = "table header"
SYNTAX = "syntax of the diagram"


@dataclass(frozen=True)
class Line:
    """A line of the document; ``tests`` are MODULE.FUNCTION, none for one that makes no claim (``without``)."""

    text: str
    tests: tuple[str, ...] = ()
    note: str = ""
    without: str = ""
    section: str = ""


def held(text: str, *tests: str, note: str = "") -> Line:
    """A line and the functions that hold it."""
    return Line(text, tests, note)


def heading(text: str) -> Line:
    """A title."""
    return Line(text, without=HEADING)


def columns(text: str) -> Line:
    """The first row of a table."""
    return Line(text, without=TABLE_HEADER)


def syntax(text: str) -> Line:
    """The upper or lower border of a frame in the diagram."""
    return Line(text, without=SYNTAX)


def section(title: str, module: str, *lines: Line) -> tuple[Line, ...]:
    """Lines of one section, whose tests are in one module."""
    return tuple(
        replace(line, section=title, tests=tuple(f"{module}.{test}" for test in line.tests))
        for line in lines
    )
