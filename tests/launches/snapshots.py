"""Snapshots of database instances that no stack has."""

from __future__ import annotations

from typing import Any

MASTER_USER, DATABASE = "carbon", "carbon_connect"


def keep_snapshot(
    rds: Any,
    name: str,
    *,
    engine: str = "postgres",
    version: str = "",
    storage: int = 50,
    encrypted: bool = True,
    key: str | None = None,
) -> str:
    """A snapshot of an instance that was deleted afterwards; returns its ARN."""
    origin = f"origin-of-{name}"
    version = version or ("16" if engine == "postgres" else "")
    rds.create_db_instance(
        DBInstanceIdentifier=origin,
        DBInstanceClass="db.t4g.medium",
        Engine=engine,
        AllocatedStorage=storage,
        StorageType="gp3",
        StorageEncrypted=encrypted,
        MasterUsername=MASTER_USER,
        MasterUserPassword="of-the-origin",
        DBName=DATABASE,
        **({"KmsKeyId": key} if key else {}),
        **({"EngineVersion": version} if version else {}),
    )
    made = rds.create_db_snapshot(DBInstanceIdentifier=origin, DBSnapshotIdentifier=name)
    rds.delete_db_instance(DBInstanceIdentifier=origin, SkipFinalSnapshot=True)
    arn: str = made["DBSnapshot"]["DBSnapshotArn"]
    return arn
