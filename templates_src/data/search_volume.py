"""The volume of the search index, which is retained, and its daily snapshots."""

from __future__ import annotations

from typing import Any

from awacs import ec2 as ec2_actions
from awacs.aws import Allow, Condition, Statement, StringEquals
from troposphere import AccountId, Equals, GetAtt, If, Ref, Sub, Tags
from troposphere.dlm import CreateRule, LifecyclePolicy, PolicyDetails, RetainRule, Schedule
from troposphere.ec2 import Volume
from troposphere.iam import Policy, Role

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, number
from templates_src.core.parameters.shared import ENVIRONMENT, PROJECT, named
from templates_src.core.parameters.wiring.network import FIRST_PRIVATE_SUBNET_ZONE
from templates_src.core.parameters.wiring.security import KEY_ARN

# The policy has only this tag: Data Lifecycle Manager selects a volume that has any of the tags in a policy.
SNAPSHOT_TAG = "Snapshots"
SNAPSHOTS_KEPT = 7
# UTC, after the backup of the database.
SNAPSHOT_TIME = "02:30"

# The zone is a parameter here, but text once an environment is rendered.
ZONE_IS_A_PARAMETER = {
    "cfn-lint": {"config": {"ignore_checks": ["W3010"]}},
    "Reason": "The zone is a parameter: the rule mistakes its value for a fixed one.",
}

VOLUME_SIZE = number(
    "SearchVolumeGb",
    group=groups.SEARCH,
    label="Search volume (GiB)",
    description="Size of the volume of the search index (gp3): twice the index, for upgrades. It cannot shrink.",
    default="20",
    at_least=4,
    at_most=16_384,
)
SNAPSHOT_ID = Declaration(
    name="SearchSnapshotId",
    group=groups.SEARCH,
    label="Search snapshot",
    description="EBS snapshot to restore the search index from; empty for none. Keep it in later updates. Setting it starts "
    "from the snapshot, an empty value from an empty index: the old volume stays, outside the stack, and search is unavailable "
    "meanwhile. EC2 refuses a change to another snapshot: clear it first.",
    default="",
    pattern="(snap-([0-9a-f]{8}|[0-9a-f]{17}))?",
    message="SearchSnapshotId must be empty or the id of an EBS snapshot, such as snap-0123456789abcdef0.",
)


def add_search_volume(layer: Layer) -> None:
    """The volume, empty or from a snapshot, its daily snapshots, and the output SearchVolumeId.

    The empty and the restored volume are separate resources, because CloudFormation cannot update the snapshot or the
    zone of a volume: a snapshot in a running environment creates a second volume.
    """
    restored = layer.has(SNAPSHOT_ID)
    empty = layer.condition("UseEmptySearchVolume", Equals(layer.parameter(SNAPSHOT_ID), ""))
    volumes = [
        add_volume(layer, "SearchVolume", empty),
        add_volume(
            layer, "RestoredSearchVolume", restored, SnapshotId=layer.parameter(SNAPSHOT_ID)
        ),
    ]
    add_snapshots(layer, restored, volumes)
    layer.output(
        "SearchVolumeId",
        If(restored, Ref(volumes[1]), Ref(volumes[0])),
        "Volume of the search index",
    )


def add_volume(layer: Layer, title: str, condition: str, **origin: Any) -> Volume:
    """An encrypted gp3 volume in the zone of the search server's subnet; retained."""
    return layer.add(
        Volume(
            title,
            Condition=condition,
            # After a failed creation there is no data to keep.
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
            Metadata=ZONE_IS_A_PARAMETER,
            AvailabilityZone=layer.parameter(FIRST_PRIVATE_SUBNET_ZONE),
            VolumeType="gp3",
            Size=layer.parameter(VOLUME_SIZE),
            Encrypted=True,
            KmsKeyId=layer.parameter(KEY_ARN),
            Tags=Tags(**layer.tags(Name=named("-search"), **{SNAPSHOT_TAG: snapshot_tag(title)})),
            **origin,
        )
    )


