"""The browser of the tests of the pages: Chromium of the machine, which the set-up installs where it can."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.engines.places import EngineError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# Flags without which Chromium contacts hosts of Google, or needs a user namespace that root does not have.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> Path | None:
    """The program; None if the machine has none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return Path(found)
    return MACOS if MACOS.exists() else None


def fetch_chromium() -> None:
    """Install Chromium from Debian's packages, as root, unless the machine has one.

    Raises EngineError with the command for a user who cannot install it.
    """
    if chromium():
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise EngineError(
            "Chromium is missing, and the tests of the pages need it: install it, on Debian with "
            "`sudo apt-get install chromium`, and run `make setup` again."
        )
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "--quiet"], install):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
            raise EngineError(f"apt-get could not install Chromium: {lines[-1]}")
    if not chromium():
        raise EngineError("apt-get installed no Chromium that is on the PATH: install one by hand.")
