"""RDS requests that ministack lacks or answers without the data: snapshots, restores, shares, deletions.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.services.databases import host, instances
from embedded_aws.services.databases.snapshots import (
    SHARED_WITH,
    RdsError,
    Record,
    find,
    refuse_less_storage,
    refuse_restore,
)

Parameters = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Action = Callable[[Parameters], Answer]
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


def install() -> None:
    """Add the actions, and put data behind the ones that ministack has."""
    actions = tables.RDS_ACTIONS
    added: dict[str, Action] = {
        "CopyDBSnapshot": _copy_snapshot,
        "DescribeDBSnapshotAttributes": _describe_attributes,
        "ModifyDBSnapshotAttribute": _modify_attributes,
        "RestoreDBInstanceFromDBSnapshot": _restore_from_snapshot,
        "RestoreDBInstanceToPointInTime": _restore_to_time,
    }
    for name, action in added.items():
        actions[name] = _answering(action)
    actions["CreateDBInstance"] = _answering(_creating(actions["CreateDBInstance"]))
    actions["CreateDBSnapshot"] = _answering(actions["CreateDBSnapshot"])
    actions["DeleteDBInstance"] = _answering(_deleting(actions["DeleteDBInstance"]))
    actions["DeleteDBSnapshot"] = _deleting_snapshot(actions["DeleteDBSnapshot"])
    actions["DescribeDBInstances"] = _describing(actions["DescribeDBInstances"])
    actions["DescribeDBSnapshots"] = _answering(_finding(actions["DescribeDBSnapshots"]))
    functions.change_master_password.replace(_change_password)


def _answering(action: Action) -> Action:
    """Answer what RDS refuses as it does."""

    def answer(parameters: Parameters) -> Answer:
        try:
            return action(parameters)
        except RdsError as error:
            refused: Answer = functions.rds_error(error.code, error.message, error.status)
            return refused

    return answer


def _value(parameters: Parameters, name: str) -> str:
    value: str = functions.rds_value(parameters, name)
    return value


def _settings(parameters: Parameters, identifier: str) -> Properties:
    """The properties of an instance that a request names."""
    settings: Properties = {
        name: _value(parameters, name) for name in SETTINGS if _value(parameters, name)
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
    """The record of an instance that is restored by a request, with the settings of its origin where none are named."""
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


def _restore_from_snapshot(parameters: Parameters) -> Answer:
    identifier = _value(parameters, "DBInstanceIdentifier")
    snapshot = find(_value(parameters, "DBSnapshotIdentifier"))
    settings = _settings(parameters, identifier)
    refuse_restore(snapshot, settings)
    record = _restored(identifier, settings, snapshot)
    instances.start_from_snapshot(record, snapshot)
    return _instance_answer("RestoreDBInstanceFromDBSnapshot", record)


def _restore_to_time(parameters: Parameters) -> Answer:
    source_id = _value(parameters, "SourceDBInstanceIdentifier")
    source: Record | None = tables.DATABASES.get(source_id)
    if source is None:
        raise RdsError("DBInstanceNotFound", f"DBInstance {source_id} not found.", 404)
    if not int(source.get("BackupRetentionPeriod") or 0):
        raise RdsError(
            "PointInTimeRestoreNotEnabled", f"DBInstance {source_id} has no automated backups."
        )
    until = _time_to_restore(parameters, source)
    identifier = _value(parameters, "TargetDBInstanceIdentifier")
    settings = _settings(parameters, identifier)
    refuse_less_storage(source, settings)
    record = _restored(identifier, settings, source)
    instances.start(record, "recover", source=source["DBInstanceArn"], until=until)
    return _instance_answer("RestoreDBInstanceToPointInTime", record)


def _time_to_restore(parameters: Parameters, source: Record) -> str:
    """The time of the request in PostgreSQL's form, empty for the latest. Raises RdsError.

    "Must be before the latest restorable time", and after the first backup, which follows the creation.
    """
    named = _value(parameters, "RestoreTime")
    latest = _value(parameters, "UseLatestRestorableTime").lower() == "true"
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


def _copy_snapshot(parameters: Parameters) -> Answer:
    """A copy has the key that the request names; without one, it has that of its source.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html
    """
    source = find(_value(parameters, "SourceDBSnapshotIdentifier"))
    target = _value(parameters, "TargetDBSnapshotIdentifier")
    if target in tables.DATABASE_SNAPSHOTS:
        raise RdsError("DBSnapshotAlreadyExists", f"Snapshot {target} already exists.")
    key = _value(parameters, "KmsKeyId")
    foreign = source["DBSnapshotArn"].split(":")[4] != get_account_id()
    if foreign and source["Encrypted"] and not key:
        raise RdsError(
            "InvalidParameterCombination",
            "KmsKeyId must be specified to copy an encrypted snapshot that another account shares.",
        )
    copy = {
        **source,
        "DBSnapshotIdentifier": target,
        "DBSnapshotArn": f"arn:aws:rds:{get_region()}:{get_account_id()}:snapshot:{target}",
        "SnapshotType": "manual",
        "SnapshotCreateTime": functions.rds_time(time.time()),
        "TagList": functions.rds_tags(parameters),
        SHARED_WITH: [],
    }
    if key:
        copy.update(KmsKeyId=key, Encrypted=True, StorageEncrypted=True)
    host.ask("copy_snapshot", source=source["DBSnapshotArn"], snapshot=copy["DBSnapshotArn"])
    tables.DATABASE_SNAPSHOTS[target] = copy
    return _answer("CopyDBSnapshot", f"<DBSnapshot>{functions.snapshot_xml(copy)}</DBSnapshot>")


def _modify_attributes(parameters: Parameters) -> Answer:
    snapshot = find(_value(parameters, "DBSnapshotIdentifier"))
    shared = set(snapshot.get(SHARED_WITH) or [])
    shared |= set(functions.rds_list(parameters, "ValuesToAdd"))
    shared -= set(functions.rds_list(parameters, "ValuesToRemove"))
    if "all" in shared and snapshot["Encrypted"]:
        raise RdsError(
            "InvalidParameterCombination", "An encrypted snapshot cannot be shared as public."
        )
    snapshot[SHARED_WITH] = sorted(shared)
    return _attributes_answer("ModifyDBSnapshotAttribute", snapshot)


def _describe_attributes(parameters: Parameters) -> Answer:
    snapshot = find(_value(parameters, "DBSnapshotIdentifier"))
    return _attributes_answer("DescribeDBSnapshotAttributes", snapshot)


def _attributes_answer(action: str, snapshot: Record) -> Answer:
    values = "".join(
        f"<AttributeValue>{account}</AttributeValue>" for account in snapshot.get(SHARED_WITH) or []
    )
    return _answer(
        action,
        "<DBSnapshotAttributesResult>"
        f"<DBSnapshotIdentifier>{snapshot['DBSnapshotIdentifier']}</DBSnapshotIdentifier>"
        "<DBSnapshotAttributes><DBSnapshotAttribute><AttributeName>restore</AttributeName>"
        f"<AttributeValues>{values}</AttributeValues></DBSnapshotAttribute></DBSnapshotAttributes>"
        "</DBSnapshotAttributesResult>",
    )


def _creating(create: Action) -> Action:
    def create_instance(parameters: Parameters) -> Answer:
        answer = create(parameters)
        if answer[0] == 200:
            record = tables.DATABASES[_value(parameters, "DBInstanceIdentifier")]
            password = _value(parameters, "MasterUserPassword")
            instances.start_new(record, password)
        return answer

    return create_instance


def _deleting(delete: Action) -> Action:
    def delete_instance(parameters: Parameters) -> Answer:
        record = tables.DATABASES.get(_value(parameters, "DBInstanceIdentifier"))
        skipped = _value(parameters, "SkipFinalSnapshot").lower() == "true"
        if record and not skipped and not _value(parameters, "FinalDBSnapshotIdentifier"):
            # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
            raise RdsError(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            )
        answer = delete(parameters)
        if record and answer[0] == 200:
            host.ask("delete", instance=record["DBInstanceArn"])
        return answer

    return delete_instance


def _deleting_snapshot(delete: Action) -> Action:
    def delete_snapshot(parameters: Parameters) -> Answer:
        record = tables.DATABASE_SNAPSHOTS.get(_value(parameters, "DBSnapshotIdentifier"))
        answer = delete(parameters)
        if record:
            host.ask("delete_snapshot", snapshot=record["DBSnapshotArn"])
        return answer

    return delete_snapshot


def _describing(describe: Action) -> Action:
    """Every instance can be restored to any time until now; on AWS, until about five minutes ago."""

    def describe_instances(parameters: Parameters) -> Answer:
        for record in tables.DATABASES.values():
            record["LatestRestorableTime"] = functions.rds_time(time.time())
        return describe(parameters)

    return describe_instances


def _finding(describe: Action) -> Action:
    """Find a snapshot by its ARN too, and one that another account shares."""

    def describe_snapshots(parameters: Parameters) -> Answer:
        identifier = _value(parameters, "DBSnapshotIdentifier")
        if not identifier.startswith("arn:"):
            return describe(parameters)
        found = functions.snapshot_xml(find(identifier))
        return _answer(
            "DescribeDBSnapshots", f"<DBSnapshots><DBSnapshot>{found}</DBSnapshot></DBSnapshots>"
        )

    return describe_snapshots


def _change_password(instance: Record, _old: str, new: str) -> None:
    instances.set_password(instance, new)


def _instance_answer(action: str, record: Record) -> Answer:
    answer: Answer = functions.database_answer(f"{action}Response", f"{action}Result", record)
    return answer


def _answer(action: str, content: str) -> Answer:
    answer: Answer = functions.rds_answer(
        200, f"{action}Response", f"<{action}Result>{content}</{action}Result>"
    )
    return answer
