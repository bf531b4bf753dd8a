"""The page with the results, and the part that the program writes."""

from __future__ import annotations

from pipeline.paths import PROJECT_FOLDER

PAGE = PROJECT_FOLDER / "docs" / "scaling.md"
PICTURE = PAGE.with_suffix(".png")
VARIANTS_PICTURE = PAGE.with_name("scaling-variants.png")
BEGIN, END = "```text\n", "\n```\n"
# The blocks of numbers on the page, in this order: policies and variants.
BLOCKS = 2


def numbers() -> list[str]:
    """The blocks of numbers on the page. Raises ValueError if the page has another number of them."""
    found = [rest.partition(END)[0] for rest in PAGE.read_text().split(BEGIN)[1:]]
    if len(found) != BLOCKS:
        raise ValueError(
            f"{PAGE.name} has {len(found)} blocks of text for the numbers; it needs {BLOCKS}."
        )
    return found


def write_numbers(texts: list[str]) -> None:
    """Put the blocks of numbers into the page."""
    page = PAGE.read_text()
    for old, new in zip(numbers(), texts, strict=True):
        page = page.replace(BEGIN + old + END, BEGIN + new + END)
    PAGE.write_text(page)
