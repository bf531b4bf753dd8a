"""The wheels of the Lambda functions: pinned by version and hash, downloaded with pip, and unpacked.

Wheels are unpacked, not installed, because the files that an installer adds depend on its version.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import PipelineError
from templates_src.core.function import RUNTIME

PYTHON = RUNTIME.removeprefix("python")
"""The Python version of the functions, and of their wheels."""


REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+) +--hash=sha256:(?P<sha256>[0-9a-f]{64})"
)
COMPILED = {".so", ".pyd", ".dll", ".dylib", ".a", ".o"}


@dataclass(frozen=True)
class Requirement:
    """One wheel of a function, by exact version and SHA-256."""

    name: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"

    def wheel_in(self, wheels: Path) -> Path | None:
        """The wheel, if the folder contains it with the pinned hash."""
        stem = re.sub(r"[-_.]+", "_", self.name).lower()
        for candidate in sorted(wheels.glob("*.whl")):
            name, version, *_ = candidate.name.split("-")
            if (name.lower(), version) == (stem, self.version) and file_sha256(
                candidate
            ) == self.sha256:
                return candidate
        return None


def requirements(folder: Path) -> list[Requirement]:
    """The wheels that a function pins. Raises PipelineError for a line without a version or without exactly one hash."""
    path = folder / "requirements.txt"
    found = []
    for number, line in enumerate(
        path.read_text(encoding="utf-8").splitlines() if path.is_file() else (), start=1
    ):
        text = line.split("#")[0].strip()
        if not text:
            continue
        match = REQUIREMENT.fullmatch(text)
        if not match:
            raise PipelineError(
                f"{path}:{number} must have the form NAME==VERSION --hash=sha256:HASH."
            )
        found.append(Requirement(match["name"], match["version"], match["sha256"]))
    return found


def fetch(pinned: Iterable[Requirement], wheels: Path) -> None:
    """Download the missing wheels with pip, which checks the hashes."""
    wheels.mkdir(parents=True, exist_ok=True)
    missing = sorted({str(each) for each in pinned if each.wheel_in(wheels) is None})
    if not missing:
        return
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "requirements.txt"
        listing.write_text("\n".join(missing) + "\n")
        tags = ("--platform", "any", "--implementation", "py", "--abi", "none")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", *tags, "--python-version", PYTHON]
        command += ["--require-hashes", "--dest", str(wheels), "--requirement", str(listing)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or [
            "no reason given"
        ]
        raise PipelineError(f"pip could not fetch the functions' wheels into {wheels}: {lines[-1]}")


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """The files of a pure-Python wheel, by path. RECORD is left out: it lists files that an installer would add."""
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name)
            if path.suffix in COMPILED or path.parts[0].endswith(".data"):
                raise PipelineError(
                    f"{wheel.name} contains {name}, but functions are packed from pure Python; pin a pure-Python wheel."
                )
            if not name.endswith("/") and path.name != "RECORD" and path.suffix != ".pyc":
                files[name] = archive.read(name)
    return files


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
