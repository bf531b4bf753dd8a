"""Two environments side by side in two regions, launched at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.inventory import counted, inventory, is_regional

OTHER_REGION = "eu-west-1"


@dataclass(frozen=True)
class Pair:
    """The same environment in two regions, and the results of the launches."""

    first: Environment
    second: Environment
    ends: tuple[Launched, ...]


@pytest.fixture(scope="module")
def pair(running: EmbeddedAws, release: Release) -> Pair:
    first = Environment(running, release, "dev", REGION)
    # Bucket names are global, so only one region can have the names without a suffix.
    second = Environment(running, release, "dev", OTHER_REGION, BucketNamespace="account-regional")
    with ThreadPoolExecutor(2) as pool:
        ends = tuple(pool.map(Environment.launch, (first, second)))
    return Pair(first, second, ends)


def test_both_are_complete(pair: Pair) -> None:
    assert [end.status for end in pair.ends] == ["CREATE_COMPLETE"] * 2
    assert pair.first.resources().keys() == pair.second.resources().keys()


def test_each_has_its_own_buckets(pair: Pair) -> None:
    for kind in ("Documents", "Media"):
        plain, regional = (end.outputs[f"{kind}BucketName"] for end in pair.ends)
        assert regional == f"{plain}-123456789012-{OTHER_REGION}-an"
        located = pair.second.client("s3").get_bucket_location(Bucket=regional)
        assert located["LocationConstraint"] == OTHER_REGION


def test_outputs_are_of_their_region(pair: Pair) -> None:
    for environment, end, other in zip(
        (pair.first, pair.second), pair.ends, (OTHER_REGION, REGION), strict=True
    ):
        assert environment.aws.region in end.outputs["Url"]
        assert not [value for value in end.outputs.values() if other in value]


def test_neither_sees_the_other(pair: Pair) -> None:
    """Resources of one region are not listed in the other."""
    made = {
        environment.aws.region: {
            (resource.type, resource.physical_id)
            for resource in environment.resources().values()
            if is_regional(resource.type)
        }
        for environment in (pair.first, pair.second)
    }
    own, others = (inventory(e.aws) for e in (pair.first, pair.second))
    # The comparison is not vacuous: most identities are physical IDs.
    assert len(made[REGION] & own) > len(made[REGION]) * 0.8
    assert not made[OTHER_REGION] & own - made[REGION]
    assert not made[REGION] & others - made[OTHER_REGION]


def test_taken_bucket_names_fail_and_are_named(
    running: EmbeddedAws, release: Release, pair: Pair
) -> None:
    third = Environment(running, release, "dev", "us-east-1")
    before = inventory(third.aws)

    end = third.launch()

    assert end.status == "ROLLBACK_COMPLETE"
    ((failure),) = end.failures
    assert failure.logical_id == "LaunchCheck"
    assert pair.ends[0].outputs["DocumentsBucketName"] in failure.reason
    assert "in another region: set BucketNamespace=account-regional" in failure.reason
    assert counted(inventory(third.aws) - before) == {"AWS::CloudFormation::Stack": 1}
