"""Keep the current release and raise the version: `python -m tests.releases.keep 1.2.0`.

The command copies dist/, parameters/ and the list of mutants that no check finds to tests/releases/VERSION and writes the new version to setup.cfg. Updates are
tested from every kept release, so run it before you build the next one. Releases kept before stay: delete the folder of
one when no environment runs it any more, and write the version that follows into the `successor` file before it.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from pipeline.catalog.observed.version_order import version_order
from pipeline.errors import PipelineError
from pipeline.paths import DIST, FUNCTIONS, PARAMETERS, SETUP_CFG
from pipeline.release.assemble import assemble, project_version
from tests.golden import differences
from tests.mutation.survivors import FILE as SURVIVORS
from tests.releases.kept import OF_DIST, RELEASES, SUCCESSOR

VERSION = re.compile(r"\d+\.\d+\.\d+")
DECLARED = re.compile(r"^version = .*$", re.MULTILINE)


def keep(
    successor: str,
    dist: Path = DIST,
    releases: Path = RELEASES,
    profiles: Path = PARAMETERS,
    settings: Path = SETUP_CFG,
) -> Path:
    """Keep the release in ``dist`` and make ``successor`` the version of ``settings``; returns the kept folder.

    Raises PipelineError for a dist/ that differs from a build of the working tree, and for a successor that is not a
    later version.
    """
    present = project_version()
    if not VERSION.fullmatch(successor):
        raise PipelineError(f"{successor!r} is not a version; write three numbers, such as 1.2.0.")
    if version_order(successor) <= version_order(present):
        raise PipelineError(
            f"{successor} does not come after {present}, the version in setup.cfg; name a later one."
        )
    if found := differences(assemble(present, dist / FUNCTIONS.name), dist):
        raise PipelineError(f"dist/ is not the release {present}: {found[0]}")
    folder = releases / present
    unfinished = releases / f"{present}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in OF_DIST:
        copy(dist / name, unfinished / name)
    copy(profiles, unfinished / PARAMETERS.name)
    copy(SURVIVORS, unfinished / SURVIVORS.name)
    (unfinished / SUCCESSOR).write_text(f"{successor}\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    text = settings.read_text(encoding="utf-8")
    settings.write_text(DECLARED.sub(f"version = {successor}", text, count=1), encoding="utf-8")
    return folder


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def main() -> None:
    """Keep the release; an error is one sentence."""
    if len(sys.argv) != 2:
        sys.exit("keep: name the version that comes next: python -m tests.releases.keep 1.2.0.")
    try:
        folder = keep(sys.argv[1])
    except PipelineError as refusal:
        sys.exit(f"keep: {refusal}")
    print(f"Kept {folder.name}; setup.cfg is now {sys.argv[1]}. Run `python build.py build`.")


if __name__ == "__main__":
    main()
