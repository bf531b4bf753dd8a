"""Bring the files PAGE.txt up to date with the pages: ``python -m tests.promises``.

Sentences that have not changed keep their clauses; a new or changed sentence has none until its check is written below it.
"""

from __future__ import annotations

from tests.promises import ledger
from tests.promises.document import units_of
from tests.promises.pages import PAGES, written_by_hand


def main() -> None:
    """Write the files and print the sentences without a clause."""
    for page in PAGES:
        wanted = units_of(page, written_by_hand(page))
        entries = ledger.updated(wanted, ledger.read(page))
        ledger.file_of(page).write_text(ledger.text(entries), encoding="utf-8")
        for entry in entries:
            if not entry.clauses:
                print(f"docs/{page}, {entry.unit.section}: {entry.unit.text}")


if __name__ == "__main__":
    main()
