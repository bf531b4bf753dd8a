"""PostgreSQL 16 on RDS, in the data subnets, and its connection URL."""

from __future__ import annotations

from typing import Any

from troposphere import And, Condition, Equals, GetAtt, If, Not, NoValue, Ref, Sub
from troposphere.rds import DBInstance, DBParameterGroup, DBSubnetGroup
from troposphere.secretsmanager import Secret, SecretTargetAttachment

from templates_src.core import ports
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import DATABASE_MASTER_USER, DATABASE_USER_STEM
from templates_src.core.parameters.wiring.network import DATA_SUBNET_IDS
from templates_src.core.parameters.wiring.secrets import (
    DATABASE_SECRET_ARN,
    DATABASE_USER_SECRET_ARN,
)
from templates_src.core.parameters.wiring.security import DATABASE_SECURITY_GROUP_ID, KEY_ARN
from templates_src.core.protection import unless_environment_protects
from templates_src.core.rotation import DATABASE_CREDENTIALS_VERSION
from templates_src.data.connection_urls import add_url_secret, password_of
from templates_src.data.database_parameters import (
    ALLOCATED_STORAGE,
    BACKUP_RETENTION_DAYS,
    DELETION_PROTECTION,
    INSTANCE_CLASS,
    MAX_ALLOCATED_STORAGE,
    MULTI_AZ,
    NAME,
    RESTORED,
    SNAPSHOT_IDENTIFIER,
)

# Logical IDs of the instance, and of the resource that creates the extensions and the application's user.
DATABASE = "Database"
EXTENSIONS = "DatabaseExtensions"
ENGINE = "postgres"
# The major version only: RDS upgrades the minor one by itself, and a pinned minor version then reads as a downgrade,
# which RDS refuses.
MAJOR_VERSION = "16"
FAMILY = f"postgres{MAJOR_VERSION}"
# cfn-lint knows exact versions only, and takes another for a deprecated one.
MAJOR_VERSION_IS_MEANT = {
    "cfn-lint": {"config": {"ignore_checks": ["W3691"]}},
    "Reason": "EngineVersion is the major version: RDS chooses the minor one, and upgrades it.",
}
# UTC, at night in Europe, and separate, because RDS refuses overlapping windows.
BACKUP_WINDOW = "01:00-02:00"
MAINTENANCE_WINDOW = "sun:03:00-sun:04:00"


def add_database(layer: Layer) -> Secret:
    """The database, its outputs, and the secret that holds its URL, which is returned."""
    database = add_instance(layer, add_subnet_group(layer), add_parameter_group(layer))
    complete_secret(layer, database)
    url = add_database_url(layer, database)
    layer.output("DatabaseInstanceId", Ref(database), "Identifier of the database instance")
    layer.output(
        "DatabaseHost", endpoint(database, "Address"), "Host name of the database", public=True
    )
    layer.output("DatabasePort", endpoint(database, "Port"), "Port of the database")
    layer.output("DatabaseUrlSecretArn", Ref(url), "Secret with the database's URL")
    return url


def add_subnet_group(layer: Layer) -> DBSubnetGroup:
    """The subnet group of the data subnets, which have no route out."""
    return layer.add(
        DBSubnetGroup(
            "DatabaseSubnetGroup",
            DBSubnetGroupDescription="Data subnets",
            SubnetIds=layer.parameter(DATA_SUBNET_IDS),
        )
    )


def add_parameter_group(layer: Layer) -> DBParameterGroup:
    """Settings of the engine: no connection without TLS."""
    return layer.add(
        DBParameterGroup(
            "DatabaseParameterGroup",
            Description="PostgreSQL over TLS only",
            Family=FAMILY,
            Parameters={"rds.force_ssl": "1"},
        )
    )


def add_instance(layer: Layer, subnets: DBSubnetGroup, parameters: DBParameterGroup) -> DBInstance:
    """The instance, which leaves a final snapshot when it is deleted or replaced.

    It has no explicit identifier, which would block its replacement. So the template cannot create the log groups of
    its exports, /aws/rds/instance/IDENTIFIER/…, before RDS does, and they keep logs permanently until a user sets their
    retention.
    """
    return layer.add(
        DBInstance(
            DATABASE,
            DeletionPolicy="Snapshot",
            UpdateReplacePolicy="Snapshot",
            Metadata=MAJOR_VERSION_IS_MEANT,
            Engine=ENGINE,
            EngineVersion=MAJOR_VERSION,
            AutoMinorVersionUpgrade=True,
            AllowMajorVersionUpgrade=False,
            # After the end of standard support RDS upgrades, rather than charge for each vCPU hour.
            EngineLifecycleSupport="open-source-rds-extended-support-disabled",
            DBInstanceClass=layer.parameter(INSTANCE_CLASS),
            MultiAZ=layer.parameter(MULTI_AZ),
            DBParameterGroupName=Ref(parameters),
            PreferredMaintenanceWindow=MAINTENANCE_WINDOW,
            # The user chooses the time of an update. With the maintenance window, the stack would report changes that
            # are not applied yet.
            ApplyImmediately=True,
            DeletionProtection=unless_environment_protects(
                layer, layer.parameter(DELETION_PROTECTION)
            ),
            **origin(layer),
            **storage(layer),
            **network(layer, subnets),
            **backups(layer),
            **observation(layer),
        )
    )


