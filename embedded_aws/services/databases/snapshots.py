"""Snapshots of database instances: who can restore one, and what RDS refuses.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RestoreDBInstanceFromDBSnapshot.html
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.errors import ServiceCallError
from embedded_aws.services.databases import host

Record = dict[str, Any]

# Accounts that a snapshot is shared with; ministack has no such field.
SHARED_WITH = "_SharedWith"
EVERY_ACCOUNT = "all"


class RdsError(ServiceCallError):
    """RDS refuses a request; ``status`` is the HTTP status of the answer."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__("Rds", code, message)
        self.message, self.status = message, status


def install() -> None:
    """Copy the data of an instance whenever ministack makes the record of a snapshot."""
    create = functions.create_snapshot_record.current

    def create_with_data(identifier: str, instance: Record) -> Record:
        if identifier in tables.DATABASE_SNAPSHOTS:
            raise RdsError("DBSnapshotAlreadyExists", f"Snapshot {identifier} already exists.")
        record: Record = create(identifier, instance)
        record["TagList"] = list(instance.get("TagList") or [])
        try:
            host.ask(
                "snapshot", instance=instance["DBInstanceArn"], snapshot=record["DBSnapshotArn"]
            )
        except ValueError:
            del tables.DATABASE_SNAPSHOTS[identifier]
            raise
        return record

    functions.create_snapshot_record.replace(create_with_data)


def find(identifier: str) -> Record:
    """The snapshot of a name or an ARN, of this account or shared with it. Raises RdsError."""
    missing = RdsError("DBSnapshotNotFound", f"DBSnapshot {identifier} not found.", 404)
    if not identifier.startswith("arn:"):
        record: Record | None = tables.DATABASE_SNAPSHOTS.get(identifier)
        if record is None:
            raise missing
        return record
    region, account, kind, name = (identifier.split(":", 6) + [""] * 4)[3:7]
    if region != get_region() or kind != "snapshot":
        raise missing
    if account == get_account_id():
        record = tables.DATABASE_SNAPSHOTS.get(name)
    else:
        record = tables.DATABASE_SNAPSHOTS.scoped(account, region, name)
        shared = (record or {}).get(SHARED_WITH) or []
        if not {EVERY_ACCOUNT, get_account_id()} & set(shared):
            record = None
    if record is None:
        raise missing
    return record


def refuse_restore(snapshot: Record, properties: Properties) -> None:
    """Raise RdsError where RDS does not restore the snapshot with these properties of an instance."""
    _refuse_foreign_key(snapshot)
    engine = str(snapshot["Engine"])
    if properties.get("Engine") not in (None, engine):
        # "Must be compatible with the engine of the source" (Engine).
        raise RdsError(
            "InvalidParameterValue",
            f"The engine {properties['Engine']} is not compatible with the engine {engine} of the snapshot"
            f" {snapshot['DBSnapshotIdentifier']}.",
        )
    if properties.get("DBName") and engine == "postgres":
        # "It doesn't apply to the other engines" than Oracle and SQL Server (DBName).
        raise RdsError(
            "InvalidParameterCombination", "DBName must be null when Restoring for this Engine."
        )
    refuse_less_storage(snapshot, properties)


def refuse_less_storage(origin: Record, properties: Properties) -> None:
    """RDS restores no database into less storage than it had, and wants 10 % of room below the ceiling.

    The sentence as in https://github.com/ministryofjustice/cloud-platform-user-guide/pull/1911
    """
    has = int(origin["AllocatedStorage"])
    wanted = int(properties.get("AllocatedStorage") or has)
    if wanted < has:
        raise RdsError(
            "InvalidParameterCombination",
            f"Invalid storage size for engine name {origin['Engine']} and storage type"
            f" {properties.get('StorageType') or origin.get('StorageType')}: {wanted}",
        )
    ceiling = int(properties.get("MaxAllocatedStorage") or 0)
    if ceiling and ceiling * 10 < wanted * 11:
        # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
        raise RdsError(
            "InvalidParameterCombination",
            "The maximum allocated storage must be increased by at least 10 percent.",
        )


def _refuse_foreign_key(snapshot: Record) -> None:
    """An encrypted snapshot that another account shares can be copied only; the copy is under a key of this account.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/share-encrypted-snapshot.html
    """
    owner = snapshot["DBSnapshotArn"].split(":")[4]
    if snapshot.get("Encrypted") and owner != get_account_id():
        raise RdsError(
            "InvalidParameterCombination",
            f"The encrypted snapshot {snapshot['DBSnapshotArn']} is shared by another account:"
            " copy it under a key of this account, and restore the copy.",
        )
