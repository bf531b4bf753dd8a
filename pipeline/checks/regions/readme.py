"""The README's list of regions: `python -m pipeline.checks.regions.readme` writes it between its two marks."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from pipeline.checks.regions.readiness import Readiness, readiness
from pipeline.checks.regions.schemas import source
from pipeline.checks.regions.show import phrases
from pipeline.errors import PipelineError, listed
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import assemble

README = PROJECT_FOLDER / "README.md"
BEGIN, END = (
    "<!-- regions: python -m pipeline.checks.regions.readme -->\n",
    "<!-- regions end -->\n",
)
WIDTH = 120


def region_list(found: Sequence[Readiness]) -> str:
    """The regions that are ready for every environment, and the others by their obstacles."""
    everywhere = [each.region for each in found if each.everywhere]
    environments = listed(list(found[0].reasons))
    lines = [
        f"By the schemas of {source()}, {environments} can be launched in {listed(everywhere)}.\n"
    ]
    for lacking, regions in by_lacking(found).items():
        lines.append(f"- {', '.join(regions)}: {lacking}.")
    return "\n".join(
        textwrap.fill(
            line,
            WIDTH,
            subsequent_indent="  " if line.startswith("-") else "",
            break_on_hyphens=False,
            break_long_words=False,
        )
        + ("\n" if line.endswith("\n") else "")
        for line in lines
    )


def by_lacking(found: Sequence[Readiness]) -> dict[str, list[str]]:
    """The regions that are not ready for every environment, by obstacle; the longest lists first."""
    groups: dict[str, list[str]] = {}
    for each in found:
        if not each.everywhere:
            groups.setdefault(phrases(each), []).append(each.region)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def readme_with_list(text: str, found: Sequence[Readiness]) -> str:
    """The README with the current list. Raises PipelineError if the marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise PipelineError(
            f"The README lacks the marks {BEGIN.strip()} and {END.strip()}; add them."
        )
    return f"{before}{begin}{region_list(found)}\n{end}{after}"


def main(readme: Path = README) -> None:
    """Write the list into the README."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(readme_with_list(text, readiness(assemble())), encoding="utf-8")


if __name__ == "__main__":
    main()
