"""The commands of docs/recovery.md, and the shell that runs them one block after the other."""

from __future__ import annotations

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER
from tests.documentation import shell
from tests.documentation.blocks import below, blocks_of
from tests.launches.tree import Tree

PAGE = PROJECT_FOLDER / "docs" / "recovery.md"


def blocks(section: str) -> dict[str, list[str]]:
    """The blocks of commands of a section, by the heading of its step, in their order."""
    found: dict[str, list[str]] = {}
    for block in blocks_of("docs/recovery.md"):
        heading, _, step = block.place.heading.partition(" > ")
        if heading == section:
            found.setdefault(step, []).append(block.text)
    assert found, f"docs/recovery.md has no commands under {section!r}"
    return found


class Shell(shell.Shell):
    """The shell of a drill, which begins with the names of the page. Its commands run in every shell."""

    def __init__(self, running: EmbeddedAws, tree: Tree, **values: str) -> None:
        super().__init__(tree.folder, running.environment(), program="sh")
        self.run(*(each.text for each in below("docs/recovery.md", "Recovery")), **values)
