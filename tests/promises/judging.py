"""Whether the clauses of an entry are right: checks that exist, figures that are true, reasons that fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.promises import named
from tests.promises.breaks import broken, variant_of
from tests.promises.figures import stated
from tests.promises.ledger import (
    ADVICE,
    AWS,
    BROKEN,
    COMPUTED,
    EXPLANATION,
    FIGURE,
    HELD,
    REASONS,
    RISK,
    SEE,
    STATES,
    Entry,
)
from tests.relations.registry import Relation
from tests.relations.variants import rendered_variant

CLAUSES = (HELD, BROKEN, STATES, FIGURE, COMPUTED, AWS, SEE)
# Words of a promise: a sentence with one of them is no mere explanation.
PROMISING = re.compile(
    r"\b(always|cannot|deleted|deletes|fails|lost|must|never|no permission|only|protects|raised|refused|refuses|stays?)\b"
)
# An instruction begins with a verb, after a title or a condition, speaks to the reader, or says what the reader's things must do.
VERBS = [
    "Accept",
    "Add",
    "Answer",
    "Check",
    "Choose",
    "Connect",
    "Copy",
    "Create",
    "Deploy",
    "Do",
    "End",
    "Export",
    "Find",
    "Free",
    "Give",
    "Grant",
    "Keep",
    "Leave",
    "Look",
    "Push",
    "Put",
    "Raise",
    "Read",
    "Revoke",
    "Run",
    "Schedule",
    "See",
    "Send",
    "Set",
    "Sign",
    "Stop",
    "Take",
    "Turn",
    "Update",
    "Upload",
    "Use",
    "Wait",
    "Write",
]
BEGINNINGS = ("For", "In", "Then", "To", "Two days later", "With the", "with the name")
AFTER_A_CONDITION = [
    "add",
    "bind",
    "filter",
    "follow",
    "give",
    "increase",
    "index",
    "let",
    "limit",
    "name",
    "raise",
    "see",
    "send",
    "set",
]
INSTRUCTION = re.compile(
    rf"(?:^|: |; )(?:{'|'.join((*VERBS, *BEGINNINGS))})\b"
    rf"|[:,;|] (?:{'|'.join(AFTER_A_CONDITION)}) "
    r"|\b[Yy]our?\b"
    r"|\b(?:administrator|image|policy|programs|update)\b.* must\b"
)
# A limit is below such a title, or says what is not possible.
ADMITTING = re.compile(
    r"^Remaining risks: |\b(?:cannot|does not limit|decides what runs|can become|reaches the other|limited by name only|does not read)\b"
)
CODE = re.compile(r"`[^`]*`")
# A number by itself, not a part of a name or a version.
NUMBER = re.compile(r"(?<![\w.,/:-])\d+(?:[.,]\d+)*(?![\w/:-]|\.\d)")
# The number of a task in a procedure, and the versions of engines and releases.
VERSION = re.compile(
    r"\b(?:Celery|kombu|redis-py before|requires|steps|PostgreSQL|to|from|before|of|or|and) \d+(?:\.\d+)+"
)


def problems_of(entry: Entry) -> Iterator[str]:
    """What is wrong with the clauses of an entry, apart from its relations."""
    for clause in entry.clauses:
        if clause not in REASONS and not clause.startswith(CLAUSES):
            yield f"{clause!r} is not a clause."
    if bool(entry.checks) == bool(entry.without):
        yield "It needs either a check or the reason why it has none."
    if len(entry.without) > 1:
        yield "It has two reasons."
    yield from filter(None, (named.problem(check) for check in entry.checks))
    for text in entry.all(STATES):
        if stated(text) not in entry.unit.text:
            yield f"The templates or the code say: {stated(text)!r}."
    if ADVICE in entry.clauses and not INSTRUCTION.search(entry.unit.text):
        yield "It tells the reader nothing to do, so it is no advice."
    if RISK in entry.clauses and not ADMITTING.search(f"{entry.unit.section}: {entry.unit.text}"):
        yield "It admits no limit, so it is no risk."
    for source in entry.all(AWS):
        if not source.startswith("https://"):
            yield f"{source!r} is no address of a page."
    if EXPLANATION in entry.clauses and PROMISING.search(entry.unit.text):
        yield "It promises something, so it is no explanation."


def unread(entry: Entry) -> set[str]:
    """The numbers of a held promise that are read neither from the templates nor from a file of a test."""
    if entry.all(COMPUTED):
        return set()
    text = VERSION.sub("", CODE.sub("", entry.unit.text))
    computed = {number for text in entry.all(STATES) for number in NUMBER.findall(stated(text))}
    tested = {text.partition(" from ")[0] for text in entry.all(FIGURE)}
    return set(NUMBER.findall(text)) - computed - tested if entry.checks else set()


def relations_of(entry: Entry) -> dict[str, Relation]:
    """The relations among the checks of an entry, by ID."""
    known = named.relations()
    return {name: known[name] for name in entry.checks if name in known}


def findings(checks: Mapping[str, Relation], change: str) -> set[str]:
    """The relations that find a change, and nothing without it."""
    whole, changed = rendered_variant(variant_of(change)), broken(change)
    return {name for name, check in checks.items() if check(changed) != check(whole)}
