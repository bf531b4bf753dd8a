"""Parameter files for `aws cloudformation deploy`: each profile with the location of the release."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.parameters.environment_values import without_environment_values
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.paths import DIST, PARAMETERS
from pipeline.release.assemble import Release
from templates_src.core.parameters.shared import RELEASE_BUCKET, RELEASE_PREFIX

LAUNCH = DIST / "launch"


def write_launch_files(
    release: Release, bucket: str, folder: Path = LAUNCH, profiles: Path = PARAMETERS
) -> list[Path]:
    """Write one file per environment, in the form of --parameter-overrides file://… in AWS CLI versions 1 and 2.

    That is a list of ``Key=Value``: version 1 refuses the ParameterKey and ParameterValue of the profiles. An update
    keeps the previous value of a parameter that is not named. The files therefore name the location of the release, because a
    root with the previous ReleasePrefix would nest the previous release's layers; and they leave out the values that belong
    to one environment, unless the profile sets one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in profile_names(profiles):
        profile = load_profile(release.root, name, profiles)
        place = {RELEASE_BUCKET.name: bucket, RELEASE_PREFIX.name: release.prefix}
        values = {**without_environment_values(release.root, profile), **place}
        path = folder / f"{name}.json"
        pairs = [f"{key}={value}" for key, value in values.items()]
        path.write_text(json.dumps(pairs, indent=1) + "\n", encoding="utf-8")
        written.append(path)
    return written
