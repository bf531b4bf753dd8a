"""Pages of docs/: each is in the index, and links lead to existing files and headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.documentation.listed import unlisted
from tests.structure.rooms import PROJECT_FOLDER

INDEX = PROJECT_FOLDER / "docs" / "README.md"
PAGES = sorted(
    [
        *PROJECT_FOLDER.glob("*.md"),
        *(PROJECT_FOLDER / "docs").rglob("*.md"),
        *(PROJECT_FOLDER / ".github").rglob("*.md"),
    ]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# Patterns of parameters look like links.
CODE = re.compile(r"`[^`\n]*`")


def broken_links(page: Path, text: str) -> list[str]:
    """Return the links of a page to files and headings that do not exist."""
    found = []
    for link in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, heading = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (
            heading and heading not in anchors(path.read_text(encoding="utf-8"))
        ):
            found.append(link)
    return found


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, like GitHub."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_FOLDER)))
def test_links_are_valid(page: Path) -> None:
    assert broken_links(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("link", ["missing.md", "README.md#no-such-heading", "#nowhere"])
def test_a_broken_link_is_found(link: str) -> None:
    assert broken_links(INDEX, f"[a page]({link})") == [link]


def test_every_page_is_in_the_index() -> None:
    """A release's page is in the list of releases, which `build` writes."""
    linked = set(LINK.findall(INDEX.read_text(encoding="utf-8")))
    releases = INDEX.parent / "releases" / "README.md"
    linked |= {f"releases/{link}" for link in LINK.findall(releases.read_text(encoding="utf-8"))}
    pages = {
        str(path.relative_to(INDEX.parent))
        for path in INDEX.parent.rglob("*.*")
        if path.suffix in {".md", ".txt"} and path != INDEX
    }
    assert pages - linked == set()


def test_every_block_is_run_by_a_test_or_listed_with_a_reason() -> None:
    assert unlisted() == []


# The largest template in a request to CloudFormation.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MOST_BYTES = 51_200
COMMAND = re.compile(r"^ {4}(?=\S)(?:.*\\\n)*.*$", re.MULTILINE)
TEMPLATE = re.compile(r"--template-(?:file |body file://)(dist/templates/[\w.-]+)")


def oversized(text: str) -> list[str]:
    """Return the templates that a command of a page sends in a request and that are too large for it."""
    return [
        name
        for command in COMMAND.findall(text)
        for name in TEMPLATE.findall(command)
        if "--s3-bucket" not in command and (PROJECT_FOLDER / name).stat().st_size > MOST_BYTES
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_FOLDER)))
def test_large_templates_go_through_a_bucket(page: Path) -> None:
    assert oversized(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("layer", ["environment", "security", "data", "compute", "monitoring"])
@pytest.mark.parametrize("option", ["--template-file ", "--template-body file://"])
def test_a_large_template_in_a_request_is_found(layer: str, option: str) -> None:
    name = f"dist/templates/{layer}.template.json"
    command = f"    aws cloudformation deploy --stack-name s \\\n        {option}{name}\n"

    assert oversized(command) == [name]
    assert oversized(command.replace(name, f"{name} --s3-bucket b")) == []
