"""The search server of dev: launched, upgraded, restored from a snapshot, and deleted with retained volumes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from pipeline.stacks.deploy import Launched
from templates_src.compute.search.user_data import boot_script
from tests.launches.environments import Environment

NEWER = "getmeili/meilisearch:v1.57.0"


@dataclass(frozen=True)
class State:
    """The resources of search after a launch."""

    end: Launched
    instance: dict[str, Any]
    settings: dict[str, str]
    script: str
    volumes: dict[str, dict[str, Any]]
    targets: list[dict[str, str]]

    @classmethod
    def of(cls, environment: Environment, **changes: str) -> State:
        end = environment.launch(**changes)
        user_data = launched_with(environment)
        header, script = user_data.split("\nSETTINGS\n")
        lines = header.split("<<'SETTINGS'\n")[1].splitlines()
        (instance,) = running_instances(environment)
        dlm = environment.client("dlm")
        (policy,) = dlm.get_lifecycle_policies()["Policies"]
        details = dlm.get_lifecycle_policy(PolicyId=policy["PolicyId"])["Policy"]["PolicyDetails"]
        return cls(
            end,
            instance,
            dict(line.split("=", 1) for line in lines),
            script,
            search_volumes(environment),
            details["TargetTags"],
        )


def launched_with(environment: Environment) -> str:
    """User data of the newest version of the launch template."""
    (version,) = environment.client("ec2").describe_launch_template_versions(
        LaunchTemplateId=environment.physical_id("Compute.SearchLaunchTemplate"),
        Versions=["$Latest"],
    )["LaunchTemplateVersions"]
    return base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()


def running_instances(environment: Environment) -> list[dict[str, Any]]:
    """The instances that run."""
    found = environment.client("ec2").describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
    )
    return [instance for held in found["Reservations"] for instance in held["Instances"]]


def search_volumes(environment: Environment) -> dict[str, dict[str, Any]]:
    """The volumes of the data layer by ID, in a stack or retained."""
    found = environment.client("ec2").describe_volumes(
        Filters=[{"Name": "tag:Layer", "Values": ["data"]}]
    )
    return {volume["VolumeId"]: volume for volume in found["Volumes"]}


def private_records(environment: Environment, zone: str) -> dict[str, list[str]]:
    """Values of the A records of a zone."""
    sets = environment.client("route53").list_resource_record_sets(HostedZoneId=zone)
    return {
        found["Name"]: [value["Value"] for value in found["ResourceRecords"]]
        for found in sets["ResourceRecordSets"]
        if found["Type"] == "A"
    }


def leave_record_of_earlier_release(environment: Environment, zone: str) -> None:
    """Create the record that the search server of 1.0.0 and 1.1.0 leaves in the zone."""
    route53 = environment.client("route53")
    name = route53.get_hosted_zone(Id=zone)["HostedZone"]["Name"]
    record = {
        "Name": f"search.{name}",
        "Type": "A",
        "TTL": 10,
        "ResourceRecords": [{"Value": "10.0.48.17"}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )


def attach_interface(environment: Environment, state: State) -> None:
    """Attach the interface to the instance, as the boot script does."""
    environment.client("ec2").attach_network_interface(
        NetworkInterfaceId=state.settings["INTERFACE_ID"],
        InstanceId=state.instance["InstanceId"],
        DeviceIndex=1,
    )


def tags_of(described: dict[str, Any]) -> dict[str, str]:
    """Tags by key."""
    return {tag["Key"]: tag["Value"] for tag in described["Tags"]}


@dataclass(frozen=True)
class History:
    """The environment, and its search after each launch."""

    environment: Environment
    first: State
    deployed: State
    upgraded: State
    snapshot: str
    restored: State


@pytest.fixture(scope="module")
def history(running: EmbeddedAws, release: Release) -> History:
    environment = Environment(running, release, "dev")
    first = State.of(environment)
    deployed = State.of(environment, ImageTag="1.4.2")
    upgraded = State.of(environment, ImageTag="1.4.2", SearchImage=NEWER)
    snapshot = environment.client("ec2").create_snapshot(VolumeId=first.settings["VOLUME_ID"])
    restored = State.of(
        environment,
        ImageTag="1.4.2",
        SearchImage=NEWER,
        SearchSnapshotId=snapshot["SnapshotId"],
    )
    return History(environment, first, deployed, upgraded, snapshot["SnapshotId"], restored)


def test_every_launch_succeeds(history: History) -> None:
    for state in (history.first, history.deployed, history.upgraded, history.restored):
        assert state.end.succeeded, state.end.failures
        assert state.end.changed


def test_instance_is_in_the_zone_of_its_volume(history: History) -> None:
    (volume,) = history.first.volumes.values()
    (subnet,) = history.environment.client("ec2").describe_subnets(
        SubnetIds=[history.first.instance["SubnetId"]]
    )["Subnets"]
    assert volume["AvailabilityZone"] == subnet["AvailabilityZone"]
    assert volume["Encrypted"]
    assert volume["VolumeType"] == "gp3"
    assert volume["Size"] == int(history.environment.profile["SearchVolumeGb"])
    assert history.first.settings["VOLUME_ID"] == volume["VolumeId"]
    assert tags_of(history.first.instance)["Layer"] == "compute"


def test_user_data_has_the_settings_and_the_script(history: History) -> None:
    assert history.first.script == boot_script()
    assert len(launched_with(history.environment).encode()) <= 16_384
    stacks = history.environment.stacks()
    assert history.first.settings["STACK_NAME"] == stacks["Compute"]["StackId"]


def test_record_points_to_the_interface_of_the_stack(history: History) -> None:
    """The same interface and address for every instance, in the zone of the volume."""
    settings = history.first.settings
    (interface,) = history.environment.client("ec2").describe_network_interfaces(
        NetworkInterfaceIds=[settings["INTERFACE_ID"]]
    )["NetworkInterfaces"]
    (volume,) = history.first.volumes.values()
    assert interface["PrivateIpAddress"] == settings["ADDRESS"]
    assert interface["SubnetId"] == history.first.instance["SubnetId"]
    assert interface["AvailabilityZone"] == volume["AvailabilityZone"]
    route53 = history.environment.client("route53")
    zone_id = history.environment.physical_id("Compute.SearchZone")
    zone = route53.get_hosted_zone(Id=zone_id)["HostedZone"]
    assert zone["Config"]["PrivateZone"]
    assert private_records(history.environment, zone_id) == {
        f"meilisearch.{zone['Name']}": [settings["ADDRESS"]]
    }
    for state in (history.deployed, history.upgraded, history.restored):
        assert state.settings["INTERFACE_ID"] == settings["INTERFACE_ID"]
        assert state.settings["ADDRESS"] == settings["ADDRESS"]


def test_api_deployment_does_not_change_the_server(history: History) -> None:
    assert history.deployed.instance["InstanceId"] == history.first.instance["InstanceId"]


def test_another_version_replaces_the_instance_and_keeps_the_volume(history: History) -> None:
    before, after = history.deployed, history.upgraded
    assert after.instance["InstanceId"] != before.instance["InstanceId"]
    assert after.settings == {**before.settings, "IMAGE": NEWER}
    assert after.volumes.keys() == before.volumes.keys()


def test_snapshot_creates_a_second_volume(history: History) -> None:
    before, after = history.upgraded, history.restored
    (made,) = after.volumes.keys() - before.volumes.keys()
    assert before.volumes.keys() < after.volumes.keys()
    assert after.volumes[made]["SnapshotId"] == history.snapshot
    assert after.settings == {**before.settings, "VOLUME_ID": made}
    assert after.instance["InstanceId"] != before.instance["InstanceId"]


def test_only_the_volume_in_use_has_the_tag_of_the_snapshots(history: History) -> None:
    for state in (history.first, history.restored):
        (target,) = state.targets
        tagged = [
            name
            for name, volume in state.volumes.items()
            if tags_of(volume).get(target["Key"]) == target["Value"]
        ]
        assert tagged == [state.settings["VOLUME_ID"]]


def test_deletion_retains_the_volumes(history: History) -> None:
    zone = history.environment.physical_id("Compute.SearchZone")
    leave_record_of_earlier_release(history.environment, zone)
    attach_interface(history.environment, history.restored)
    assert history.environment.delete().succeeded
    assert search_volumes(history.environment).keys() == history.restored.volumes.keys()
    assert running_instances(history.environment) == []
    zones = history.environment.client("route53").list_hosted_zones()["HostedZones"]
    assert zone not in {found["Id"].rpartition("/")[2] for found in zones}
    interfaces = history.environment.client("ec2").describe_network_interfaces()
    assert interfaces["NetworkInterfaces"] == []
