"""The committed dist/ equals a build of the sources, byte for byte, so that a review shows the change in CloudFormation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.paths import DIST, MANIFEST
from pipeline.release.assemble import Release, assemble
from templates_src.environment import TEMPLATE_FOLDER
from tests.golden import differences

TEMPLATES = DIST / TEMPLATE_FOLDER


def test_dist_equals_a_build(release: Release) -> None:
    assert differences(release, DIST) == []


def test_building_twice_gives_the_same_bytes(release: Release) -> None:
    again = assemble()
    assert again.files == release.files
    assert again.bootstrap_stacks == release.bootstrap_stacks
    assert again.manifest() == release.manifest()


def append_a_space(dist: Path) -> None:
    path = dist / TEMPLATE_FOLDER / "network.template.json"
    path.write_bytes(path.read_bytes() + b" ")


def remove_a_template(dist: Path) -> None:
    (dist / TEMPLATE_FOLDER / "data.template.json").unlink()


def leave_a_template(dist: Path) -> None:
    (dist / TEMPLATE_FOLDER / "old.template.json").write_text("{}\n")


def change_the_manifest(dist: Path) -> None:
    path = dist / MANIFEST.name
    path.write_bytes(path.read_bytes().replace(b'"Version": "', b'"Version": "0'))


def remove_the_manifest(dist: Path) -> None:
    (dist / MANIFEST.name).unlink()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (append_a_space, "network.template.json is not"),
        (remove_a_template, "data.template.json is missing"),
        (leave_a_template, "old.template.json is built by nothing"),
        (change_the_manifest, "manifest.json is not"),
        (remove_the_manifest, "manifest.json is missing"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_difference_is_found(
    release: Release, tmp_path: Path, change: Callable[[Path], None], name: str
) -> None:
    shutil.copytree(TEMPLATES, tmp_path / TEMPLATE_FOLDER)
    shutil.copy(MANIFEST, tmp_path)
    change(tmp_path)
    assert [found for found in differences(release, tmp_path) if found.startswith(name)]
