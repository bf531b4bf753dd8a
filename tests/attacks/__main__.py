"""Write the list of attempts into docs/rights.md: ``python -m tests.attacks``."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.paths import PROJECT_FOLDER
from tests.attacks.products import LAUNCHES
from tests.attacks.table import ATTACKS

PAGE = PROJECT_FOLDER / "docs" / "rights.md"
TITLE = "## Attempts that are refused"
INTRODUCTION = f"""{TITLE}

`tests/attacks` makes each of these attempts against the policies, security groups and products of this release. A test
shows that the attempt is refused, and that it succeeds when only the guard in the last column is removed. A guard of IAM
is the policy and statement that decides and the element that does not match; *no statement* means that no policy allows
the action. `python -m tests.attacks` writes this section.
"""


def section() -> str:
    """The section: a table for each principal."""
    rows: dict[str, list[str]] = {}
    for attack in ATTACKS:
        guards = ", ".join(marked(guard) for guard in attack.guards)
        rows.setdefault(attack.principal, []).append(f"| {attack.name} | {guards} |")
    for launch in LAUNCHES:
        rows.setdefault(launch.principal, []).append(f"| {launch.name} | {marked(launch.guard)} |")
    return INTRODUCTION + "".join(tables(rows))


def marked(guard: str) -> str:
    """A guard in the page's notation."""
    return f"*{guard}*" if guard == "no statement" else f"`{guard}`"


def tables(rows: dict[str, list[str]]) -> Iterator[str]:
    """The tables under their headings."""
    for principal, lines in rows.items():
        heading = principal[0].upper() + principal[1:]
        body = "\n".join(lines)
        yield f"\n### {heading}\n\n| Attempt | Guard |\n|---|---|\n{body}\n"


def page(before: str) -> str:
    """The page with the section at its end."""
    return before.partition(TITLE)[0].rstrip() + "\n\n" + section()


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
