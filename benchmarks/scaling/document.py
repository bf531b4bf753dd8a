"""The page with the results, and the part that the program writes."""

from __future__ import annotations

from pipeline.paths import PROJECT_FOLDER

PAGE = PROJECT_FOLDER / "docs" / "scaling.md"
PICTURE = PAGE.with_suffix(".png")
BEGIN, END = "```text\n", "\n```\n"


def numbers() -> str:
    """The numbers on the page. Raises ValueError if the page has no block for them."""
    _, found, rest = PAGE.read_text().partition(BEGIN)
    text, ended, _ = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{PAGE.name} has no block of text for the numbers; add one.")
    return text


def write_numbers(text: str) -> None:
    """Put the numbers into the page."""
    page = PAGE.read_text()
    PAGE.write_text(page.replace(BEGIN + numbers() + END, BEGIN + text + END))
