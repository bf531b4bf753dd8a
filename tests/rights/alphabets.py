"""The characters that a text can have if a regular expression matches the whole text."""

from __future__ import annotations

import importlib
import string
from collections.abc import Iterable
from typing import Any

# The parser of the module re, which has no types.
sre: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")

EVERY = frozenset(string.printable)
CATEGORIES = {
    sre.CATEGORY_DIGIT: frozenset(string.digits),
    sre.CATEGORY_NOT_DIGIT: EVERY - frozenset(string.digits),
    sre.CATEGORY_SPACE: frozenset(string.whitespace),
    sre.CATEGORY_NOT_SPACE: EVERY - frozenset(string.whitespace),
    sre.CATEGORY_WORD: frozenset(string.ascii_letters + string.digits + "_"),
    sre.CATEGORY_NOT_WORD: EVERY - frozenset(string.ascii_letters + string.digits + "_"),
}


def characters(pattern: str) -> frozenset[str]:
    """The printable ASCII characters, white space included, that a pattern admits anywhere."""
    return _of(parser.parse(pattern))


def _of(parsed: Iterable[Any]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for operation, argument in parsed:
        found |= _one(operation, argument)
    return found


def _one(operation: Any, argument: Any) -> frozenset[str]:
    if operation is sre.LITERAL:
        return frozenset(chr(argument))
    if operation is sre.NOT_LITERAL:
        return EVERY - {chr(argument)}
    if operation is sre.ANY:
        return EVERY - {"\n"}
    if operation is sre.IN:
        negated = argument[0][0] is sre.NEGATE
        found = frozenset[str]().union(*(_one(*item) for item in argument[negated:]))
        return EVERY - found if negated else found
    if operation is sre.RANGE:
        return frozenset(map(chr, range(argument[0], argument[1] + 1)))
    if operation is sre.CATEGORY:
        return CATEGORIES[argument]
    if operation is sre.BRANCH:
        return frozenset[str]().union(*(_of(branch) for branch in argument[1]))
    if operation in {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}:
        return _of(argument[2])
    if operation is sre.SUBPATTERN:
        return _of(argument[3])
    if operation in {sre.AT, sre.ASSERT, sre.ASSERT_NOT}:
        return frozenset()
    raise NotImplementedError(f"A pattern with {operation} is not read yet.")
