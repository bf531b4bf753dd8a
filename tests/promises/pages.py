"""The pages whose promises are linked to checks, and the sections and pages that a program writes."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.paths import PROJECT_FOLDER

PAGES = (
    "data-safety.md",
    "container-contract.md",
    "scaling.md",
    "rights.md",
    "access.md",
)
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
    text = (PROJECT_FOLDER / "docs" / page).read_text(encoding="utf-8")
    for name, title in WRITTEN:
        if name == page:
            text = text.partition(f"\n## {title}\n")[0]
    return text
