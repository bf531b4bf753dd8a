"""The page and its reader."""

from __future__ import annotations

from pipeline.cost.prices import (
    DATABASE_HOUR,
    DATABASE_SNAPSHOT_GB_MONTH,
    DATABASE_STORAGE_GB_MONTH,
    HOURS_A_MONTH,
)
from tests.recovery.page import PAGE, blocks

DRILLS = {
    "The database, to a point in time": 8,
    "The database, from a snapshot": 3,
    "A document": 3,
    "The search index": 4,
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
        for word in ("**Permissions**", "**Cost during the procedure**", "**Lost**"):
            assert word in body, (section, word)


def test_costs_are_those_of_the_price_list() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    single, standby = (
        DATABASE_HOUR["db.t4g.medium", multi_az].usd
        + DATABASE_STORAGE_GB_MONTH[multi_az].usd * 50 / HOURS_A_MONTH
        for multi_az in (False, True)
    )
    snapshot = DATABASE_SNAPSHOT_GB_MONTH.usd * 50

    assert f"the temporary database, about {single:.2f} USD an hour" in text
    assert f"the old database until step 8, about {standby:.2f} USD an hour" in text
    assert f"about {snapshot:.2f} USD a month for 50 GB" in text
