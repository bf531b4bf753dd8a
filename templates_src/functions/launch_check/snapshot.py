"""The snapshot that a database is restored from.

The check refuses a snapshot that it cannot read: CloudFormation would restore an unencrypted one without an error,
and an unencrypted database cannot be encrypted later. The check reads the snapshot only in the launch or update that
names it.
"""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .launch import Launch

LOGGER = logging.getLogger(__name__)
SNAPSHOT, CEILING = "DatabaseSnapshotIdentifier", "DatabaseMaxAllocatedStorage"
RESTORED = "restored"
"""The value of a database that was restored by an earlier update."""

ENGINE, MAJOR_VERSION, MASTER_USER = "postgres", "16", "carbon"
"""Those of the template: the stack signs in as this master user. tests/functions/test_launch_check.py compares them."""


def names_snapshot(values: Mapping[str, str]) -> bool:
    """Whether these values restore from a snapshot."""
    return values.get(SNAPSHOT, "") not in ("", RESTORED)


def snapshot_fits(launch: Launch) -> str | None:
    """A snapshot that the launch or update restores from exists here, is encrypted and fits the database of this template."""
    if not names_snapshot(launch.values) or not (launch.creates or launch.changed(SNAPSHOT)):
        return None
    named = launch.values[SNAPSHOT]
    _, _, _, region, account, *_ = launch.stack_id.split(":")
    if refusal := refuse_place(named, region, account):
        return refusal
    try:
        found = launch.clients("rds").describe_db_snapshots(DBSnapshotIdentifier=named)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code.startswith("DBSnapshotNotFound"):
            return missing(named, region)
        return unreadable(named, code) if launch.must_read else None
    except BotoCoreError as error:
        return unreadable(named, type(error).__name__) if launch.must_read else None
    if not found["DBSnapshots"]:
        return missing(named, region)
    snapshot = found["DBSnapshots"][0]
    return (
        refuse_snapshot(named, snapshot)
        or refuse_size(named, snapshot, launch.values.get(CEILING, ""))
        or refuse_key(named, snapshot, key_state(launch, snapshot))
    )


def refuse_place(named: str, region: str, account: str) -> str | None:
    """The sentence for the ARN of a snapshot in another region or account, or None.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html
    """
    if not named.startswith("arn:"):
        return None
    parts = named.split(":")
    if parts[3] != region:
        return (
            f"{SNAPSHOT} names a snapshot in {parts[3]}, but the environment is in {region};"
            f" copy it with `aws rds copy-db-snapshot --region {region} --source-region {parts[3]} --kms-key-id KEY`,"
            " KEY in this region, and name the copy."
        )
    if parts[4] != account:
        return (
            f"{SNAPSHOT} names a snapshot of account {parts[4]}, whose key this account {account} cannot keep;"
            " copy it with `aws rds copy-db-snapshot --kms-key-id KEY`, KEY of this account, and name the copy."
        )
    return None


def refuse_snapshot(named: str, snapshot: Mapping[str, Any]) -> str | None:
    """The sentence for a snapshot that the template cannot restore, or None."""
    engine, version = snapshot.get("Engine", ""), str(snapshot.get("EngineVersion", ""))
    if engine != ENGINE or version.partition(".")[0] != MAJOR_VERSION:
        return (
            f"{SNAPSHOT} {named} is of {engine} {version}, but the database is {ENGINE} {MAJOR_VERSION};"
            " name a snapshot of that version, or upgrade a copy of its database first."
        )
    if not snapshot.get("Encrypted"):
        return (
            f"{SNAPSHOT} {named} is not encrypted, and the database would not be either;"
            " copy it with `aws rds copy-db-snapshot --kms-key-id KEY` and name the copy."
        )
    if snapshot.get("Status", "available") != "available":
        return f"{SNAPSHOT} {named} is {snapshot['Status']}; launch again when it is available."
    user = snapshot.get("MasterUsername", MASTER_USER)
    if user != MASTER_USER:
        return (
            f"{SNAPSHOT} {named} has the master user {user}, but the environment signs in as {MASTER_USER};"
            f" name a snapshot of a database whose master user is {MASTER_USER}."
        )
    return None


def refuse_size(named: str, snapshot: Mapping[str, Any], ceiling: str) -> str | None:
    """The sentence for a snapshot that is too large for the limit of storage autoscaling, or None."""
    size = int(snapshot.get("AllocatedStorage") or 0)
    least = tenth_above(size)
    if not ceiling or int(ceiling) >= least:
        return None
    return (
        f"{SNAPSHOT} {named} has {size} GiB, and {CEILING} ({ceiling}) must be at least 10 % above that;"
        f" set it to at least {least}."
    )


def tenth_above(gib: int) -> int:
    """The smallest whole number that is at least 10 % higher."""
    return -(-gib * 11 // 10)


def key_state(launch: Launch, snapshot: Mapping[str, Any]) -> str:
    """The state of the key of a snapshot; empty if it cannot be read: RDS refuses a key that it cannot use."""
    if not snapshot.get("KmsKeyId"):
        return ""
    try:
        found = launch.clients("kms").describe_key(KeyId=snapshot["KmsKeyId"])
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the key of the snapshot cannot be read: %s", error)
        return ""
    state: str = found["KeyMetadata"]["KeyState"]
    return state


def refuse_key(named: str, snapshot: Mapping[str, Any], state: str) -> str | None:
    """The sentence for a key that is not enabled, or None."""
    if state in ("", "Enabled"):
        return None
    ways = {
        "PendingDeletion": "run `aws kms cancel-key-deletion` and `aws kms enable-key` on it",
        "Disabled": "run `aws kms enable-key` on it",
    }
    return (
        f"{SNAPSHOT} {named} is encrypted with key {snapshot.get('KmsKeyId')}, which is {state};"
        f" {ways.get(state, 'make the key usable')} and launch again."
    )


def missing(named: str, region: str) -> str:
    """The sentence for a snapshot that does not exist."""
    return (
        f"{SNAPSHOT} {named} does not exist in {region};"
        " `aws rds describe-db-snapshots` lists the existing snapshots."
    )


def unreadable(named: str, reason: str) -> str:
    """The sentence for a snapshot that cannot be read."""
    return (
        f"{SNAPSHOT} {named} cannot be checked ({reason}), so it may be unencrypted and is not restored;"
        " allow rds:DescribeDBSnapshots on it and launch again."
    )
