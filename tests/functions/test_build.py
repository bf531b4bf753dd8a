"""Every command that reads a release packs changed functions, so that no old code is published."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.release.assemble import assemble
from pipeline.release.function_packages import WHEELS
from tests.launches.tree import Finished, Tree

HANDLER = Path("templates_src/functions/queue_depth/handler.py")
ZIP = Path("dist/functions/queue_depth.zip")
# pip finds nothing, like on a machine without a network.
OFFLINE = {"PIP_NO_INDEX": "1"}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A copy of the working tree with the wheels that the set-up fetched."""
    made = Tree(tmp_path / "clone")
    shutil.copytree(WHEELS, made.folder / ".cache" / "wheels")
    return made


def edit(tree: Tree) -> None:
    path = tree.folder / HANDLER
    path.write_text(path.read_text() + "\n# A comment.\n")


def digests(tree: Tree) -> dict[str, str]:
    files: dict[str, str] = json.loads((tree.folder / "dist/manifest.json").read_text())["Files"]
    return files


def run(tree: Tree, *arguments: str) -> Finished:
    return tree.run(*arguments, PATH=os.environ["PATH"], **OFFLINE)


def test_build_packs_an_edited_handler(tree: Tree) -> None:
    before = digests(tree)
    edit(tree)

    ended = run(tree, "build")

    after = digests(tree)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {name for name in after if after[name] != before.get(name)} >= {
        "functions/queue_depth.zip"
    }
    assert " 0 changed on disk" not in ended.stdout
    with zipfile.ZipFile(tree.folder / ZIP) as archive:
        assert archive.read("functions/queue_depth/handler.py").endswith(b"# A comment.\n")
    assert " 0 changed on disk" in run(tree, "build").stdout


def test_commands_that_do_not_build_pack_as_well(tree: Tree) -> None:
    edit(tree)

    ended = run(tree, "render", "dev")

    assert ended.returncode == 0, ended.stderr
    with zipfile.ZipFile(tree.folder / ZIP) as archive:
        assert archive.read("functions/queue_depth/handler.py").endswith(b"# A comment.\n")


def test_build_restores_a_removed_dist(tree: Tree) -> None:
    before = digests(tree)
    shutil.rmtree(tree.folder / "dist")

    ended = run(tree, "build")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"has {len(before)} files" in ended.stdout
    assert digests(tree).keys() == before.keys()


def test_function_that_cannot_be_packed_is_named(tree: Tree) -> None:
    edit(tree)
    shutil.rmtree(tree.folder / ".cache")

    ended = run(tree, "build")

    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert line.startswith("build.py: Function queue_depth changed and cannot be packed: pip ")


def test_damaged_zip_is_packed_again(tree: Tree) -> None:
    path = tree.folder / ZIP
    before = path.read_bytes()
    path.write_bytes(before[:-100])

    ended = run(tree, "build")

    assert ended.returncode == 0, ended.stderr
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


def test_release_without_a_function_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        PipelineError, match=r"Function \w+ \(\w+Function of layer \w+\) has no functions/"
    ):
        assemble(functions=tmp_path)
