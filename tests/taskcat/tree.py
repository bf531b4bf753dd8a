"""The folder that taskcat uploads: only the files that a run needs.

taskcat uploads its project root except dot files and Markdown, and has no list of exceptions. From the working tree it
would also upload the tests and the sources.

    python -m tests.taskcat.tree build/taskcat
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pipeline.paths import PROJECT_FOLDER
from tests.taskcat.definition import DIST, FILE_NAME, OWN
from tests.taskcat.existing_vpc import NESTED, file_name

PARTS = (
    FILE_NAME,
    f"{DIST}/templates",
    f"{DIST}/functions",
    *(f"{OWN}/{file_name(name)}" for name in NESTED),
    # taskcat imports the hooks of taskcat.yml by these names; `PYTHONPATH=.` lets it find them here.
    "taskcat_plugin_protection.py",
    "taskcat_plugin_tags.py",
)
# The name that taskcat uses if it is given none.
USUAL_NAME = ".taskcat.yml"


def lay_out(folder: Path, project: Path = PROJECT_FOLDER) -> Path:
    """Copy the parts to a new folder; returns it."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in PARTS:
        source, target = project / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    # A link, because taskcat merges a project's file of that name with the one that it is given.
    (folder / USUAL_NAME).symlink_to(FILE_NAME)
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the folder to lay out: python -m tests.taskcat.tree build/taskcat")
    print(lay_out(Path(sys.argv[1])))
