"""Folders and files of the project."""

from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[1]
DIST = PROJECT_FOLDER / "dist"
FUNCTIONS = DIST / "functions"
MANIFEST = DIST / "manifest.json"
PARAMETERS = PROJECT_FOLDER / "parameters"
NOTES = PROJECT_FOLDER / "notes"
RELEASE_PAGES = PROJECT_FOLDER / "docs" / "releases"
SETUP_CFG = PROJECT_FOLDER / "setup.cfg"
CACHE = PROJECT_FOLDER / ".cache"
