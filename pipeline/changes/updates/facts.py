"""Facts about updates that provider schemas do not contain: data, interruptions and refusals, each with its source.

Unless a line names another page, the source is the "Update requires" line of the property in the CloudFormation template
reference, https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DATABASE = "AWS::RDS::DBInstance"
REPLICATION_GROUP = "AWS::ElastiCache::ReplicationGroup"
SERVERLESS_CACHE = "AWS::ElastiCache::ServerlessCache"
BUCKET = "AWS::S3::Bucket"
VOLUME = "AWS::EC2::Volume"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type
KEY = "AWS::KMS::Key"
LOG_GROUP = "AWS::Logs::LogGroup"
SERVICE = "AWS::ECS::Service"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
SUBNET = "AWS::EC2::Subnet"
SUBNET_GROUP = "AWS::RDS::DBSubnetGroup"

# The types with data that a new resource would not have.
STATEFUL: Mapping[str, str] = {
    DATABASE: "the data of the application",
    REPLICATION_GROUP: "queued tasks and cached values",
    SERVERLESS_CACHE: "queued tasks and cached values",
    BUCKET: "objects",
    VOLUME: "the search index",
    SECRET: "a password or key",
    # Indirectly: snapshots, volumes, secrets and logs cannot be read without it.
    KEY: "the only way to read what it encrypts",
    LOG_GROUP: "log events",
    "AWS::ECR::Repository": "images",
    # Indirectly: the workflows of other environments use it.
    "AWS::IAM::OIDCProvider": "the trust of other environments",
}

# Properties that a schema lists as conditionally create-only and that never replace a resource of these templates.
IN_PLACE: Mapping[str, frozenset[str]] = {
    DATABASE: frozenset(
        {
            "AutoMinorVersionUpgrade",
            "BackupRetentionPeriod",
            "DBParameterGroupName",
            "MultiAZ",
            "PreferredMaintenanceWindow",
        }
    ),
    # New instances use a new version of the launch template, and other subnets.
    "AWS::AutoScaling::AutoScalingGroup": frozenset(
        {"LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"}
    ),
}
# Conditionally create-only properties that replace a resource when they get another value that is not empty.
# https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds (DBInstance, UpdateHandler)
REPLACING: Mapping[str, frozenset[str]] = {DATABASE: frozenset({"DBSnapshotIdentifier"})}

# Properties that cannot change, which no schema says.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-volume.html
FIXED: Mapping[str, frozenset[str]] = {
    VOLUME: frozenset({"AvailabilityZone", "Encrypted", "KmsKeyId", "SnapshotId"})
}
# Sizes that can only grow.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.html
# https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html
GROWING: Mapping[str, frozenset[str]] = {
    DATABASE: frozenset({"AllocatedStorage"}),
    VOLUME: frozenset({"Size"}),
}

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.ScalingUp.html
GROWING_BY_A_TENTH = frozenset({DATABASE})


@dataclass(frozen=True)
class Interruption:
    """The effect of a changed property on users."""

    what: str
    source: str


_RDS = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html"
_CACHE = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.RedisReplGrps.html"
INTERRUPTIONS: Mapping[tuple[str, str], Interruption] = {
    (DATABASE, "DBInstanceClass"): Interruption(
        "the database restarts; with a standby it fails over", _RDS
    ),
    (DATABASE, "EngineVersion"): Interruption("the database restarts", _RDS),
    (DATABASE, "CACertificateIdentifier"): Interruption("the database can restart", _RDS),
    (DATABASE, "Port"): Interruption("the database restarts", _RDS),
    (DATABASE, "StorageType"): Interruption("storage is slower while it converts", _RDS),
    (REPLICATION_GROUP, "CacheNodeType"): Interruption(
        "clients reconnect when the new nodes take over", _CACHE
    ),
    (REPLICATION_GROUP, "EngineVersion"): Interruption(
        "clients reconnect when the new nodes take over",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.HowTo.html",
    ),
    ("AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate"): Interruption(
        "the search server is replaced; search is unavailable for some minutes",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html",
    ),
}
# Attributes that an update in place changes, by type and property; None stands for any property.
MOVING: Mapping[str, tuple[tuple[str | None, str], ...]] = {
    LAUNCH_TEMPLATE: ((None, "LatestVersionNumber"), (None, "DefaultVersionNumber")),
    DATABASE: (("Port", "Endpoint.Port"),),
}
# Properties other than names that must be unique: a new resource cannot exist at the same time as the old one.
UNIQUE: Mapping[str, tuple[str, ...]] = {SUBNET: ("VpcId", "CidrBlock")}
# Retention in days; a lower number deletes older data.
RETENTION: Mapping[tuple[str, str], str] = {
    (LOG_GROUP, "RetentionInDays"): "log events older than the new number of days",
    (DATABASE, "BackupRetentionPeriod"): "automated backups older than the new number of days",
}
