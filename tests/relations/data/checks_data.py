"""Resources with data: what happens at deletion, who has access, and settings that must match the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import id_of, ids_in, named, resources, resources_of_type

DELETE, RETAIN, SNAPSHOT = "Delete", "Retain", "Snapshot"
# A failed launch leaves no resources.
ONCE_LAUNCHED = "RetainExceptOnCreate"
STATEFUL = (
    "AWS::RDS::DBInstance",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::ECR::Repository",
    "AWS::EC2::Volume",
)
# Logs of the root's functions, which depend on no nested stack, so not on the key. They hold statuses and names, no data.
BEFORE_THE_KEY = frozenset({"DeletionProtectionLogGroup", "LaunchCheckLogGroup"})
# The deletion policy and the update replace policy of a resource; a type that is not listed is deleted.
POLICIES: dict[str, tuple[str | None, str | None]] = {
    "Database": (SNAPSHOT, SNAPSHOT),
    "CacheReplicationGroup": (SNAPSHOT, SNAPSHOT),
    # CloudFormation takes no snapshot of it.
    "ServerlessCache": (DELETE, DELETE),
    # BucketRemoval deletes what may go. Without its policy a bucket would accept plain HTTP.
    "DocumentsBucket": (ONCE_LAUNCHED, RETAIN),
    "DocumentsBucketPolicy": (ONCE_LAUNCHED, RETAIN),
    "MediaBucket": (ONCE_LAUNCHED, RETAIN),
    "MediaBucketPolicy": (ONCE_LAUNCHED, RETAIN),
    "AccessLogBucket": (RETAIN, RETAIN),
    "AccessLogBucketPolicy": (RETAIN, RETAIN),
    # Its deletion does nothing, so a function that cannot run must not block the deletion of the stack.
    "LaunchCheck": (RETAIN, RETAIN),
    # When it is replaced, its function closes the previous user of the database.
    "DatabaseExtensions": (RETAIN, DELETE),
    # A check: its deletion does nothing.
    "ApplicationSettings": (RETAIN, RETAIN),
    # Without it, snapshots and logs cannot be read.
    "Key": (ONCE_LAUNCHED, RETAIN),
    "SearchVolume": (ONCE_LAUNCHED, RETAIN),
    "RestoredSearchVolume": (ONCE_LAUNCHED, RETAIN),
    "ImageRepositoryOfEnvironment": (ONCE_LAUNCHED, RETAIN),
    # Other environments of the account use it.
    "GitHubOidcProvider": (ONCE_LAUNCHED, RETAIN),
    "DatabaseSecret": (DELETE, DELETE),
    "DatabaseUserSecret": (DELETE, DELETE),
    "CacheSecret": (DELETE, DELETE),
    "CacheSecondSecret": (DELETE, DELETE),
    "JwtSecret": (DELETE, DELETE),
    "JwtSecondSecret": (DELETE, DELETE),
    "SessionKeySecret": (DELETE, DELETE),
    "SessionSecondKeySecret": (DELETE, DELETE),
    "SearchKeySecret": (DELETE, DELETE),
    "ClaudeApiKeySecret": (DELETE, DELETE),
    "ClimatiqApiKeySecret": (DELETE, DELETE),
    "ApplicationSecret": (DELETE, DELETE),
    # Derived from other resources, and created again with them.
    "DatabaseUrl": (DELETE, DELETE),
    "CacheUrl": (DELETE, DELETE),
}
# Types whose resources are deleted unless the table says otherwise, and say so.
DELETED = frozenset({"AWS::Logs::LogGroup", "AWS::CloudFormation::Stack"})
# Log groups of earlier releases, which stay for their logs and receive no new ones.
FORMER = frozenset({"FlowLogGroup"})
MAJOR = re.compile(r"\d+")


@relation
def deletion_policies_match_the_table(rendered: Rendered) -> Iterator[str]:
    """Every resource with data has the deletion policies in the table."""
    for kind, resource in resources(rendered):
        body = rendered.layers[resource.layer]["Resources"][resource.logical_id]
        found = (body.get("DeletionPolicy"), body.get("UpdateReplacePolicy"))
        if kind in STATEFUL and resource.logical_id not in POLICIES:
            yield f"{resource.logical_id} holds data, but no table says what becomes of it."
            continue
        usual = (DELETE, DELETE) if kind in DELETED else (None, None)
        if found != POLICIES.get(resource.logical_id, usual):
            yield f"{resource.logical_id} has the policies {found} for deletion and replacement."


@relation
def buckets_are_private(rendered: Rendered) -> Iterator[str]:
    """Buckets have no public access, no ACLs, no website and no copy elsewhere, are encrypted, and accept only TLS; the launch role knows those of its environment by name or tags."""
    for bucket in resources_of_type(rendered, "AWS::S3::Bucket"):
        name, properties = bucket.logical_id, bucket.properties
        closed = properties.get("PublicAccessBlockConfiguration", {})
        for key in (
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        ):
            if not is_true(closed.get(key)):
                yield f"{name} lacks {key}: it may be opened to the public."
        for key in ("WebsiteConfiguration", "ReplicationConfiguration", "AccessControl"):
            if key in properties:
                yield f"{name} has {key}: objects leave the application."
        rules = properties.get("OwnershipControls", {}).get("Rules", ())
        if [rule["ObjectOwnership"] for rule in rules] != ["BucketOwnerEnforced"]:
            yield f"{name} has ACLs."
        encryption = properties.get("BucketEncryption", {})
        algorithms = [
            rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
            for rule in encryption.get("ServerSideEncryptionConfiguration", ())
        ]
        if algorithms != ["AES256"]:
            yield f"{name} is encrypted by {algorithms}, not by AES256."
        # IAM compares the tags of a bucket only with ABAC; the names of the others are those of the environment.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
        is_named = "BucketName" in properties or "BucketNamePrefix" in properties
        if not is_named and properties.get("AbacStatus") != "Enabled":
            yield f"{name} may be changed by the launch role of another environment."
        if not any(_refuses_plain_http(statement, name) for statement in _policy(rendered, name)):
            yield f"{name} may be reached without TLS."


def _policy(rendered: Rendered, bucket: str) -> list[dict[str, Any]]:
    return [
        statement
        for policy in resources_of_type(rendered, "AWS::S3::BucketPolicy")
        if id_of(rendered, policy.layer, policy.properties["Bucket"]) == bucket
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]


def _refuses_plain_http(statement: dict[str, Any], bucket: str) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] in ("*", {"AWS": "*"})
        and listed(statement["Action"]) == ["s3:*"]
        and {text_of(part) for part in listed(statement["Resource"])}
        == {f"<{bucket}.Arn>", f"<{bucket}.Arn>/*"}
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


@relation
def parameter_groups_are_of_the_engine(rendered: Rendered) -> Iterator[str]:
    """Family and engine have the same major version, because the engine rejects the parameter group of another one."""
    for kind, group_key, family_key in (
        ("AWS::RDS::DBInstance", "DBParameterGroupName", "Family"),
        (
            "AWS::ElastiCache::ReplicationGroup",
            "CacheParameterGroupName",
            "CacheParameterGroupFamily",
        ),
    ):
        for engine in resources_of_type(rendered, kind):
            properties = engine.properties
            major = MAJOR.match(str(properties["EngineVersion"]))
            wanted = f"{properties['Engine']}{major[0] if major else ''}"
            group = named(rendered, id_of(rendered, engine.layer, properties[group_key]))
            family = group.properties[family_key]
            if family != wanted:
                yield f"{group.logical_id} is of family {family}, but {engine.logical_id} of {wanted}."


@relation
def updates_do_not_downgrade_engines(rendered: Rendered) -> Iterator[str]:
    """An engine that upgrades its minor version has none in the template: the next update would be a downgrade, which AWS refuses."""
    for kind in ("AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup"):
        for engine in resources_of_type(rendered, kind):
            version = str(engine.properties["EngineVersion"])
            if "." in version and is_true(engine.properties.get("AutoMinorVersionUpgrade", True)):
                yield f"{engine.logical_id} upgrades {version} by itself, and an update returns to it."


@relation
def the_master_secret_has_the_address(rendered: Rendered) -> Iterator[str]:
    """Secrets Manager adds host and port of the database to the secret of its master user: those who restore or rotate read them there."""
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        password = {"Password": database.properties["MasterUserPassword"]}
        wanted = ids_in(rendered, database.layer, password)
        attached = {
            id_of(rendered, each.layer, each.properties["SecretId"])
            for each in resources_of_type(rendered, "AWS::SecretsManager::SecretTargetAttachment")
            if id_of(rendered, each.layer, each.properties["TargetId"]) == database.logical_id
        }
        if attached != wanted:
            yield f"{database.logical_id} is the target of {sorted(attached)}, not of {sorted(wanted)}."


@relation
def data_is_encrypted_with_the_key(rendered: Rendered) -> Iterator[str]:
    """Database, cache, search index, secrets, logs and alarm topic use the environment's key, which is retained; a restored snapshot keeps its key."""
    for kind, key, switch in (
        ("AWS::RDS::DBInstance", "KmsKeyId", "StorageEncrypted"),
        ("AWS::ElastiCache::ReplicationGroup", "KmsKeyId", "AtRestEncryptionEnabled"),
        ("AWS::ElastiCache::ServerlessCache", "KmsKeyId", None),
        ("AWS::EC2::Volume", "KmsKeyId", "Encrypted"),
        ("AWS::SecretsManager::Secret", "KmsKeyId", None),
        ("AWS::SNS::Topic", "KmsMasterKeyId", None),
        ("AWS::Logs::LogGroup", "KmsKeyId", None),
    ):
        for resource in resources_of_type(rendered, kind):
            if resource.logical_id in FORMER or resource.logical_id in BEFORE_THE_KEY:
                continue
            used = id_of(rendered, resource.layer, resource.properties.get(key))
            on = switch is None or is_true(resource.properties.get(switch))
            brought = "DBSnapshotIdentifier" in resource.properties
            if not on or (used != "Key" and not brought):
                yield f"{resource.logical_id} is not encrypted with the environment's key."


@relation
def nothing_writes_to_former_log_groups(rendered: Rendered) -> Iterator[str]:
    """Log groups of earlier releases stay until their logs expire, and receive none: they have not the environment's key."""
    existing = {resource.logical_id for _, resource in resources(rendered)}
    for logical_id in sorted(FORMER - existing):
        yield f"An update deletes {logical_id} with the logs of earlier releases."
    for _, resource in resources(rendered):
        for logical_id in sorted(ids_in(rendered, resource.layer, resource.properties) & FORMER):
            yield f"{resource.logical_id} refers to {logical_id}, which is kept for what it holds only."
