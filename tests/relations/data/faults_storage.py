"""Faults that lose data, or let it be lost."""

from __future__ import annotations

from tests.relations.data.checks_storage import (
    documents_do_not_expire,
    documents_have_versions,
    engines_accept_tls_and_users_only,
    engines_can_be_restored,
    engines_survive_a_zone,
    search_volume_is_copied_daily,
    serverless_caches_can_be_restored,
)
from tests.relations.network.checks_browsers import browsers_upload_from_named_origins
from tests.relations.planting import append, drop, put, remove
from tests.relations.registry import Fault

RULES = "LifecycleConfiguration/Rules"
ORIGINS = "CorsConfiguration/CorsRules/0/AllowedOrigins"
STATEMENT = {"Effect": "Allow", "Action": ["s3:DeleteObjectVersion"], "Resource": ["*"]}
DOCUMENT = {"Version": "2012-10-17", "Statement": [STATEMENT]}

FAULTS = (
    Fault(
        "documents that delete themselves",
        documents_do_not_expire,
        "DocumentsBucket deletes objects by the rule tiers",
        put("DocumentsBucket", f"{RULES}/0/ExpirationInDays", 400),
    ),
    Fault(
        "old versions of nine days",
        documents_do_not_expire,
        "DocumentsBucket keeps old versions for [9] days",
        put("DocumentsBucket", f"{RULES}/1/NoncurrentVersionExpiration/NoncurrentDays", "9"),
    ),
    Fault(
        "a bucket without versions",
        documents_have_versions,
        "DocumentsBucket has no versions",
        put("DocumentsBucket", "VersioningConfiguration/Status", "Suspended"),
    ),
    Fault(
        "tasks that delete versions",
        documents_have_versions,
        "ApiTaskRole may s3:DeleteObjectVersion",
        put("ApiTaskRole", "Policies", [{"PolicyName": "objects", "PolicyDocument": DOCUMENT}]),
    ),
    Fault(
        "uploads from everywhere",
        browsers_upload_from_named_origins,
        "MediaBucket answers browsers from ['*']",
        put("MediaBucket", ORIGINS, ["*"]),
    ),
    Fault(
        "a database without backups",
        engines_can_be_restored,
        "Database has backups of 0 days",
        put("Database", "BackupRetentionPeriod", "0"),
    ),
    Fault(
        "a cache without a snapshot window",
        engines_can_be_restored,
        "CacheReplicationGroup has no SnapshotWindow",
        drop("CacheReplicationGroup", "SnapshotWindow"),
    ),
    Fault(
        "a serverless cache without snapshots",
        serverless_caches_can_be_restored,
        "ServerlessCache has None snapshots",
        drop("ServerlessCache", "SnapshotRetentionLimit"),
        "complete dev",
    ),
    Fault(
        "PostgreSQL without TLS",
        engines_accept_tls_and_users_only,
        "lets PostgreSQL accept connections without TLS",
        drop("DatabaseParameterGroup", "Parameters"),
    ),
    Fault(
        "a cache that evicts jobs",
        engines_accept_tls_and_users_only,
        "lets Valkey evict jobs",
        put("CacheParameterGroup", "Properties/maxmemory-policy", "allkeys-lru"),
    ),
    Fault(
        "a cache without its users",
        engines_accept_tls_and_users_only,
        "CacheReplicationGroup accepts the users of nobody",
        drop("CacheReplicationGroup", "UserGroupIds"),
    ),
    Fault(
        "a replica without failover",
        engines_survive_a_zone,
        "CacheReplicationGroup has AutomaticFailoverEnabled False with 2 nodes",
        put("CacheReplicationGroup", "AutomaticFailoverEnabled", False),
    ),
    Fault(
        "a database of two zones",
        engines_survive_a_zone,
        "DatabaseSubnetGroup has fewer than three zones",
        drop("DatabaseSubnetGroup", "SubnetIds/0"),
    ),
    Fault(
        "a search volume without snapshots",
        search_volume_is_copied_daily,
        "SearchVolume is copied by no policy",
        remove("SearchSnapshots"),
    ),
    Fault(
        "snapshots of the search volume every ten days",
        search_volume_is_copied_daily,
        "SearchSnapshots makes snapshots every 240 HOURS",
        put("SearchSnapshots", "PolicyDetails/Schedules/0/CreateRule/Interval", 240),
    ),
    Fault(
        "uploads that never end",
        documents_do_not_expire,
        "MediaBucket keeps unfinished uploads for [] days",
        drop("MediaBucket", f"{RULES}/0"),
    ),
    Fault(
        "an origin that nobody named",
        browsers_upload_from_named_origins,
        "not the origins of MediaCorsOrigins",
        append("MediaBucket", ORIGINS, "https://evil.example.com"),
    ),
)
