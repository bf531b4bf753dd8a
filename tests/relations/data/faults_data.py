"""Faults in resources with data, and in tags."""

from __future__ import annotations

from tests.relations.data import checks_data as data
from tests.relations.planting import add, drop, put, remove
from tests.relations.registry import Fault
from tests.relations.templates import checks_tags as tags

FAULTS = (
    Fault(
        "a database that goes without a snapshot",
        data.deletion_policies_match_the_table,
        "Database has the policies ('Delete', 'Snapshot')",
        put("Database", "../DeletionPolicy", "Delete"),
    ),
    Fault(
        "a bucket that goes when it is replaced",
        data.deletion_policies_match_the_table,
        "DocumentsBucket has the policies ('RetainExceptOnCreate', None)",
        drop("DocumentsBucket", "../UpdateReplacePolicy"),
    ),
    Fault(
        "a function that can block a deletion although it does nothing",
        data.deletion_policies_match_the_table,
        "DatabaseExtensions has the policies (None, 'Delete')",
        drop("DatabaseExtensions", "../DeletionPolicy"),
    ),
    Fault(
        "something else that is kept",
        data.deletion_policies_match_the_table,
        "ApiLogGroup has the policies ('Retain', 'Delete')",
        put("ApiLogGroup", "../DeletionPolicy", "Retain"),
    ),
    Fault(
        "a volume that no table knows",
        data.deletion_policies_match_the_table,
        "Scratch holds data",
        add("data", "Scratch", "AWS::EC2::Volume", Size=1),
    ),
    Fault(
        "a bucket that may be opened",
        data.buckets_are_private,
        "MediaBucket lacks BlockPublicPolicy",
        put("MediaBucket", "PublicAccessBlockConfiguration/BlockPublicPolicy", False),
    ),
    Fault(
        "a bucket with ACLs",
        data.buckets_are_private,
        "AccessLogBucket has ACLs",
        drop("AccessLogBucket", "OwnershipControls"),
    ),
    Fault(
        "a bucket under a key",
        data.buckets_are_private,
        "AccessLogBucket is encrypted by ['aws:kms']",
        put(
            "AccessLogBucket",
            "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
            "aws:kms",
        ),
    ),
    Fault(
        "a bucket without a policy",
        data.buckets_are_private,
        "MediaBucket may be reached without TLS",
        remove("MediaBucketPolicy"),
    ),
    Fault(
        "a policy for the bucket but not for what is in it",
        data.buckets_are_private,
        "DocumentsBucket may be reached without TLS",
        drop("DocumentsBucketPolicy", "PolicyDocument/Statement/0/Resource/1"),
    ),
    Fault(
        "a parameter group of another major version of PostgreSQL",
        data.parameter_groups_are_of_the_engine,
        "family postgres15, but Database of postgres16",
        put("DatabaseParameterGroup", "Family", "postgres15"),
    ),
    Fault(
        "another major version of Valkey than its parameter group",
        data.parameter_groups_are_of_the_engine,
        "family valkey8, but CacheReplicationGroup of valkey7",
        put("CacheReplicationGroup", "EngineVersion", "7.2"),
    ),
    Fault(
        "a cache that upgrades the version of the template",
        data.updates_do_not_downgrade_engines,
        "CacheReplicationGroup upgrades 8.2 by itself",
        put("CacheReplicationGroup", "AutoMinorVersionUpgrade", True),
    ),
    Fault(
        "a database that upgrades the version of the template",
        data.updates_do_not_downgrade_engines,
        "Database upgrades 16.9 by itself",
        put("Database", "EngineVersion", "16.9"),
    ),
    Fault(
        "a database that is not encrypted",
        data.data_is_encrypted_with_the_key,
        "Database is not encrypted",
        put("Database", "StorageEncrypted", False),
    ),
    Fault(
        "a serverless cache under AWS's key",
        data.data_is_encrypted_with_the_key,
        "ServerlessCache is not encrypted",
        drop("ServerlessCache", "KmsKeyId"),
        "dev",
    ),
    Fault(
        "flow logs under AWS's key",
        data.data_is_encrypted_with_the_key,
        "VpcFlowLogGroup is not encrypted",
        drop("VpcFlowLogGroup", "KmsKeyId"),
    ),
    Fault(
        "flow logs that are written to the group of an earlier release",
        data.nothing_writes_to_former_log_groups,
        "FlowLog refers to FlowLogGroup",
        add("network", "FlowLog", "AWS::EC2::FlowLog", LogGroupName={"Ref": "FlowLogGroup"}),
    ),
    Fault(
        "a bucket without tags",
        tags.everything_is_tagged,
        "MediaBucket has the tag Project None",
        drop("MediaBucket", "Tags"),
    ),
    Fault(
        "a layer with the tag of another",
        tags.everything_is_tagged,
        "Edge has the tag Layer data",
        put(
            "Edge",
            "Tags",
            [
                {"Key": "Project", "Value": "carbon-connect"},
                {"Key": "Environment", "Value": "prod"},
                {"Key": "Layer", "Value": "data"},
            ],
        ),
    ),
)