def snapshot_tag(title: str) -> Sub:
    """Value of the tag that selects the volume for snapshots.

    It names the stack and the resource, so that the policy no longer selects a volume that was retained.
    """
    return Sub(f"${{AWS::StackName}}/{title}")


def add_snapshots(layer: Layer, restored: str, volumes: list[Volume]) -> None:
    """A snapshot a day of the volume in use, the last seven kept."""
    empty_volume, restored_volume = volumes
    role = add_snapshot_role(layer)
    tag = If(restored, snapshot_tag(restored_volume.title), snapshot_tag(empty_volume.title))
    layer.add(
        LifecyclePolicy(
            "SearchSnapshots",
            Description="Daily snapshots of the search volume",
            State="ENABLED",
            ExecutionRoleArn=GetAtt(role, "Arn"),
            PolicyDetails=PolicyDetails(
                PolicyType="EBS_SNAPSHOT_MANAGEMENT",
                ResourceTypes=["VOLUME"],
                TargetTags=Tags(**{SNAPSHOT_TAG: tag}),
                Schedules=[
                    Schedule(
                        Name="Daily",
                        CreateRule=CreateRule(
                            Interval=24, IntervalUnit="HOURS", Times=[SNAPSHOT_TIME]
                        ),
                        RetainRule=RetainRule(Count=SNAPSHOTS_KEPT),
                        # The role can delete snapshots that have the tags of the environment.
                        CopyTags=True,
                    )
                ],
            ),
        )
    )


def add_snapshot_role(layer: Layer) -> Role:
    """Role that Data Lifecycle Manager uses to create, tag and delete the snapshots.

    https://docs.aws.amazon.com/ebs/latest/userguide/dlm-prerequisites.html
    """
    return layer.add(
        Role(
            "SearchSnapshotRole",
            AssumeRolePolicyDocument=iam.trusted_service(
                "dlm.amazonaws.com",
                condition=Condition(StringEquals({"aws:SourceAccount": AccountId})),
            ),
            Policies=[
                Policy(
                    PolicyName="snapshot-search-volume",
                    PolicyDocument=iam.document(
                        find(),
                        snapshot_volume(),
                        make_snapshot(),
                        expire(),
                        *iam.use_key_for_volumes(layer.parameter(KEY_ARN)),
                    ),
                )
            ],
            **layer.role_properties(),
        )
    )


def find() -> Statement:
    """Find volumes by their tags, and their snapshots."""
    return Statement(
        Sid="FindVolumesAndSnapshots",
        Effect=Allow,
        Action=[ec2_actions.DescribeVolumes, ec2_actions.DescribeSnapshots],
        # Both actions list, and have no resource type.
        Resource=["*"],
    )


def snapshot_volume() -> Statement:
    """Read the volumes of the environment, which this layer creates."""
    return Statement(
        Sid="SnapshotVolumesOfThisEnvironment",
        Effect=Allow,
        Action=[ec2_actions.CreateSnapshot],
        # By its tags, because either of the two volumes can be in use.
        Resource=[Sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:volume/*")],
        Condition=of_this_environment(),
    )


def make_snapshot() -> Statement:
    """Create and tag a snapshot, which has no name and, before it exists, no tags."""
    return Statement(
        Sid="MakeAndTagSnapshots",
        Effect=Allow,
        Action=[ec2_actions.CreateSnapshot, ec2_actions.CreateTags],
        Resource=[snapshots()],
    )


def expire() -> Statement:
    """Delete snapshots of this environment's volumes, which have the tags of the volumes."""
    return Statement(
        Sid="ExpireSnapshotsOfThisEnvironment",
        Effect=Allow,
        Action=[ec2_actions.DeleteSnapshot],
        Resource=[snapshots()],
        Condition=of_this_environment(),
    )


def snapshots() -> Sub:
    """Every snapshot; EC2 writes their ARN without an account."""
    return Sub("arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*")


def of_this_environment() -> Condition:
    """The condition that a resource has the tags of this environment."""
    return Condition(
        StringEquals(
            {
                f"aws:ResourceTag/{declaration.name}": Ref(declaration.name)
                for declaration in (PROJECT, ENVIRONMENT)
            }
        )
    )
