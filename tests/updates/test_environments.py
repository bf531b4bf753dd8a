"""Every environment of the kept release: updated to the working tree's, updated back, and a failed update."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.parameters.profiles import profile_names
from pipeline.release.assemble import Release
from pipeline.stacks.events import Failure
from templates_src.core.parameters.shared import DATABASE_MASTER_USER, RELEASE_PREFIX
from tests.releases.kept import Kept, kept
from tests.updates import stateful
from tests.updates.faults import TAKEN, unlaunchable
from tests.updates.states import OF_THE_RELEASE, State, changed_outputs, left_over, lost, replaced
from tests.updates.stored_data import MESSAGE
from tests.updates.update_paths import Journey, planted

# What the failed update would have changed, before the fault in its last layer.
LARGER = {"DatabaseBackupRetentionDays": "21", "LogRetentionDays": "90", "WafRateLimit": "5000"}
ENDS = {
    "updated": "UPDATE_COMPLETE",
    "taken back": "UPDATE_COMPLETE",
    "failed": "UPDATE_ROLLBACK_COMPLETE",
    "updated with its values": "UPDATE_COMPLETE",
}
# Resources without data on the embedded AWS; the test compares their identity.
WITHOUT_CONTENT = {
    "AWS::EC2::Volume",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::RDS::DBInstance",
    # The permissions of a bucket policy.
    "AWS::S3::BucketPolicy",
}
# An Auto Scaling group replaces its instance, with the root volume, for the update and again for the
# rollback. A volume with data is a resource of a stack, which both states compare.
REPLACED_INSTANCES = {"AWS::EC2::Instance", "AWS::EC2::Volume"}
Names = frozenset[str]


@dataclass(frozen=True)
class Results:
    """An environment before the update, and after each operation by the words of ENDS."""

    before: State
    after: dict[str, State]
    failures: tuple[Failure, ...]
    # The error of an update that kept the previous release's prefix.
    refusal: str


@pytest.fixture(scope="module")
def taken(aws: Aws) -> None:
    """A log group with the name that the last layer of a faulty release needs."""
    aws.client("logs").create_log_group(logGroupName=TAKEN)


@pytest.fixture(scope="module", params=profile_names(kept().profiles))
def results(
    request: pytest.FixtureRequest,
    running: EmbeddedAws,
    aws: Aws,
    taken: None,
    previous: Kept,
    release: Release,
) -> Results:
    del taken
    journey = Journey(running, aws, previous, request.param)
    updated, back = journey.update(release), journey.take_back()
    failed = journey.update(planted(release, unlaunchable), **LARGER)
    failures = journey.failures
    with pytest.raises(ClientError) as refused:
        journey.update_keeping_values(release, also_prefix=True)
    states = (updated, back, failed, journey.update_keeping_values(release))
    return Results(
        journey.before, dict(zip(ENDS, states, strict=True)), failures, str(refused.value)
    )


@pytest.fixture(scope="module")
def holding(previous: Kept) -> Names:
    """What of an environment holds data."""
    return stateful.names(previous.templates)


@pytest.mark.parametrize("operation", ENDS)
def test_operation_ends(results: Results, operation: str) -> None:
    assert results.after[operation].status == ENDS[operation]


def test_environment_has_the_requested_release(
    results: Results, previous: Kept, release: Release
) -> None:
    versions = [state.outputs["ReleaseVersion"] for state in results.after.values()]
    former, present = previous.release.version, release.version

    assert results.before.outputs["ReleaseVersion"] == former
    assert versions == [present, former, former, present]


@pytest.mark.parametrize("operation", ENDS)
def test_resources_with_data_are_the_same(results: Results, holding: Names, operation: str) -> None:
    assert list(replaced(results.before, results.after[operation], holding)) == []


@pytest.mark.parametrize("operation", ENDS)
def test_data_is_the_same(results: Results, operation: str) -> None:
    assert list(lost(results.before, results.after[operation])) == []


@pytest.mark.parametrize("operation", ENDS)
def test_outputs_are_the_same(results: Results, operation: str) -> None:
    assert list(changed_outputs(results.before, results.after[operation])) == []


@pytest.mark.parametrize("operation", ENDS)
def test_no_resources_are_left_over(results: Results, operation: str) -> None:
    assert list(left_over(results.before, results.after[operation])) == []


def test_every_resource_that_supports_it_has_data(results: Results, holding: Names) -> None:
    """Otherwise a loss would not be noticed."""
    held = {name for name, data in results.before.held.items() if data}
    kinds = {
        name: resource.type
        for name, resource in results.before.resources.items()
        if name in holding
    }

    assert {kind for name, kind in kinds.items() if name not in held} <= WITHOUT_CONTENT
    assert len(held) > 15


def without_replaced(state: State) -> State:
    """The state without the identities of instances and their root volumes; other tests count them."""
    kept = frozenset(each for each in state.inventory if each[0] not in REPLACED_INSTANCES)
    return replace(state, inventory=kept)


def test_failed_update_changes_nothing(results: Results) -> None:
    ((failure),) = results.failures

    assert (failure.stack, failure.logical_id) == ("Monitoring", "Taken")
    assert "already exists" in failure.reason
    assert without_replaced(results.after["failed"]) == without_replaced(
        results.after["taken back"]
    )


def test_flow_logs_go_to_an_encrypted_group_and_keep_their_history(
    results: Results, aws: Aws
) -> None:
    """Those of the former releases used AWS's key, in a group of the network layer."""
    last = results.after["updated with its values"]
    written = {
        flow_log["FlowLogId"]
        for flow_log in aws.client("ec2").describe_flow_logs()["FlowLogs"]
        if flow_log["ResourceId"] == last.resources["Network.Vpc"].physical_id
    }
    group = last.resources["Security.VpcFlowLogGroup"].physical_id
    (described,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    assert written == {last.resources["Security.VpcFlowLog"].physical_id}
    assert described["kmsKeyId"].endswith(f"/{last.resources['Security.Key'].physical_id}")
    assert "Network.FlowLog" in results.before.resources
    assert "Network.FlowLog" not in last.resources
    assert (
        last.held["Network.FlowLogGroup"]
        == results.before.held["Network.FlowLogGroup"]
        == [MESSAGE]
    )


def test_url_of_an_earlier_release_names_the_master_user(results: Results) -> None:
    urls = [
        json.loads(state.held["Data.DatabaseUrl"])["url"]
        for state in (results.before, results.after["updated"])
    ]

    assert [urlsplit(url).username for url in urls] == [DATABASE_MASTER_USER, "carbon_app_1"]


def test_repeated_values_are_the_same(results: Results, release: Release) -> None:
    before, after = (
        state.parameters[""] for state in (results.before, results.after["updated with its values"])
    )
    added = after.keys() - before.keys()

    assert {name: after[name] for name in before.keys() - {RELEASE_PREFIX.name}} == {
        name: value for name, value in before.items() if name != RELEASE_PREFIX.name
    }
    assert {name: after[name] for name in added} == {
        name: release.root.declarations[name].default for name in added
    }
    assert after[RELEASE_PREFIX.name] == release.prefix


def test_prefix_of_the_previous_release_is_refused(results: Results, release: Release) -> None:
    """Otherwise the new root would nest the previous layers, and have the version of the new release."""
    assert f"ReleasePrefix must be {release.prefix}, this release's own" in results.refusal


def test_listed_outputs_exist(results: Results) -> None:
    updated = results.after["updated"].outputs

    assert {
        name for name in OF_THE_RELEASE if updated[name] != results.before.outputs[name]
    } == set(OF_THE_RELEASE)
