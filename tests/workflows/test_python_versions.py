"""ci.yml tests every version of Python that the project supports."""

from __future__ import annotations

import configparser

from pipeline.paths import PROJECT_FOLDER
from tests.workflows.reading import workflow


def test_ci_runs_from_the_oldest_version_to_3_13() -> None:
    settings = configparser.ConfigParser()
    settings.read(PROJECT_FOLDER / "setup.cfg", encoding="utf-8")
    job = workflow("ci.yml").document["jobs"]["test"]
    versions = job["strategy"]["matrix"]["python-version"]
    (setup,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-p"))

    assert versions == ["3.11", "3.12", "3.13"]
    assert settings["options"]["python_requires"] == f">={versions[0]}"
    assert setup["with"]["python-version"] == "${{ matrix.python-version }}"
