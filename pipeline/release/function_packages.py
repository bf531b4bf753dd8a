"""Pack the Lambda functions as zips: the same sources always give the same bytes.

`templates_src/functions/README.md` describes the convention. The comment of a zip records the hash of its sources and of its
contents; a zip that still matches its folder is kept. A build therefore needs wheels (and once a network) only for a function
that has changed, and a release contains the committed bytes, whatever zlib this machine has: zlib-ng compresses the same
contents to other bytes.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.paths import CACHE, FUNCTIONS, PROJECT_FOLDER
from pipeline.release.function_wheels import (
    Requirement,
    fetch,
    file_sha256,
    requirements,
    wheel_files,
)

SOURCE = PROJECT_FOLDER / "templates_src" / "functions"
WHEELS = CACHE / "wheels"

FORMAT = "1"
"""Raised when this module packs the same sources differently, so that every zip is packed again."""

PACKAGE = "functions"
"""The zip's package: `functions.NAME.handler.handler` is the handler, and shared modules are next to NAME."""

MAX_BYTES = 1_000_000
NAME = re.compile(r"[a-z][a-z0-9_]*")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can store."""

MODE = 0o100644
"""A regular file that Lambda's user can read."""


@dataclass(frozen=True)
class FunctionZip:
    """A packed function. `sha256` is hexadecimal, of the file; `size` is in bytes."""

    name: str
    path: Path
    sha256: str
    size: int

    @classmethod
    def at(cls, path: Path) -> FunctionZip:
        """Describe a zip on disk."""
        return cls(path.stem, path, file_sha256(path), path.stat().st_size)


def build_functions(
    source: Path = SOURCE,
    out: Path = FUNCTIONS,
    wheels: Path = WHEELS,
    known: Mapping[str, str] | None = None,
) -> dict[str, Path]:
    """Pack every function of `source` into `out`; return the zips' paths by function name.

    A zip that is up to date stays; the zip of a removed function is deleted. Wheels come from the folder `wheels`, which pip
    fills from PyPI if one is missing. `known` holds the SHA-256 of zips, by file name, whose contents were read when they were
    packed: reading them again takes longer than the rest of a build. Raises PipelineError that names the function.
    """
    folders = function_folders(source)
    out.mkdir(parents=True, exist_ok=True)
    paths = {folder.name: out / f"{folder.name}.zip" for folder in folders}
    for folder in folders:
        _build(folder, paths[folder.name], wheels, (known or {}).get(f"{folder.name}.zip"))
    for stale in set(out.glob("*.zip")) - set(paths.values()):
        stale.unlink()
    return paths


def fetch_wheels(source: Path = SOURCE, wheels: Path = WHEELS) -> None:
    """Download every function's wheels into the folder, so that a later build needs no network. Raises PipelineError."""
    fetch([each for folder in function_folders(source) for each in requirements(folder)], wheels)


def function_folders(source: Path) -> list[Path]:
    """The functions' folders, by name. Raises PipelineError for a folder that breaks the convention."""
    folders = sorted(
        path for path in source.iterdir() if path.is_dir() and path.name != "__pycache__"
    )
    for folder in folders:
        if not NAME.fullmatch(folder.name):
            raise PipelineError(
                f"{folder}: a function's folder must be named in lower case with underscores; rename it."
            )
        for needed in ("__init__.py", "handler.py"):
            if not (folder / needed).is_file():
                raise PipelineError(f"{folder} has no {needed}: every function needs one; add it.")
    return folders