def origin(layer: Layer) -> dict[str, Any]:
    """The source of the data: none, or a snapshot, which has its own database, master user and key.

    RDS refuses a DBName for a restore of PostgreSQL, and according to AWS's documentation, the other two must not be
    given with a snapshot. Each of the three replaces the instance when it appears, so a restored database never has
    them. The value "restored" removes only the snapshot, which replaces nothing:
    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds (DBInstance, ImmutabilityHelper).
    The handler sets the password of the secret after the restore. The master user must be that of this template for a
    valid URL, which it is in a snapshot of this template.
    """
    restored = layer.has(SNAPSHOT_IDENTIFIER)
    snapshot = layer.parameter(SNAPSHOT_IDENTIFIER)
    return {
        "DBSnapshotIdentifier": If(restores(layer), snapshot, NoValue),
        "DBName": If(restored, NoValue, layer.parameter(NAME)),
        "MasterUsername": If(restored, NoValue, DATABASE_MASTER_USER),
        "KmsKeyId": If(restored, NoValue, layer.parameter(KEY_ARN)),
        "MasterUserPassword": Sub(password_of(layer, DATABASE_SECRET_ARN)),
    }


def restores(layer: Layer) -> str:
    """Condition: the parameter names a snapshot."""
    return layer.condition(
        "RestoresDatabase",
        And(
            Condition(layer.has(SNAPSHOT_IDENTIFIER)),
            Not(Equals(layer.parameter(SNAPSHOT_IDENTIFIER), RESTORED)),
        ),
    )


def storage(layer: Layer) -> dict[str, Any]:
    """Encrypted gp3 storage with autoscaling.

    A restore has the size of the snapshot: the handler would send AllocatedStorage, and RDS refuses less than that of
    the snapshot. Iops and StorageThroughput are absent: RDS refuses them for PostgreSQL under 400 GiB, and gp3 has
    3,000 IOPS.
    """
    return {
        "StorageType": "gp3",
        "AllocatedStorage": If(restores(layer), NoValue, layer.parameter(ALLOCATED_STORAGE)),
        "MaxAllocatedStorage": layer.parameter(MAX_ALLOCATED_STORAGE),
        "StorageEncrypted": True,
    }


def network(layer: Layer, subnets: DBSubnetGroup) -> dict[str, Any]:
    """Access only from the private tier, over TLS."""
    return {
        "DBSubnetGroupName": Ref(subnets),
        "VPCSecurityGroups": [layer.parameter(DATABASE_SECURITY_GROUP_ID)],
        "PubliclyAccessible": False,
        "Port": str(ports.DATABASE),
        # Valid until 2061; RDS renews the certificate of the server.
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
    }


def backups(layer: Layer) -> dict[str, Any]:
    """Daily backups, with the tags of the instance."""
    return {
        "BackupRetentionPeriod": layer.parameter(BACKUP_RETENTION_DAYS),
        "PreferredBackupWindow": BACKUP_WINDOW,
        "CopyTagsToSnapshot": True,
    }


def observation(layer: Layer) -> dict[str, Any]:
    """Logs, and Performance Insights for the 7 days that cost nothing."""
    return {
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
        "EnablePerformanceInsights": True,
        "PerformanceInsightsRetentionPeriod": 7,
        "PerformanceInsightsKMSKeyId": layer.parameter(KEY_ARN),
    }


def complete_secret(layer: Layer, database: DBInstance) -> None:
    """Write host, port and engine to the database's secret, where rotation and query tools read them."""
    layer.add(
        SecretTargetAttachment(
            "DatabaseSecretAttachment",
            SecretId=layer.parameter(DATABASE_SECRET_ARN),
            TargetId=Ref(database),
            TargetType=DBInstance.resource_type,
        )
    )


def add_database_url(layer: Layer, database: DBInstance) -> Secret:
    """The application user's URL for libpq; a generated password needs no escaping in it.

    It is written when the user can log in. The layer has its outputs only then, so no task starts before.
    """
    layer.parameter(DATABASE_CREDENTIALS_VERSION)
    secret = add_url_secret(
        layer,
        "DatabaseUrl",
        "URL of the database, with its password",
        url=f"postgresql://{DATABASE_USER_STEM}${{{DATABASE_CREDENTIALS_VERSION.name}}}"
        f":{password_of(layer, DATABASE_USER_SECRET_ARN)}"
        f"@${{{database.title}.Endpoint.Address}}:${{{database.title}.Endpoint.Port}}"
        f"/${{{NAME.name}}}?sslmode=require",
    )
    secret.DependsOn = [EXTENSIONS]
    return secret


def endpoint(database: DBInstance, part: str) -> GetAtt:
    """Address or Port of the database."""
    return GetAtt(database, f"Endpoint.{part}")
