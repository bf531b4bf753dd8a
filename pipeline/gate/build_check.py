"""The gate in `build`: refuse a version that is too low, and write the pages of docs/releases.

The comparison takes as long as the rest of a build, so .cache keeps its result until the templates, the profiles, the
notes, the kept releases or the code of the comparison change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.paths import CACHE, NOTES, PROJECT_FOLDER, RELEASE_PAGES
from pipeline.release.assemble import Release

RESULT = CACHE / "gate.json"
# The code of the comparison.
_CODE = ("changes", "gate", "template", "checks/render.py", "checks/launch_examples.py")


def check_release(release: Release, profiles: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The pages of docs/releases by their names.

    Raises PipelineError for a version that is too low for the changes since the kept release before it, and for notes that
    cannot be read.
    """
    key = digest(release, profiles)
    kept = _read()
    if kept.get("Key") == key:
        return dict(kept["Pages"])
    from pipeline.changes.sides import of_release
    from pipeline.gate.assessment import assess, kept_side, predecessor, require_version
    from pipeline.gate.notes import load_notes
    from pipeline.gate.pages import pages

    after, earlier = of_release(release, profiles), predecessor(release.version)
    before = kept_side(earlier) if earlier else None
    found = assess(before, after) if before else None
    if found:
        require_version(release.version, found, load_notes(release.version))
    texts = pages(release.version, found, before, after)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"Key": key, "Pages": texts}), encoding="utf-8")
    return texts


def write_pages(texts: Mapping[str, str], folder: Path = RELEASE_PAGES) -> list[Path]:
    """Write the pages that changed; returns their files."""
    changed = []
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def digest(release: Release, profiles: Mapping[str, Mapping[str, str]]) -> str:
    """A digest of everything that the result depends on."""
    found = hashlib.sha256(f"{release.prefix} {json.dumps(profiles, sort_keys=True)}".encode())
    for path in sorted(_files()):
        found.update(f"{path.relative_to(PROJECT_FOLDER)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _files() -> Iterator[Path]:
    yield from NOTES.glob("*.yaml")
    for place in _CODE:
        path = PROJECT_FOLDER / "pipeline" / place
        yield from [path] if path.suffix else (*path.glob("*.py"), *path.glob("*.json"))
    # A manifest has the hashes of a kept release's files.
    yield from (PROJECT_FOLDER / "tests" / "releases").glob("*/manifest.json")
    yield from (PROJECT_FOLDER / "tests" / "releases").glob("*/parameters/*.json")


def _read() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
