"""The parameters of the database, and their rules for prod."""

from __future__ import annotations

from troposphere import Equals, Ref

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import TRUE, Declaration, boolean, number

INSTANCE_CLASS = Declaration(
    name="DatabaseInstanceClass",
    group=groups.DATABASE,
    label="Database instance class",
    description="Size of the database; changing it restarts the database (Multi-AZ: fails over).",
    default="db.t4g.medium",
    pattern=r"db\.[a-z0-9-]+\.[a-z0-9]+",
    message="DatabaseInstanceClass must be an RDS instance class, such as db.t4g.medium.",
)
ALLOCATED_STORAGE = number(
    "DatabaseAllocatedStorage",
    group=groups.DATABASE,
    label="Database storage (GiB)",
    description="Initial storage (gp3). It grows automatically and cannot shrink; RDS accepts an increase of at least 10 %, "
    "up to 10 % below DatabaseMaxAllocatedStorage. Unused while DatabaseSnapshotIdentifier names a snapshot; after that, at least the size of the "
    "restored database.",
    default="50",
    # The bounds of gp3 under PostgreSQL.
    at_least=20,
    at_most=65_536,
)
MAX_ALLOCATED_STORAGE = number(
    "DatabaseMaxAllocatedStorage",
    group=groups.DATABASE,
    label="Database storage at most (GiB)",
    description="Limit of storage autoscaling; at least 10 % above DatabaseAllocatedStorage.",
    default="200",
    at_least=22,
    at_most=65_536,
)
MULTI_AZ = boolean(
    "DatabaseMultiAz",
    group=groups.DATABASE,
    label="Database in two zones",
    description="Keep a standby in another zone; required in prod.",
    default="false",
)
BACKUP_RETENTION_DAYS = number(
    "DatabaseBackupRetentionDays",
    group=groups.DATABASE,
    label="Database backups (days)",
    description="Number of days that RDS keeps automated backups. A lower number deletes older backups.",
    default="7",
    # The bounds of RDS, without 0, which turns backups off.
    at_least=1,
    at_most=35,
)
DELETION_PROTECTION = boolean(
    "DatabaseDeletionProtection",
    group=groups.DATABASE,
    label="Database deletion protection",
    description="Refuse to delete the database, also when an update replaces it, and the stack; required in prod. Set Decommission before you delete the environment.",
    default="false",
)
NAME = Declaration(
    name="DatabaseName",
    group=groups.DATABASE,
    label="Database name",
    description="Name of the database inside PostgreSQL. A change REPLACES the instance with an empty one; a final snapshot of the old one stays or, with deletion protection, the instance itself.",
    default="carbon_connect",
    # Names of databases that PostgreSQL and RDS create.
    pattern=r"(?!(postgres|rdsadmin|template[01])$)[a-z][a-z0-9_]{0,62}",
    message="DatabaseName must be 1 to 63 lower-case letters, digits and underscores, beginning with a letter; "
    "postgres, rdsadmin, template0 and template1 are taken.",
)
# The value for a database that an earlier update restored: the template then refers to no snapshot.
RESTORED = "restored"
SNAPSHOT_IDENTIFIER = Declaration(
    name="DatabaseSnapshotIdentifier",
    group=groups.DATABASE,
    label="Database snapshot",
    description="Name or ARN of an encrypted snapshot to restore; empty for none. After the restore, keep it or set "
    f"{RESTORED}: both keep the database. Another snapshot or an empty value REPLACES the database.",
    default="",
    pattern=r"((arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:snapshot:)?((rds|awsbackup):)?[A-Za-z](-?[A-Za-z0-9])*)?",
    message="DatabaseSnapshotIdentifier must be empty, the name or ARN of an RDS snapshot of a database instance, or "
    f"{RESTORED}.",
)


def require_resilient_database_in_prod(layer: Layer) -> None:
    """Rules: a prod database has a standby and deletion protection."""
    for name, declaration in (
        ("ProdDatabaseIsMultiAz", MULTI_AZ),
        ("ProdDatabaseIsProtected", DELETION_PROTECTION),
    ):
        layer.require_in_prod(
            name,
            declaration,
            holds=Equals(Ref(declaration.name), TRUE),
            message=f"{declaration.name} must be {TRUE} when Environment is prod.",
        )
