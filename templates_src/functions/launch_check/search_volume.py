"""The volume of the search server, which can only grow, and the snapshot that it is restored from. If a call is
denied, the launch continues: EC2 refuses a snapshot that does not exist or is larger than the volume, and
CloudFormation rolls back. The index can be built again from the database.

https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html
"""

import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .launch import Launch

LOGGER = logging.getLogger(__name__)
SIZE, SNAPSHOT = "SearchVolumeGb", "SearchSnapshotId"


def volume_grows(launch: Launch) -> str | None:
    """An existing volume does not shrink."""
    if launch.creates or launch.changed(SNAPSHOT) or not launch.changed(SIZE):
        return None
    if SIZE not in launch.in_force:
        return None
    return refuse_size(int(launch.in_force[SIZE]), int(launch.values[SIZE]))


def refuse_size(before: int, wanted: int) -> str | None:
    """The sentence for a volume, in GiB, that would shrink, or None."""
    if wanted >= before:
        return None
    return f"{SIZE} cannot change from {before} to {wanted}, because a volume does not shrink; keep {before} or set more."


def snapshot_stays(launch: Launch) -> str | None:
    """A snapshot cannot replace another one, because a volume cannot change its snapshot."""
    return refuse_other_snapshot(launch.in_force.get(SNAPSHOT, ""), launch.values.get(SNAPSHOT, ""))


def refuse_other_snapshot(before: str, wanted: str) -> str | None:
    """The sentence for another snapshot, or None."""
    if not before or not wanted or before == wanted:
        return None
    return (
        f"{SNAPSHOT} is {before} and cannot become {wanted}, because a volume keeps the snapshot that it was created from;"
        f" empty {SNAPSHOT} first, and name {wanted} in the next update."
    )


def snapshot_fits(launch: Launch) -> str | None:
    """A snapshot that the launch or update restores from exists and fits the volume."""
    named = launch.values.get(SNAPSHOT, "")
    if not named or not (launch.creates or launch.changed(SNAPSHOT)):
        return None
    try:
        found = launch.clients("ec2").describe_snapshots(SnapshotIds=[named])["Snapshots"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "InvalidSnapshot.NotFound":
            return missing(named)
        LOGGER.warning("the snapshot of the search volume cannot be read: %s", code)
        return None
    except BotoCoreError as error:
        LOGGER.warning("the snapshot of the search volume cannot be read: %s", error)
        return None
    return (
        refuse_snapshot(named, found[0], launch.values.get(SIZE, "")) if found else missing(named)
    )


def refuse_snapshot(named: str, snapshot: dict[str, Any], size: str) -> str | None:
    """The sentence for a snapshot that is not complete or does not fit, or None."""
    state = snapshot.get("State", "completed")
    if state != "completed":
        return f"{SNAPSHOT} {named} is {state}; launch again when it is completed."
    needed = int(snapshot.get("VolumeSize") or 0)
    if size and int(size) < needed:
        return f"{SIZE} ({size}) is less than the {needed} GiB of {SNAPSHOT} {named}; set at least {needed}."
    return None


def missing(named: str) -> str:
    """The sentence for a snapshot that does not exist."""
    return f"{SNAPSHOT} {named} does not exist in this region; `aws ec2 describe-snapshots --owner-ids self` lists the existing snapshots."
