"""The table of values that belong to one environment, and the values of an update."""

from __future__ import annotations

import pytest

from pipeline.errors import PipelineError
from pipeline.parameters.environment_values import (
    ENVIRONMENT_VALUES,
    KeptValue,
    values_of_update,
    without_environment_values,
)
from pipeline.parameters.profiles import load_profile
from pipeline.release.assemble import Release
from templates_src.core.parameters import groups
from tests.conftest import ENVIRONMENTS

BUCKET = {"ReleaseBucket": "releases"}


def test_table_names_parameters_and_every_rotation(release: Release) -> None:
    declared = release.root.declarations
    rotated = {name for name, each in declared.items() if each.group == groups.ROTATION}

    assert ENVIRONMENT_VALUES.keys() <= declared.keys()
    assert rotated
    assert rotated <= ENVIRONMENT_VALUES.keys()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_profiles_set_no_value_of_an_environment(release: Release, name: str) -> None:
    profile = load_profile(release.root, name)

    assert without_environment_values(release.root, profile).keys() == (
        profile.keys() - ENVIRONMENT_VALUES.keys()
    )


def test_value_that_a_profile_sets_is_in_its_launch_file(release: Release) -> None:
    profile = {**load_profile(release.root, "dev"), "BucketNamespace": "account-regional"}

    found = without_environment_values(release.root, profile)

    assert found["BucketNamespace"] == "account-regional"


def test_given_values_then_deployed_then_profile(release: Release) -> None:
    profile = load_profile(release.root, "dev")
    deployed = {
        **profile,
        "ImageTag": "1.0",
        "ApiMaxTasks": "12",
        "WorkerMaxTasks": "13",
        "WafRateLimit": "5000",
        "ReleasePrefix": "carbon-connect/1.0.0-abc/",
        "RemovedSince": "x",
    }
    del deployed["SearchVolumeGb"]

    found = values_of_update(
        release.root, profile, deployed, {**BUCKET, "ApiMaxTasks": "14"}, ["WafRateLimit"]
    )

    assert found.kept == {"ImageTag": KeptValue("1.0", ""), "WorkerMaxTasks": KeptValue("13", "10")}
    assert found.values["ApiMaxTasks"] == "14"
    assert found.values["WafRateLimit"] == profile["WafRateLimit"]
    assert found.values["SearchVolumeGb"] == profile["SearchVolumeGb"]
    assert found.values["ReleasePrefix"] == release.prefix
    assert "RemovedSince" not in found.values


def test_deployed_value_that_the_release_refuses_is_named(release: Release) -> None:
    profile = load_profile(release.root, "dev")

    with pytest.raises(PipelineError, match=r"Stack x-dev has CacheNodes '9'.*--set CacheNodes="):
        values_of_update(
            release.root, profile, {**profile, "CacheNodes": "9"}, BUCKET, stack="x-dev"
        )


def test_unknown_name_to_reset_is_refused(release: Release) -> None:
    profile = load_profile(release.root, "dev")

    with pytest.raises(PipelineError, match=r"--reset names ImageTags.*did you mean ImageTag\?"):
        values_of_update(release.root, profile, profile, BUCKET, ["ImageTags"])