def contents_digest(path: Path) -> str:
    """SHA-256 of a zip's contents, independent of compression: names, order, times, modes and bytes."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            content = hashlib.sha256(archive.read(info)).hexdigest()
            digest.update(
                repr((info.filename, info.date_time, info.external_attr, content)).encode()
            )
    return digest.hexdigest()


def _build(folder: Path, target: Path, wheels: Path, known: str | None) -> None:
    sources = _source_files(folder)
    pinned = requirements(folder)
    digest = _sources_digest(sources, pinned)
    if _is_up_to_date(target, digest, known):
        return
    try:
        fetch(pinned, wheels)
    except PipelineError as error:
        raise PipelineError(
            f"Function {folder.name} changed and cannot be packed: {error}"
        ) from None
    members = dict(sources)
    for requirement in pinned:
        wheel = requirement.wheel_in(wheels)
        if wheel is None:
            raise PipelineError(
                f"{wheels} has no wheel of {requirement.name} with the pinned hash; delete that wheel and build again."
            )
        _add(members, wheel_files(wheel), wheel.name)
    _write(target, members, digest)


def _source_files(folder: Path) -> dict[str, bytes]:
    """The function's files and the shared modules that it uses, by their names in the zip."""
    files = {f"{PACKAGE}/__init__.py": (folder.parent / "__init__.py").read_bytes()}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and not hidden and str(inside) != "requirements.txt":
            files[f"{PACKAGE}/{folder.name}/{inside.as_posix()}"] = path.read_bytes()
    for module in _shared_modules(folder):
        files[f"{PACKAGE}/{module.name}"] = module.read_bytes()
    return files


def _shared_modules(folder: Path) -> list[Path]:
    """The shared modules that a function imports with `from ..MODULE import`, and the ones that these import."""
    found: list[Path] = []
    waiting = [(path, 2) for path in sorted(folder.glob("*.py"))]
    while waiting:
        path, level = waiting.pop()
        for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
            if not isinstance(node, ast.ImportFrom) or node.level != level:
                continue
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                module = folder.parent / f"{name}.py"
                if module.is_file() and module not in found:
                    found.append(module)
                    waiting.append((module, 1))
    return sorted(found)


def _sources_digest(sources: Mapping[str, bytes], pinned: Iterable[Requirement]) -> str:
    digest = hashlib.sha256(FORMAT.encode())
    for name, content in sorted(sources.items()):
        digest.update(repr((name, hashlib.sha256(content).hexdigest())).encode())
    for requirement in pinned:
        digest.update(str(requirement).encode())
    return digest.hexdigest()


def _is_up_to_date(target: Path, digest: str, known: str | None) -> bool:
    try:
        with zipfile.ZipFile(target) as archive:
            comment = archive.comment.decode(errors="replace")
        if known == file_sha256(target):
            return comment.startswith(f"sources {digest}\n")
        return comment == _comment(digest, contents_digest(target))
    except (FileNotFoundError, zipfile.BadZipFile):
        return False


def _comment(sources: str, contents: str) -> str:
    return f"sources {sources}\ncontents {contents}\n"


def _add(members: dict[str, bytes], files: Mapping[str, bytes], origin: str) -> None:
    for name, content in files.items():
        if members.setdefault(name, content) != content:
            raise PipelineError(
                f"{origin} contains {name}, and so does another part of the zip; rename one."
            )


def _write(target: Path, members: Mapping[str, bytes], sources: str) -> None:
    """Write the zip next to its place and move it there, so that a partial zip never exists."""
    draft = target.with_suffix(".draft")
    try:
        with zipfile.ZipFile(draft, "w") as archive:
            for name in sorted(members):
                info = zipfile.ZipInfo(name, EPOCH)
                info.create_system = 3  # Unix, on every system: the mode below is a Unix mode
                info.external_attr = MODE << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, members[name], compresslevel=9)
        with zipfile.ZipFile(draft, "a") as archive:
            archive.comment = _comment(sources, contents_digest(draft)).encode()
        size = draft.stat().st_size
        if size >= MAX_BYTES:
            raise PipelineError(
                f"{target.name} has {size:,} bytes, but a function must stay under {MAX_BYTES:,}; remove a dependency."
            )
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def main() -> int:
    """Update dist/functions and print its zips."""
    try:
        zips = [FunctionZip.at(path) for path in build_functions().values()]
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    for each in zips:
        print(f"{each.name:24} {each.size / 1024:6.0f} KiB  sha256 {each.sha256}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
