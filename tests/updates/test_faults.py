"""Faults of a release that only a launch shows: all in one update, each found by its check."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from tests.relations.planting import drop_from_template, put_in_template
from tests.releases.kept import Kept
from tests.updates import stateful
from tests.updates.faults import ROOT, rename_resource
from tests.updates.states import State, changed_outputs, left_over, lost, replaced
from tests.updates.update_paths import Journey, planted

SECRET = "Resources/SessionKeySecret/Properties/GenerateSecretString/PasswordLength"
PLANTS = (
    put_in_template("data", "Resources/MediaBucket/Properties/BucketName", "pictures-of-dev"),
    rename_resource("data", "Database", "PostgresDatabase"),
    put_in_template("security", SECRET, 40),
    drop_from_template(ROOT, "Outputs/DashboardUrl"),
)


@pytest.fixture(scope="module")
def journey(running: EmbeddedAws, aws: Aws, previous: Kept) -> Journey:
    return Journey(running, aws, previous, "dev")


@pytest.fixture(scope="module")
def after(journey: Journey, release: Release) -> State:
    """The environment after the update with the faults."""
    return journey.update(planted(release, *PLANTS))


@pytest.fixture(scope="module")
def found(journey: Journey, previous: Kept, after: State) -> dict[str, list[str]]:
    """The findings of each check."""
    before = journey.before
    checks: dict[str, Iterable[str]] = {
        "replaced": replaced(before, after, stateful.names(previous.templates)),
        "lost": lost(before, after),
        "outputs": changed_outputs(before, after),
        "left over": left_over(before, after),
    }
    return {name: list(sentences) for name, sentences in checks.items()}


def test_cloudformation_accepts_the_faults(after: State) -> None:
    """CloudFormation accepts the faults, so only these tests find them."""
    assert after.status == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("replaced", "Data.MediaBucket (AWS::S3::Bucket) was carbon-connect-dev-media and is pict"),
        ("replaced", "Data.Database (AWS::RDS::DBInstance) is gone."),
        ("lost", "Data.MediaBucket held [('offers/7.pdf', "),
        ("lost", "Security.SessionKeySecret held "),
        ("outputs", "Output DashboardUrl is gone."),
        ("outputs", "Output MediaBucketName was 'carbon-connect-dev-media' and is 'pictures-of-d"),
        ("outputs", "Output DatabaseHost was "),
        ("left over", "There are +1 of AWS::S3::Bucket that no stack knows."),
        ("left over", "There are +1 of AWS::RDS::DBSnapshot that no stack knows."),
    ],
)
def test_found(found: dict[str, list[str]], check: str, says: str) -> None:
    assert [said for said in found[check] if said.startswith(says)], found[check]


def test_every_difference_is_found(journey: Journey, after: State) -> None:
    """Also for a failed update."""
    assert after != journey.before
