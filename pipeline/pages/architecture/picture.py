"""docs/architecture.svg: the picture of the README. `python -m pipeline.pages.architecture.picture` writes it."""

from __future__ import annotations

from pipeline.checks.render import render
from pipeline.pages.architecture.drawing import drawing_of
from pipeline.pages.architecture.svg import svg
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release, assemble

PICTURE = PROJECT_FOLDER / "docs" / "architecture.svg"
# The environment with the most services.
ENVIRONMENT = "prod"


def picture(release: Release) -> str:
    """The picture of the production environment of a release."""
    return svg(drawing_of(render(release, ENVIRONMENT)), links=False)


if __name__ == "__main__":
    PICTURE.write_text(picture(assemble()), encoding="utf-8")
