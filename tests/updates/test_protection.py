"""prod of each kept release stays protected while it is updated to this release, and when the update fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.release.assemble import Release
from tests.releases.kept import Kept
from tests.updates.faults import TAKEN, unlaunchable
from tests.updates.update_paths import Journey, planted

PAUSE_SECONDS = 0.05
Seen = set[tuple[bool, str]]


@pytest.fixture(scope="module")
def journey(running: EmbeddedAws, aws: Aws, previous: Kept) -> Journey:
    """prod of the kept release."""
    return Journey(running, aws, previous, "prod")


@contextmanager
def watching(journey: Journey) -> Iterator[Seen]:
    """Look at the protection of the database and the load balancer all the time; yields every state that was seen."""
    rds, elb = journey.aws.client("rds"), journey.aws.client("elbv2")
    (balancer,) = elb.describe_load_balancers()["LoadBalancers"]
    seen: Seen = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(PAUSE_SECONDS):
            (database,) = rds.describe_db_instances()["DBInstances"]
            attributes = elb.describe_load_balancer_attributes(
                LoadBalancerArn=balancer["LoadBalancerArn"]
            )["Attributes"]
            values = {each["Key"]: each["Value"] for each in attributes}
            seen.add((database["DeletionProtection"], values["deletion_protection.enabled"]))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def stack_is_protected(journey: Journey) -> bool:
    """Whether the root stack has termination protection."""
    protected: bool = journey.former.stacks()[""]["EnableTerminationProtection"]
    return protected


def test_failed_update_keeps_what_was_protected(journey: Journey, release: Release) -> None:
    journey.aws.client("logs").create_log_group(logGroupName=TAKEN)

    with watching(journey) as seen:
        after = journey.update(planted(release, unlaunchable))

    assert after.status == "UPDATE_ROLLBACK_COMPLETE"
    assert seen == {(True, "true")}
    # The kept release has no way to turn it off.
    assert not stack_is_protected(journey)


def test_update_keeps_everything_protected_at_every_moment(
    journey: Journey, release: Release
) -> None:
    with watching(journey) as seen:
        after = journey.update(release)

    assert after.status == "UPDATE_COMPLETE"
    assert seen == {(True, "true")}
    assert stack_is_protected(journey)


def test_update_back_leaves_a_stack_that_its_release_can_delete(journey: Journey) -> None:
    with watching(journey) as seen:
        after = journey.take_back()

    assert after.status == "UPDATE_COMPLETE"
    assert seen == {(True, "true")}
    assert not stack_is_protected(journey)


def test_first_update_can_decommission(journey: Journey, release: Release) -> None:
    after = journey.update(release, Decommission="true")

    assert after.status == "UPDATE_COMPLETE"
    (database,) = journey.aws.client("rds").describe_db_instances()["DBInstances"]
    assert not database["DeletionProtection"]
    assert not stack_is_protected(journey)
