"""RDS requests that ministack lacks or answers without the data: snapshots, shares, creations, deletions.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import time

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.services.databases import host, instances
from embedded_aws.services.databases.answers import Action, Answer, Parameters, action_answer, value
from embedded_aws.services.databases.restores import restore_from_snapshot, restore_to_time
from embedded_aws.services.databases.snapshots import (
    SHARED_WITH,
    RdsError,
    Record,
    find,
)


def install() -> None:
    """Add the actions, and put data behind the ones that ministack has."""
    actions = tables.RDS_ACTIONS
    added: dict[str, Action] = {
        "CopyDBSnapshot": _copy_snapshot,
        "DescribeDBSnapshotAttributes": _describe_attributes,
        "ModifyDBSnapshotAttribute": _modify_attributes,
        "RestoreDBInstanceFromDBSnapshot": restore_from_snapshot,
        "RestoreDBInstanceToPointInTime": restore_to_time,
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


def _copy_snapshot(parameters: Parameters) -> Answer:
    """A copy has the key that the request names; without one, it has that of its source.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html
    """
    source = find(value(parameters, "SourceDBSnapshotIdentifier"))
    target = value(parameters, "TargetDBSnapshotIdentifier")
    if target in tables.DATABASE_SNAPSHOTS:
        raise RdsError("DBSnapshotAlreadyExists", f"Snapshot {target} already exists.")
    key = value(parameters, "KmsKeyId")
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
    return action_answer(
        "CopyDBSnapshot", f"<DBSnapshot>{functions.snapshot_xml(copy)}</DBSnapshot>"
    )


def _modify_attributes(parameters: Parameters) -> Answer:
    snapshot = find(value(parameters, "DBSnapshotIdentifier"))
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
    snapshot = find(value(parameters, "DBSnapshotIdentifier"))
    return _attributes_answer("DescribeDBSnapshotAttributes", snapshot)


def _attributes_answer(action: str, snapshot: Record) -> Answer:
    values = "".join(
        f"<AttributeValue>{account}</AttributeValue>" for account in snapshot.get(SHARED_WITH) or []
    )
    return action_answer(
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
            record = tables.DATABASES[value(parameters, "DBInstanceIdentifier")]
            password = value(parameters, "MasterUserPassword")
            instances.start_new(record, password)
        return answer

    return create_instance


def _deleting(delete: Action) -> Action:
    def delete_instance(parameters: Parameters) -> Answer:
        record = tables.DATABASES.get(value(parameters, "DBInstanceIdentifier"))
        skipped = value(parameters, "SkipFinalSnapshot").lower() == "true"
        if record and not skipped and not value(parameters, "FinalDBSnapshotIdentifier"):
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
        record = tables.DATABASE_SNAPSHOTS.get(value(parameters, "DBSnapshotIdentifier"))
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
        identifier = value(parameters, "DBSnapshotIdentifier")
        if not identifier.startswith("arn:"):
            return describe(parameters)
        found = functions.snapshot_xml(find(identifier))
        return action_answer(
            "DescribeDBSnapshots", f"<DBSnapshots><DBSnapshot>{found}</DBSnapshot></DBSnapshots>"
        )

    return describe_snapshots


def _change_password(instance: Record, _old: str, new: str) -> None:
    instances.set_password(instance, new)
