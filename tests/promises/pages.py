"""The pages whose promises are linked to checks, and the sections and pages that a program writes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.paths import PROJECT_FOLDER
from tests.relations.variants import rendered_variant
from tests.rendering import resources_of_type

OTHER_NODE = re.compile(r"CacheNode[2-9]")

# Not a page: the descriptions of the alarms, which CloudWatch sends with each message.
ALARMS = "alarms"
PAGES = (
    "data-safety.md",
    "container-contract.md",
    "scaling.md",
    "rights.md",
    "access.md",
    "firewall.md",
    "launch-role.md",
    "launching.md",
    "migrations.md",
    "rotation.md",
    "search-server.md",
    "settings.md",
    ALARMS,
)
# The sections of these pages that promise something about an environment; the others describe commands.
PARTS = {"launching.md": "Rollback of a new version", "search-server.md": "Monitor it"}
ATTEMPTS = "Attempts that are refused"
# Pages, and the parts of pages from a title on, that a program writes from the table of the tests that hold every line.
WRITTEN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("operations.md", ""): (
        "operations/test_page.py::test_page_is_current",
        "operations/test_dev_cloudformation.py::test_operation_ends_as_the_table_says",
        "operations/test_dev_product.py::test_operation_ends_as_the_table_says",
        "operations/test_prod_cloudformation.py::test_operation_ends_as_the_table_says",
        "operations/test_prod_product.py::test_operation_ends_as_the_table_says",
    ),
    ("rights.md", ATTEMPTS): (
        "attacks/test_attacks.py::test_page_lists_every_attempt",
        "attacks/test_attacks.py::test_attempt_is_refused_only_by_its_guards",
        "attacks/test_products.py::test_launch_is_refused_by_its_guard",
    ),
}


def written_by_hand(page: str) -> str:
    """The text of a page without the part that a program writes."""
    if page == ALARMS:
        return "\n\n".join(f"## {name}\n\n{text}" for name, text in descriptions().items())
    text = (PROJECT_FOLDER / "docs" / page).read_text(encoding="utf-8")
    if page in PARTS:
        part = text.partition(f"\n## {PARTS[page]}\n")[2].partition("\n## ")[0]
        return f"## {PARTS[page]}\n{part}"
    for name, title in WRITTEN:
        if name == page:
            text = text.partition(f"\n## {title}\n")[0]
    return text


def descriptions() -> dict[str, str]:
    """The description of each alarm, of a replication group and of a serverless cache; of the nodes, those of the first."""
    return {
        alarm.logical_id: alarm.properties["AlarmDescription"]
        for variant in ("complete prod", "complete dev")
        for alarm in resources_of_type(rendered_variant(variant), "AWS::CloudWatch::Alarm")
        if not OTHER_NODE.match(alarm.logical_id)
    }
