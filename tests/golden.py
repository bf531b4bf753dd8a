"""Compare dist/ with a build of the sources."""

from __future__ import annotations

from pathlib import Path

from pipeline.paths import MANIFEST
from pipeline.release.assemble import Release
from templates_src.environment import TEMPLATE_FOLDER

REBUILD = "run `python build.py build` and commit dist/"


def differences(release: Release, dist: Path) -> list[str]:
    """The differences between ``dist`` and the release: sentences that name the file."""
    wanted = {
        dist / path: body
        for path, body in {**release.files, **release.bootstrap_stacks}.items()
        if path.startswith(f"{TEMPLATE_FOLDER}/")
    }
    wanted[dist / MANIFEST.name] = release.manifest()
    present = {path for path in (dist / TEMPLATE_FOLDER).rglob("*") if path.is_file()}
    present |= {path for path in [dist / MANIFEST.name] if path.exists()}
    return [
        *(f"{path.name} is missing; {REBUILD}." for path in sorted(wanted.keys() - present)),
        *(
            f"{path.name} is built by nothing; {REBUILD}."
            for path in sorted(present - wanted.keys())
        ),
        *(
            f"{path.name} is not what the sources build; {REBUILD}."
            for path in sorted(wanted.keys() & present)
            if path.read_bytes() != wanted[path]
        ),
    ]
