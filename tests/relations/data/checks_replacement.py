"""No routine update replaces or removes a resource with data."""

from __future__ import annotations

from collections.abc import Iterator

from tests.relations.data.checks_data import STATEFUL
from tests.relations.data.replacement import Tracer
from tests.relations.registry import Templates, template_relation

# The identity of an environment: the descriptions of these parameters announce the replacement, and no update to a
# release changes them.
IDENTITY = {"Project", "Environment"}
PLACE = {"VpcCidr", "AvailabilityZones"}

# Root parameters that a create-only property, or the existence, of a resource with data may depend on, and why.
ALLOWED: dict[tuple[str, str], tuple[set[str], str]] = {
    ("Database", "DBName"): (
        {"DatabaseName", "DatabaseSnapshotIdentifier"},
        "the description says that it replaces; a snapshot brings its own database",
    ),
    ("Database", "DBSnapshotIdentifier"): (
        {"DatabaseSnapshotIdentifier"},
        "the description says that it replaces",
    ),
    ("Database", "KmsKeyId"): (
        {"DatabaseSnapshotIdentifier"},
        "a snapshot brings its own key; the parameter replaces the instance anyway",
    ),
    ("Database", "MasterUsername"): (
        {"DatabaseSnapshotIdentifier"},
        "a snapshot brings its own user; the parameter replaces the instance anyway",
    ),
    ("DatabaseSecret", "Name"): (
        {"DatabaseMasterCredentialsVersion"},
        "a rotation is a new value in a new secret; the old one stays until the update has succeeded",
    ),
    ("DatabaseUserSecret", "Name"): ({"DatabaseCredentialsVersion"}, "the same"),
    ("ServerlessCache", "ServerlessCacheName"): (IDENTITY, "the environment's name"),
    ("ServerlessCache", "SubnetIds"): (PLACE, "other subnets are another network"),
    ("ServerlessCache", "Condition"): (
        {"CacheMode"},
        "the mode is changed on purpose, and says so",
    ),
    ("CacheReplicationGroup", "Condition"): (
        {"CacheMode"},
        "the mode is changed on purpose, and leaves a snapshot",
    ),
    ("SearchVolume", "Condition"): ({"SearchSnapshotId"}, "the volume stays"),
    ("RestoredSearchVolume", "Condition"): (
        {"SearchSnapshotId"},
        "the volume stays, and the description says what comes of it",
    ),
    ("DocumentsBucket", "BucketName"): (
        {*IDENTITY, "BucketNamespace"},
        "the old bucket stays, and the description says so",
    ),
    ("MediaBucket", "BucketName"): (
        {*IDENTITY, "BucketNamespace"},
        "the old bucket stays, and the description says so",
    ),
    ("AccessLogBucket", "Condition"): ({"AccessLogs"}, "the bucket stays"),
    ("ImageRepositoryOfEnvironment", "Condition"): (
        {"ImageRepository"},
        "the repository stays",
    ),
}
ROTATED = {
    "CacheSecret": "CacheCredentialsVersion",
    "CacheSecondSecret": "CacheSecondCredentialsVersion",
    "JwtSecret": "JwtSecretVersion",
    "JwtSecondSecret": "JwtSecondSecretVersion",
    "SessionKeySecret": "SessionKeyVersion",
    "SessionSecondKeySecret": "SessionSecondKeyVersion",
    "SearchKeySecret": "SearchKeyVersion",
}
for _secret, _version in ROTATED.items():
    ALLOWED[_secret, "Name"] = (
        {_version},
        "a rotation is a new value in a new secret; the old one stays until the update has succeeded",
    )
for _bucket in ("DocumentsBucket", "MediaBucket"):
    ALLOWED[_bucket, "Condition"] = (
        {"ExistingBuckets"},
        "the bucket stays, and the launch check refuses it",
    )
    _reason = ALLOWED[_bucket, "BucketName"][1]
    ALLOWED[_bucket, "BucketNamePrefix"] = ALLOWED[_bucket, "BucketName"]
    ALLOWED[_bucket, "BucketNamespace"] = ({"BucketNamespace"}, _reason)


@template_relation
def updates_replace_no_resource_with_data(templates: Templates) -> Iterator[str]:
    """Create-only properties depend only on listed parameters, traced through nested stacks to the root."""
    tracer = Tracer(templates)
    for layer, template in templates.items():
        for name, resource in template["Resources"].items():
            if resource["Type"] not in STATEFUL:
                continue
            for key, parameters in tracer.replacing(layer, name).items():
                allowed, _ = ALLOWED.get((name, key), (set(), ""))
                for parameter in sorted(parameters - allowed):
                    yield f"Changing {parameter} replaces {name}, or takes it away: {key} depends on it."
