"""Where the project keeps things."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
DIST = PROJECT / "dist"
FUNCTIONS = DIST / "functions"
MANIFEST = DIST / "manifest.json"
PARAMETERS = PROJECT / "parameters"
NOTES = PROJECT / "notes"
RELEASE_PAGES = PROJECT / "docs" / "releases"
SETUP_CFG = PROJECT / "setup.cfg"
CACHE = PROJECT / ".cache"
