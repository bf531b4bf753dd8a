"""The kept releases: each followed by the next, the last by this one, all unchanged since they were kept."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.catalog.observed.version_order import version_order
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.paths import DIST, MANIFEST, PARAMETERS, PROJECT_FOLDER, SETUP_CFG
from pipeline.release.assemble import project_version
from tests.conftest import ENVIRONMENTS
from tests.relations.variants import built
from tests.releases.keep import keep
from tests.releases.kept import (
    OF_DIST,
    RELEASES,
    SUCCESSOR,
    Kept,
    folders,
    kept,
    read,
    successor_of,
)

FUNCTION = "functions/queue_depth.zip"


def complaints(version: str, releases: Path) -> list[str]:
    """The problems of the releases that are kept before a version, as sentences that say what to do."""
    found = folders(releases)
    if not found:
        return [
            "tests/releases must keep at least one release and keeps none; restore it with git."
        ]
    newest, successor = found[-1], successor_of(found[-1])
    if version != successor:
        return [
            f"setup.cfg has version {version}, but tests/releases/{newest.name} is the release before "
            f"{successor}: restore {successor}, build, and run "
            f"`python -m tests.releases.keep {version}`, which keeps it and raises the version; if "
            f"{successor} was never published, write {version} to tests/releases/{newest.name}/{SUCCESSOR}."
        ]
    if version_order(newest.name) >= version_order(version):
        return [
            f"tests/releases keeps {newest.name}, which is not older than {version}; keep the one before."
        ]
    gaps = [
        f"tests/releases/{one.name} is followed by {successor_of(one)}, but the next kept release is {other.name}; "
        f"correct tests/releases/{one.name}/{SUCCESSOR}."
        for one, other in pairwise(found)
        if successor_of(one) != other.name
    ]
    return [*gaps, *(damage for folder in found for damage in damages(folder))]


def damages(folder: Path) -> list[str]:
    """The differences of a kept release from its manifest."""
    manifest = json.loads((folder / MANIFEST.name).read_text(encoding="utf-8"))
    # The bootstrap templates, which are deployed once and in no manifest.
    bootstrap_stacks = built().bootstrap_stacks.keys()
    present = {
        str(path.relative_to(folder))
        for name in OF_DIST
        for path in (folder / name).rglob("*")
        if path.is_file()
    }
    again = f"run `git checkout` on tests/releases/{folder.name}"
    return [
        *(
            f"{path} is not what the manifest of {folder.name} says; {again}."
            for path, digest in manifest["Files"].items()
            if path not in present
            or hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest
        ),
        *(
            f"{path} is in no manifest of {folder.name}; {again}."
            for path in sorted(present - manifest["Files"].keys() - bootstrap_stacks)
        ),
        *(
            f"The manifest of {folder.name} is that of {manifest['Version']}; {again}."
            for _ in range(manifest["Version"] != folder.name)
        ),
    ]


def test_kept_releases_are_followed_by_this_one() -> None:
    assert complaints(project_version(), RELEASES) == []


@pytest.fixture(params=folders(), ids=lambda folder: folder.name)
def previous(request: pytest.FixtureRequest) -> Kept:
    """Each kept release."""
    return read(request.param)


def test_profiles_match_the_parameters(previous: Kept) -> None:
    names = profile_names(previous.profiles)
    loaded = [load_profile(previous.release.root, name, previous.profiles) for name in names]

    assert [values["Environment"] for values in loaded] == names
    assert set(names) <= set(ENVIRONMENTS)


def test_manifest_matches_the_files(previous: Kept) -> None:
    assert previous.release.manifest() == (previous.folder / MANIFEST.name).read_bytes()


def lose_one_between(releases: Path) -> None:
    (folders(releases)[0] / SUCCESSOR).write_text("1.0.5\n")


def keep_none(releases: Path) -> None:
    for folder in folders(releases):
        shutil.rmtree(folder)


def change_a_function(releases: Path) -> None:
    path = kept(releases).folder / FUNCTION
    path.write_bytes(path.read_bytes() + b" ")


def remove_a_function(releases: Path) -> None:
    (kept(releases).folder / FUNCTION).unlink()


def add_a_template(releases: Path) -> None:
    (kept(releases).folder / "templates" / "search.template.json").write_text("{}\n")


def rename_the_folder(releases: Path) -> None:
    folders(releases)[0].rename(releases / "0.0.1")


def follow_itself(releases: Path) -> None:
    folder = kept(releases).folder
    (folder / SUCCESSOR).write_text(project_version())
    folder.rename(releases / project_version())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lose_one_between, "is followed by 1.0.5, but the next kept release is "),
        (keep_none, "must keep at least one release and keeps none"),
        (change_a_function, f"{FUNCTION} is not what the manifest"),
        (remove_a_function, f"{FUNCTION} is not what the manifest"),
        (add_a_template, "templates/search.template.json is in no manifest"),
        (rename_the_folder, "The manifest of 0.0.1 is that of"),
        (follow_itself, "which is not older than"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_problems_of_a_kept_release_are_found(
    releases: Path, change: Callable[[Path], None], says: str
) -> None:
    change(releases)

    assert [said for said in complaints(project_version(), releases) if says in said]


def test_version_raised_without_keeping_is_noticed(releases: Path) -> None:
    (said,) = complaints("77.0.0", releases)

    assert said.startswith("setup.cfg has version 77.0.0, but tests/releases/")
    assert "run `python -m tests.releases.keep 77.0.0`" in said


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    """A copy of the kept releases."""
    copied = tmp_path / "releases"
    for folder in folders():
        shutil.copytree(folder, copied / folder.name)
    return copied


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return Path(shutil.copy(SETUP_CFG, tmp_path))


def test_keeping_adds_a_release(releases: Path, settings: Path) -> None:
    folder = keep("77.0.0", releases=releases, settings=settings)

    assert folder == releases / project_version()
    assert [each.name for each in folders(releases)] == [
        *(each.name for each in folders()),
        project_version(),
    ]
    assert complaints("77.0.0", releases) == []
    assert {path.name: path.read_bytes() for path in (folder / PARAMETERS.name).iterdir()} == {
        path.name: path.read_bytes() for path in PARAMETERS.iterdir()
    }
    before, after = (path.read_text().splitlines() for path in (SETUP_CFG, settings))
    assert set(after) - set(before) == {"version = 77.0.0"}
    assert len(after) == len(before)


def test_unfinished_folder_is_not_a_kept_release(releases: Path, settings: Path) -> None:
    left = releases / f"{project_version()}.unfinished" / "templates" / "left.template.json"
    left.parent.mkdir(parents=True)
    left.write_text("{}\n")

    keep("77.0.0", releases=releases, settings=settings)

    assert complaints("77.0.0", releases) == []


@pytest.mark.parametrize("successor", ["1", "v2.0.0", "next", "0.9.0", project_version()])
def test_successor_that_is_not_later_is_refused(
    releases: Path, settings: Path, successor: str
) -> None:
    with pytest.raises(PipelineError, match=r"is not a version|does not come after"):
        keep(successor, releases=releases, settings=settings)

    assert_untouched(releases, settings)


def test_dist_that_is_not_built_is_refused(releases: Path, settings: Path, tmp_path: Path) -> None:
    dist = Path(shutil.copytree(DIST, tmp_path / "dist"))
    template = dist / "templates" / "data.template.json"
    template.write_bytes(template.read_bytes() + b" ")

    with pytest.raises(
        PipelineError, match=r"dist/ is not the release .*: data\.template\.json is not"
    ):
        keep("77.0.0", dist, releases, settings=settings)

    assert_untouched(releases, settings)


def test_function_that_is_not_in_the_manifest_is_refused(
    releases: Path, settings: Path, tmp_path: Path
) -> None:
    dist = Path(shutil.copytree(DIST, tmp_path / "dist"))
    function = dist / FUNCTION
    function.write_bytes(function.read_bytes() + b" ")

    with pytest.raises(
        PipelineError, match=r"dist/ is not the release .*: manifest\.json is not what"
    ):
        keep("77.0.0", dist, releases, settings=settings)

    assert_untouched(releases, settings)


def assert_untouched(releases: Path, settings: Path) -> None:
    assert settings.read_bytes() == SETUP_CFG.read_bytes()
    assert [folder.name for folder in folders(releases)] == [folder.name for folder in folders()]


@pytest.mark.parametrize("arguments", [(), ("0.0.1",)], ids=["no version", "an older one"])
def test_program_refuses_in_one_sentence(arguments: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.releases.keep", *arguments],
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )

    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout, line[:6]) == (1, "", "keep: ")
