"""EBS volumes, and the policies that create snapshots of them."""

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Created, Properties, ignoring, register
from embedded_aws.bridge.service_calls import call
from embedded_aws.resources.network.addresses import sync_tags, tag_specification

_CREATE = (
    "AvailabilityZone",
    "AvailabilityZoneId",
    "Encrypted",
    "Iops",
    "KmsKeyId",
    "MultiAttachEnabled",
    "OutpostArn",
    "Size",
    "SnapshotId",
    "SourceVolumeId",
    "Throughput",
    "VolumeInitializationRate",
    "VolumeType",
)
# EBS changes none of them, and the resource type has no replacement.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html
_FIXED = ("AvailabilityZone", "Encrypted", "KmsKeyId", "SnapshotId")
_MODIFY = ("Size", "VolumeType", "Iops", "Throughput", "MultiAttachEnabled")
_POLICY = (
    "Description",
    "ExecutionRoleArn",
    "PolicyDetails",
    "State",
    "DefaultPolicy",
    "CreateInterval",
    "RetainInterval",
    "CopyTags",
    "ExtendDeletion",
    "CrossRegionCopyTargets",
    "Exclusions",
)


def install() -> None:
    """Register the types of this module."""
    register(
        "AWS::EC2::Volume", create=_create_volume, update=_modify_volume, delete=_delete_volume
    )
    tables.RESOURCE_HANDLERS["AWS::EC2::Volume"]["snapshot"] = _snapshot_volume
    register(
        "AWS::DLM::LifecyclePolicy",
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
    )


def _create_volume(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    settings = {name: properties.get(name) for name in _CREATE}
    tags = tag_specification("volume", properties)
    volume = call("ec2", "CreateVolume", TagSpecifications=tags, **settings)["VolumeId"]
    return volume, {"VolumeId": volume}


def _modify_volume(physical_id: str, old: Properties, new: Properties, _stack_name: str) -> Created:
    for name in _FIXED:
        if str(new.get(name)).lower() != str(old.get(name)).lower():
            raise ValueError(f"Updates are not supported for property {name} of AWS::EC2::Volume.")
    changed = {name: new.get(name) for name in _MODIFY if new.get(name) != old.get(name)}
    if any(value is not None for value in changed.values()):
        call("ec2", "ModifyVolume", VolumeId=physical_id, **changed)
    sync_tags(physical_id, old, new)
    return physical_id, {"VolumeId": physical_id}


def _delete_volume(physical_id: str, _properties: Properties) -> None:
    with ignoring("InvalidVolume.NotFound"):
        call("ec2", "DeleteVolume", VolumeId=physical_id)


def _snapshot_volume(physical_id: str, properties: Properties) -> None:
    """The snapshot that the policy Snapshot leaves of a volume, with its tags."""
    if physical_id in tables.VOLUMES:
        tags = tag_specification("snapshot", properties)
        call("ec2", "CreateSnapshot", VolumeId=physical_id, TagSpecifications=tags)


def _create_policy(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    settings = {name: properties.get(name) for name in _POLICY}
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
    policy = call("dlm", "CreateLifecyclePolicy", Tags=tags or None, **settings)["PolicyId"]
    return policy, _policy_attributes(policy)


def _update_policy(
    physical_id: str, _old: Properties, new: Properties, _stack_name: str
) -> Created:
    changeable = (name for name in _POLICY if name != "DefaultPolicy")
    settings = {name: new.get(name) for name in changeable}
    call("dlm", "UpdateLifecyclePolicy", PolicyId=physical_id, **settings)
    return physical_id, _policy_attributes(physical_id)


def _policy_attributes(policy: str) -> dict[str, str]:
    arn = call("dlm", "GetLifecyclePolicy", PolicyId=policy)["Policy"]["PolicyArn"]
    return {"PolicyId": policy, "Arn": arn}


def _delete_policy(physical_id: str, _properties: Properties) -> None:
    with ignoring("ResourceNotFoundException"):
        call("dlm", "DeleteLifecyclePolicy", PolicyId=physical_id)
