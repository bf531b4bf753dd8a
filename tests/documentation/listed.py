"""The blocks of the pages that have no place in a list of who runs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.documentation import test_product, test_stack
from tests.documentation.blocks import PAGES, Place, blocks_of
from tests.documentation.table import DRILLS, NO_COMMANDS, PARSED, RUN_ELSEWHERE

STEPS = (*test_stack.STEPS, *test_product.STEPS)


def unlisted() -> list[str]:
    """A sentence for each block that is in no list, in two lists, or no longer on its page."""
    listed = Counter(
        [
            *{step.place for step in STEPS},
            *(place for places in RUN_ELSEWHERE.values() for place in places),
            *drills(),
            *PARSED,
            *NO_COMMANDS,
        ]
    )
    existing = {found.place for page in PAGES for found in blocks_of(page)}
    return [
        *(
            f"{place} is in no list: run it in tests/documentation/test_product.py or test_stack.py, or "
            "list it in tests/documentation/table.py with the test that runs it, or with a reason."
            for place in existing - listed.keys()
        ),
        *(f"{place} is in {times} lists." for place, times in listed.items() if times > 1),
        *(f"{place} does not exist; remove it." for place in listed.keys() - existing),
    ]


def drills() -> Iterator[Place]:
    """The blocks of docs/recovery.md, which the tests of its sections run."""
    for found in blocks_of("docs/recovery.md"):
        if found.place.heading.partition(" > ")[0] in DRILLS:
            yield found.place
