"""Simulate, print, draw. Run: python -m benchmarks.scaling

It writes docs/scaling.png, docs/scaling-variants.png and the numbers in docs/scaling.md.
"""

from __future__ import annotations

from benchmarks.scaling.document import PICTURE, VARIANTS_PICTURE, write_numbers
from benchmarks.scaling.picture import draw
from benchmarks.scaling.results import results


def main() -> None:
    """Print the numbers and renew the page and its pictures."""
    found = results()
    print("\n\n".join(found.texts))
    write_numbers(found.texts)
    for picture, path in ((found.policies, PICTURE), (found.options, VARIANTS_PICTURE)):
        draw(picture, path)


if __name__ == "__main__":
    main()
