"""launch --direct refuses values that violate a relation, and regions without a needed service, before it writes."""

from __future__ import annotations

import boto3
import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.tree import Finished, Tree


def launch(running: EmbeddedAws, tree: Tree, region: str, *settings: str) -> Finished:
    """The program with these settings."""
    given = [word for setting in settings for word in ("--set", setting)]
    return tree.run(
        "launch", "dev", "--direct", "--region", region, *given, **running.environment()
    )


@pytest.mark.parametrize(
    ("region", "settings", "says"),
    [
        (REGION, ("WorkerQueues=a,a",), "WorkerQueues (a,a) names a 2 times; name it once."),
        (
            REGION,
            ("AvailabilityZones=eu-west-1a,eu-west-1b,eu-west-1c",),
            "AvailabilityZones names eu-west-1a, which is not a zone of eu-north-1",
        ),
        (
            REGION,
            ("ApiMinTasks=11",),
            "ApiMinTasks (11) is greater than ApiMaxTasks (10); lower ApiMinTasks or raise ApiMaxTasks.",
        ),
        (
            REGION,
            ("DatabaseMaxAllocatedStorage=54",),
            "DatabaseMaxAllocatedStorage (54) must be at least 10 % above DatabaseAllocatedStorage (50); set it to 55 or more.",
        ),
        (
            REGION,
            ("DocumentsGlacierDays=30",),
            "DocumentsIntelligentTieringDays (30) must be below DocumentsGlacierDays (30)",
        ),
        ("us-west-1", (), "us-west-1 is not ready for dev: "),
        (
            "me-central-1",
            ("CacheMode=replication-group",),
            "CacheNodeType cache.t4g.medium is not offered in me-central-1.",
        ),
    ],
)
def test_first_launch_writes_nothing(
    running: EmbeddedAws, tree: Tree, region: str, settings: tuple[str, ...], says: str
) -> None:
    ended = launch(running, tree, region, *settings)

    assert ended.returncode == 1
    assert says in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    session = boto3.Session(
        aws_access_key_id=running.access_key, aws_secret_access_key=running.secret_key
    )
    made = session.client("s3", endpoint_url=running.endpoint_url, region_name=region)
    stacks = session.client("cloudformation", endpoint_url=running.endpoint_url, region_name=region)
    assert made.list_buckets()["Buckets"] == []
    assert stacks.describe_stacks()["Stacks"] == []


@pytest.fixture(scope="module")
def launched(running: EmbeddedAws, release: Release) -> Environment:
    environment = Environment(running, release, "dev")
    assert environment.launch().succeeded
    return environment


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (
            "DatabaseAllocatedStorage=40",
            "DatabaseAllocatedStorage is 50 and cannot shrink to 40; keep 50, or set 55 or more.",
        ),
        (
            "DatabaseAllocatedStorage=54",
            "DatabaseAllocatedStorage is 50 and grows by at least 10 %",
        ),
        ("SearchVolumeGb=19", "SearchVolumeGb is 20 and cannot shrink to 19"),
        ("VpcCidr=10.9.0.0/16", "VpcCidr cannot change from 10.0.0.0/16 to 10.9.0.0/16"),
        ("DatabaseSnapshotIdentifier=absent", "absent does not exist in eu-north-1"),
    ],
)
def test_update_keeps_the_stack(
    running: EmbeddedAws, tree: Tree, launched: Environment, setting: str, says: str
) -> None:
    before = launched.resources()

    ended = launch(running, tree, REGION, setting)

    assert ended.returncode == 1
    assert says in ended.stderr
    assert launched.resources() == before
