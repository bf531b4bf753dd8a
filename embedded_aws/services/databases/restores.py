"""Restores of an instance by request: from a snapshot, and to a point in time."""

from __future__ import annotations

from datetime import UTC, datetime

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.services.databases import instances
from embedded_aws.services.databases.answers import Answer, Parameters, instance_answer, value
from embedded_aws.services.databases.snapshots import (
    RdsError,
    Record,
    find,
    refuse_less_storage,
    refuse_restore,
)

# Settings of a restored instance that a request can name, under the same names as CloudFormation's.
SETTINGS = (
    "AllocatedStorage",
    "BackupRetentionPeriod",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBName",
    "DBParameterGroupName",
    "DBSubnetGroupName",
    "DeletionProtection",
    "Engine",
    "MaxAllocatedStorage",
    "MultiAZ",
    "PubliclyAccessible",
    "StorageType",
)


def _settings(parameters: Parameters, identifier: str) -> Properties:
    """The properties of an instance that a request names."""
    settings: Properties = {
        name: value(parameters, name) for name in SETTINGS if value(parameters, name)
    }
    groups = functions.rds_list(parameters, "VpcSecurityGroupIds")
    if groups:
        settings["VPCSecurityGroups"] = groups
    return {
        **settings,
        "DBInstanceIdentifier": identifier,
        "Tags": functions.rds_tags(parameters),
    }


def _restored(identifier: str, settings: Properties, origin: Record) -> Record:
    """The record of a restored instance: the settings of the request, and those of its origin for the others."""
    if identifier in tables.DATABASES:
        raise RdsError("DBInstanceAlreadyExists", f"DBInstance {identifier} already exists.")
    group = settings.get("DBSubnetGroupName")
    if group and group not in tables.DATABASE_SUBNET_GROUPS:
        raise RdsError("DBSubnetGroupNotFoundFault", f"DBSubnetGroup {group} not found.", 404)
    complete = {
        "Engine": origin["Engine"],
        "EngineVersion": origin["EngineVersion"],
        "DBInstanceClass": origin["DBInstanceClass"],
        "StorageType": origin["StorageType"],
        **settings,
    }
    return instances.make_record(
        functions.create_database_record.current, identifier, complete, "", origin
    )


def restore_from_snapshot(parameters: Parameters) -> Answer:
    """RestoreDBInstanceFromDBSnapshot. Raises RdsError."""
    identifier = value(parameters, "DBInstanceIdentifier")
    snapshot = find(value(parameters, "DBSnapshotIdentifier"))
    settings = _settings(parameters, identifier)
    refuse_restore(snapshot, settings)
    record = _restored(identifier, settings, snapshot)
    instances.start_from_snapshot(record, snapshot)
    return instance_answer("RestoreDBInstanceFromDBSnapshot", record)


def restore_to_time(parameters: Parameters) -> Answer:
    """RestoreDBInstanceToPointInTime. Raises RdsError."""
    source_id = value(parameters, "SourceDBInstanceIdentifier")
    source: Record | None = tables.DATABASES.get(source_id)
    if source is None:
        raise RdsError("DBInstanceNotFound", f"DBInstance {source_id} not found.", 404)
    if not int(source.get("BackupRetentionPeriod") or 0):
        raise RdsError(
            "PointInTimeRestoreNotEnabled", f"DBInstance {source_id} has no automated backups."
        )
    until = _time_to_restore(parameters, source)
    identifier = value(parameters, "TargetDBInstanceIdentifier")
    settings = _settings(parameters, identifier)
    refuse_less_storage(source, settings)
    record = _restored(identifier, settings, source)
    instances.start(record, "recover", source=source["DBInstanceArn"], until=until)
    return instance_answer("RestoreDBInstanceToPointInTime", record)


def _time_to_restore(parameters: Parameters, source: Record) -> str:
    """The time of the request in PostgreSQL's form, empty for the latest. Raises RdsError.

    "Must be before the latest restorable time", and after the first backup, which follows the creation.
    """
    named = value(parameters, "RestoreTime")
    latest = value(parameters, "UseLatestRestorableTime").lower() == "true"
    if bool(named) == latest:
        raise RdsError(
            "InvalidParameterCombination",
            "Either RestoreTime or UseLatestRestorableTime must be specified.",
        )
    if latest:
        return ""
    wanted, created = (
        datetime.fromisoformat(each) for each in (named, str(source["InstanceCreateTime"]))
    )
    for refused, word in ((wanted > datetime.now(UTC), "later"), (wanted < created, "earlier")):
        if refused:
            raise RdsError(
                "InvalidParameterValue",
                f"The instance {source['DBInstanceIdentifier']} cannot be restored to a time {word} than its"
                f" {'latest' if word == 'later' else 'earliest'} restorable time.",
            )
    return wanted.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")
