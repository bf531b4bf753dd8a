"""Time and memory of the interactive commands. Run: python -m benchmarks.commands

Each command runs in a separate process, several times; the fastest run counts, because whatever else the machine
does only makes runs slower.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass

from pipeline.paths import CACHE, PROJECT_FOLDER

RUNS = 5
# What a build cannot do without: the modules that the templates are written with.
IMPORTS = """
import pkgutil, sys
import templates_src
wanted = set()
import templates_src.environment
wanted = sorted(name for name in sys.modules if name.split(".")[0] in ("troposphere", "awacs"))
print(" ".join(wanted))
"""


@dataclass(frozen=True)
class Measured:
    """Seconds and peak memory (MiB) of a process."""

    seconds: float
    mebibytes: float


def measure(arguments: list[str]) -> Measured:
    """Run a Python process to its end; raises RuntimeError when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=PROJECT_FOLDER, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return Measured(seconds, usage.ru_maxrss / 1024)


def best(arguments: list[str], runs: int = RUNS) -> Measured:
    """The fastest of several runs."""
    return min((measure(arguments) for _ in range(runs)), key=lambda measured: measured.seconds)


def imports() -> str:
    """A program that imports the troposphere and awacs modules of the templates, and nothing else."""
    names = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        cwd=PROJECT_FOLDER,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return "\n".join(f"import {name}" for name in names)


def lint_cold() -> Measured:
    """cfn-lint over everything, with nothing remembered."""
    shutil.rmtree(CACHE / "lint", ignore_errors=True)
    return measure(["build.py", "lint"])


def row(what: str, measured: Measured, bound: str) -> None:
    """Print one result with its limit."""
    print(f"{what:<34}{measured.seconds:>8.2f} s{measured.mebibytes:>8.0f} MiB   {bound}")


def main() -> None:
    """Measure and print."""
    only_imports = best(["-c", imports()])
    build = best(["build.py", "build"])
    row("import troposphere and awacs", only_imports, "")
    ratio = build.seconds / only_imports.seconds
    row("build", build, f"{ratio:.1f} times the import (at most 4), under 120 MiB")
    row(
        "lint, nothing remembered",
        min((lint_cold() for _ in range(2)), key=lambda m: m.seconds),
        "under 10 s",
    )
    row("lint, nothing changed", best(["build.py", "lint"]), "under 1 s")
    row("launch dev, embedded", best(["build.py", "launch", "dev", "--embedded"], 3), "under 6 s")


if __name__ == "__main__":
    main()
