"""A release that would replace the database of a version in use is refused until the notes give the reason."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from commands.common.embedded_sessions import launcher
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.changes.sides import KEPT
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.tree import Finished, Tree
from tests.provisioning.catalog import DEVELOPMENT
from tests.provisioning.users import User
from tests.publishing.snapshot import snapshot
from tests.releases.kept import read
from tests.releases.published import Published

LAUNCHER = "carbon-connect-launcher"
REPLACED = "Data.Database is replaced"
IN_USE = f"in {DEVELOPMENT.name} 1.1.0 (carbon-connect-dev)"
REASON = f"""  - change: {REPLACED}
    reason: Storage is not encrypted any more. Restore the final snapshot.
"""


@dataclass
class Account:
    """An account with dev of release 1.1.0, and a tree whose release replaces the database."""

    running: EmbeddedAws
    tree: Tree

    def run(self, *arguments: str) -> Finished:
        return self.tree.run(*arguments, **self.running.environment())

    def snapshot(self) -> dict[str, Any]:
        return snapshot(Aws(REGION, self.running.environment()))

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace a text that a file of the tree has once."""
        file = self.tree.folder / path
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1, (path, old)
        file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def account(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    tree = Tree(tmp_path_factory.mktemp("clone") / "carbon-connect")
    shutil.copytree(KEPT, tree.folder / KEPT.relative_to(PROJECT_FOLDER))
    with EmbeddedAws.start(region=REGION) as running:
        aws = Aws(REGION, running.environment())
        Published.into(aws, read(KEPT / "1.1.0"))
        assert User(launcher(aws, release, LAUNCHER)).launch().succeeded
        account = Account(running, tree)
        account.replace(
            "templates_src/data/database.py",
            '"StorageEncrypted": True',
            '"StorageEncrypted": False',
        )
        yield account


def sentence(ended: Finished) -> str:
    """The one line of a command that failed."""
    assert ended.returncode == 1, ended.stdout
    (line,) = ended.stderr.splitlines()
    return line


def test_build_fails_and_writes_nothing_while_the_version_is_too_low(
    account: Account, release: Release
) -> None:
    template = account.tree.folder / "dist" / "templates" / "data.template.json"
    before = template.read_bytes()

    for command in ("build", "plan", "publish"):
        assert sentence(account.run(command)) == (
            f"build.py: Version {release.version} in setup.cfg is too low: {REPLACED} since 1.1.0, so the version must be "
            f"at least 2.0.0; or, if a minor version suffices, say why under minor_because in notes/{release.version}.yaml."
        )
    assert template.read_bytes() == before


def test_publication_is_refused_without_a_reason(account: Account, release: Release) -> None:
    account.replace("setup.cfg", f"version = {release.version}", "version = 2.0.0")
    notes = account.tree.folder / "notes"
    shutil.copy(notes / f"{release.version}.yaml", notes / "2.0.0.yaml")
    assert account.run("build").returncode == 0
    before = account.snapshot()

    for command in (("plan",), ("publish", "--yes")):
        ended = account.run(*command)
        assert sentence(ended) == (
            f"build.py: Release 2.0.0 in eu-north-1 would break versions that are in use: {REPLACED} {IN_USE}; "
            "undo it, or write the reason under breaking in notes/2.0.0.yaml."
        )
        assert "refuse" in ended.stdout
    assert account.snapshot() == before


def test_publication_passes_with_the_reason(account: Account) -> None:
    """After the refusal, in the same account."""
    with (account.tree.folder / "notes" / "2.0.0.yaml").open("a", encoding="utf-8") as notes:
        notes.write(REASON)

    planned = account.run("plan")
    assert (planned.returncode, planned.stderr) == (0, "")
    assert f"{REPLACED} {IN_USE}: Storage is not encrypted any more." in planned.stdout
    published = account.run("publish", "--yes")
    assert (published.returncode, published.stderr) == (0, "")
    versions = {
        dict(version)["Name"]
        for product in account.snapshot()["products"]
        for version in product["versions"]
    }
    assert versions == {"1.1.0", "2.0.0"}
    page = (account.tree.folder / "docs" / "releases" / "2.0.0.md").read_text("utf-8")
    assert f"**{REPLACED}.** Storage is not encrypted any more." in page
