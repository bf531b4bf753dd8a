"""The page and its reader."""

from __future__ import annotations

from tests.recovery.page import PAGE, blocks

DRILLS = {
    "The database, to a point in time": 8,
    "The database, from a snapshot": 3,
    "A document": 3,
}


def test_every_drill_has_its_steps_in_order() -> None:
    for section, steps in DRILLS.items():
        headings = list(blocks(section))
        assert [heading.partition(".")[0] for heading in headings] == [
            str(number + 1) for number in range(steps)
        ]


def test_every_drill_says_what_it_needs_costs_and_loses() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for section in DRILLS:
        body = text.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
        for word in ("**Permissions**", "**Costs meanwhile**", "**Lost**"):
            assert word in body, (section, word)
