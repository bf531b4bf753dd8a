"""The Makefile's set-up works with a read-only home folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.paths import PROJECT_FOLDER

SAY_HOME = 'say:;@echo "$$HOME"'


def home_of_recipes(home: str | None, clone: Path) -> str:
    """HOME of what make runs in a clone, started with this HOME or none."""
    clone.mkdir()
    (clone / "Makefile").symlink_to(PROJECT_FOLDER / "Makefile")
    variables = {"PATH": os.environ["PATH"], **({} if home is None else {"HOME": home})}
    command = ["make", "--no-print-directory", "--eval", SAY_HOME, "say"]
    done = subprocess.run(
        command, cwd=clone, env=variables, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.rstrip("\n")


def test_writable_home_folder_is_used(tmp_path: Path) -> None:
    assert home_of_recipes(str(tmp_path), tmp_path / "clone") == str(tmp_path)


@pytest.mark.parametrize("home", [None, "", "/proc/none", "/nonexistent/home"])
def test_read_only_home_folder_is_replaced(home: str | None, tmp_path: Path) -> None:
    clone = tmp_path / "a clone"

    found = Path(home_of_recipes(home, clone))

    assert found == clone.resolve() / ".cache" / "home"
    assert found.is_dir()
