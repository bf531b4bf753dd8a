"""docs/operations.md is the table."""

from __future__ import annotations

from tests.operations.page import PAGE, text


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), "run python -m tests.operations.page"
