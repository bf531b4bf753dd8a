"""Simulate, print, draw. Run: python -m benchmarks.scaling

It writes docs/scaling.png and the numbers in docs/scaling.md.
"""

from __future__ import annotations

from benchmarks.scaling.document import PICTURE, write_numbers
from benchmarks.scaling.picture import draw
from benchmarks.scaling.results import results


def main() -> None:
    """Print the numbers and renew the page and its picture."""
    found = results()
    print(found.text)
    write_numbers(found.text)
    draw(found.worker, found.outcomes, PICTURE)


if __name__ == "__main__":
    main()
