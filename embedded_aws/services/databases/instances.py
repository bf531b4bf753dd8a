"""AWS::RDS::DBInstance as CloudFormation's handler makes it: new, or from a snapshot with what the snapshot has.

https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds (DBInstance: CreateHandler, Translator): a restore
sends neither StorageEncrypted nor KmsKeyId nor MasterUsername, and the password is set after it.
"""

from __future__ import annotations

from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.registry import Create, Created, Properties, Update
from embedded_aws.services.databases import host
from embedded_aws.services.databases.snapshots import Record, find, refuse_restore

TYPE = "AWS::RDS::DBInstance"
# What a restored instance has from its origin, whatever the template says.
INHERITED = ("Engine", "MasterUsername", "DBName", "StorageEncrypted", "KmsKeyId")


def install() -> None:
    """Put data behind the records of instances, and restore the ones that name a snapshot."""
    handler = tables.RESOURCE_HANDLERS[TYPE]
    handler["create"] = _creating(handler["create"])
    handler["update"] = _updating(handler["update"])
    handler["delete"] = _deleting(handler["delete"])
    handler["snapshot"] = _final_snapshot
    if host.is_connected():
        _leave_the_loop()


def make_record(
    create: Create, logical_id: str, properties: Properties, stack_name: str, origin: Record | None
) -> Record:
    """The record of an instance with its data, new or from a snapshot or an instance; no record where the host fails."""
    physical_id, _ = create(logical_id, properties, stack_name)
    record: Record = tables.DATABASES[physical_id]
    if origin:
        record.update({name: origin.get(name) for name in INHERITED})
        if not properties.get("AllocatedStorage"):
            record["AllocatedStorage"] = origin["AllocatedStorage"]
    return record


def start(record: Record, operation: str, **arguments: Any) -> None:
    """Start the PostgreSQL of an instance, which then has its address. Raises ValueError, and leaves no record."""
    try:
        address = host.ask(operation, instance=record["DBInstanceArn"], **arguments)
    except ValueError:
        del tables.DATABASES[record["DBInstanceIdentifier"]]
        raise
    if address:
        record["Endpoint"].update(Address=address["host"], Port=address["port"])


def start_new(record: Record, password: str) -> None:
    """Start an instance with its master user and an empty database."""
    start(
        record,
        "create",
        user=record["MasterUsername"],
        password=password,
        database=record["DBName"],
    )


def start_from_snapshot(record: Record, snapshot: Record) -> None:
    """Start an instance with what a snapshot has, passwords included."""
    start(
        record,
        "restore",
        snapshot=snapshot["DBSnapshotArn"],
        user=record["MasterUsername"],
        database=record["DBName"],
    )


def set_password(record: Record, password: str) -> None:
    """Set the password of the master user, as a modification of the instance does."""
    host.ask(
        "set_password",
        instance=record["DBInstanceArn"],
        user=record["MasterUsername"],
        password=password,
    )


def _creating(create: Create) -> Create:
    def create_instance(logical_id: str, properties: Properties, stack_name: str) -> Created:
        named = properties.get("DBSnapshotIdentifier")
        origin = find(str(named)) if named else None
        if origin:
            refuse_restore(origin, properties)
        record = make_record(create, logical_id, properties, stack_name, origin)
        password = str(properties.get("MasterUserPassword") or "")
        if origin:
            start_from_snapshot(record, origin)
            if password:
                set_password(record, password)
        else:
            start_new(record, password)
        return record["DBInstanceIdentifier"], _attributes(record)

    return create_instance


def _updating(update: Update) -> Any:
    def update_instance(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str = ""
    ) -> Created:
        if _names_another_snapshot(old, new):
            handler = tables.RESOURCE_HANDLERS[TYPE]
            replaced: Created = functions.create_under_new_name(
                handler["create"], logical_id, new, stack_name
            )
            functions.delete_predecessor(handler["delete"], physical_id, old)
            return replaced
        before = dict(tables.DATABASES.get(physical_id) or {})
        result = update(physical_id, old, new, stack_name, logical_id)  # type: ignore[call-arg]
        record = tables.DATABASES[result[0]]
        if result[0] == physical_id and before:
            if not new.get("AllocatedStorage"):
                # No storage in the template changes none.
                record["AllocatedStorage"] = before["AllocatedStorage"]
            password = new.get("MasterUserPassword")
            if password and password != old.get("MasterUserPassword"):
                set_password(record, str(password))
        return result[0], _attributes(record)

    return update_instance


def _names_another_snapshot(old: Properties, new: Properties) -> bool:
    """Whether the update replaces the instance: another snapshot does, none does not (ImmutabilityHelper)."""
    named = new.get("DBSnapshotIdentifier")
    return bool(named) and named != old.get("DBSnapshotIdentifier")


def _deleting(delete: Any) -> Any:
    def delete_instance(physical_id: str, properties: Properties) -> None:
        record = tables.DATABASES.get(physical_id)
        delete(physical_id, properties)
        if record:
            host.ask("delete", instance=record["DBInstanceArn"])

    return delete_instance


def _final_snapshot(physical_id: str, _properties: Properties) -> None:
    """Take the snapshot of a DeletionPolicy or UpdateReplacePolicy, under a name that no snapshot has."""
    record = tables.DATABASES.get(physical_id)
    if record is None:
        return
    name = first = functions.snapshot_id(physical_id)
    number = 1
    while name in tables.DATABASE_SNAPSHOTS:
        number += 1
        name = f"{first}-{number}"
    functions.create_snapshot_record(name, record)


def _attributes(record: Record) -> dict[str, Any]:
    attributes: dict[str, Any] = functions.database_attributes(record)
    return attributes


def _leave_the_loop() -> None:
    """Create and delete instances on a thread, because a host takes seconds."""
    blocks = functions.runs_on_worker_thread.current
    functions.runs_on_worker_thread.replace(lambda kind: kind == TYPE or blocks(kind))
