"""Data that stays: objects, backups and snapshots, and the settings of the engines that keep them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.text import is_true, listed, text_of
from tests.rendering import id_of, named, resources_of_type, role_statements, single

BUCKET = "AWS::S3::Bucket"
# Access logs are not data of users, and expire.
EXPIRING = frozenset({"AccessLogBucket"})
EXPIRATIONS = ("Expiration", "ExpirationInDays", "ExpirationDate")
# A month to notice that a document was overwritten, and a year at most of its old versions.
OLD_VERSIONS = range(30, 366)
# What limits a rule to some objects.
LIMITS = ("Filter", "Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
UNFINISHED_UPLOADS = range(1, 31)
TASK_ROLES = ("ApiTaskRole", "WorkerTaskRole", "BeatTaskRole")
# What removes a version of an object, or the settings that keep it.
DESTROYING = (
    "s3:DeleteObjectVersion",
    "s3:DeleteBucket",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutBucketPolicy",
    "s3:BypassGovernanceRetention",
)
CLOCK = re.compile(r"(\d\d):(\d\d)")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
LONGEST_NAME = 120
# Minutes.
DAY = 24 * 60
WEEK = 7
# The major versions of serverless caches.
# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/engine-versions.html
SERVERLESS_VERSIONS = {"valkey": {"7", "8", "9"}}
ZONES = 3
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
AUTHORITIES = frozenset({"rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"})


@relation
def documents_do_not_expire(rendered: Rendered) -> Iterator[str]:
    """No rule expires a current object. Old versions of documents stay for a month to a year, however many there are, those of media permanently; unfinished uploads end."""
    for bucket in resources_of_type(rendered, BUCKET):
        rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", ())
        active = [rule for rule in rules if rule["Status"] == "Enabled"]
        if any("Id" not in rule for rule in rules):
            yield f"{bucket.logical_id} has a rule without a name."
        if any(key in rule for rule in rules for key in LIMITS):
            yield f"{bucket.logical_id} applies a rule to some objects only."
        expires = any("ExpirationInDays" in rule for rule in active)
        if bucket.logical_id in EXPIRING and not expires:
            yield f"{bucket.logical_id} keeps its logs permanently."
        yield from _unfinished_uploads(bucket.logical_id, active)
        if bucket.logical_id in EXPIRING:
            continue
        for rule in active:
            for key in EXPIRATIONS:
                if key in rule:
                    yield f"{bucket.logical_id} deletes objects by the rule {rule.get('Id')}."
        kept = [
            int(rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
            for rule in active
            if "NoncurrentVersionExpiration" in rule
        ]
        if any("NewerNoncurrentVersions" in str(rule) for rule in rules):
            yield f"{bucket.logical_id} deletes old versions by their number."
        if any(days not in OLD_VERSIONS for days in kept):
            yield f"{bucket.logical_id} keeps old versions for {kept} days."
        if kept and not any(is_true(rule.get("ExpiredObjectDeleteMarker")) for rule in active):
            yield f"{bucket.logical_id} keeps delete markers without versions."
        if bool(kept) != (bucket.logical_id == "DocumentsBucket"):
            yield f"{bucket.logical_id} keeps old versions for {kept or 'unlimited'} days."


def _unfinished_uploads(bucket: str, active: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ended = [
        int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        for rule in active
        if "AbortIncompleteMultipartUpload" in rule
    ]
    if not ended or ended[0] not in UNFINISHED_UPLOADS:
        yield f"{bucket} keeps unfinished uploads for {ended} days."


@relation
def documents_have_versions(rendered: Rendered) -> Iterator[str]:
    """Documents and media have versions, so that an overwritten object is not lost; a task can delete no version."""
    for bucket in resources_of_type(rendered, BUCKET):
        versions = bucket.properties.get("VersioningConfiguration", {}).get("Status")
        if versions != "Enabled" and bucket.logical_id not in EXPIRING:
            yield f"{bucket.logical_id} has no versions."
    for role in TASK_ROLES:
        for _, statement in role_statements(rendered, role):
            for action in listed(statement["Action"]) if statement["Effect"] == "Allow" else ():
                pattern = action.rstrip("*")
                wide = action.endswith("*") and action.startswith("s3:")
                if action in DESTROYING or (
                    wide and any(each.startswith(pattern) for each in DESTROYING)
                ):
                    yield f"{role} may {action}, so that a task can destroy documents."


@relation
def engines_can_be_restored(rendered: Rendered) -> Iterator[str]:
    """Database and cache have backups; the database's cover a week, carry its tags, and do not run during maintenance that has a fixed time."""
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        properties = database.properties
        if int(properties.get("BackupRetentionPeriod", 1)) not in range(WEEK, 36):
            yield f"{database.logical_id} has backups of {properties.get('BackupRetentionPeriod')} days."
        if not is_true(properties.get("CopyTagsToSnapshot")):
            yield f"{database.logical_id} makes snapshots that no search for the environment finds."
        yield from _windows(database.logical_id, properties, "PreferredBackupWindow")
        if not is_true(properties.get("AutoMinorVersionUpgrade")) or is_true(
            properties.get("AllowMajorVersionUpgrade")
        ):
            yield f"{database.logical_id} gets no security updates, or a new major version."
        logs = set(properties.get("EnableCloudwatchLogsExports", ()))
        if logs != {"postgresql", "upgrade"}:
            yield f"{database.logical_id} exports the logs {sorted(logs)} only."
        if properties.get("CACertificateIdentifier") not in AUTHORITIES:
            yield f"{database.logical_id} has a certificate of {properties.get('CACertificateIdentifier')}."
        for key in ("DBName", "EngineLifecycleSupport"):
            # A restored database has the name of its snapshot.
            brought = key == "DBName" and "DBSnapshotIdentifier" in properties
            if not properties.get(key) and not brought:
                yield f"{database.logical_id} leaves {key} to the day of its launch."
    for cache in resources_of_type(rendered, "AWS::ElastiCache::ReplicationGroup"):
        if int(cache.properties.get("SnapshotRetentionLimit", 0)) not in range(1, 8):
            yield f"{cache.logical_id} has {cache.properties.get('SnapshotRetentionLimit')} snapshots."
        yield from _windows(cache.logical_id, cache.properties, "SnapshotWindow")


@relation
def serverless_caches_can_be_restored(rendered: Rendered) -> Iterator[str]:
    """A serverless cache has daily snapshots of a week at most, at a time that is written down, a version that exists, and the subnets of three zones."""
    for cache in resources_of_type(rendered, "AWS::ElastiCache::ServerlessCache"):
        properties = cache.properties
        if int(properties.get("SnapshotRetentionLimit", 0)) not in range(1, 8):
            yield f"{cache.logical_id} has {properties.get('SnapshotRetentionLimit')} snapshots."
        if "DailySnapshotTime" not in properties or "MajorEngineVersion" not in properties:
            yield f"{cache.logical_id} leaves the time of its snapshots or its version to AWS."
        version = str(properties.get("MajorEngineVersion"))
        if version not in SERVERLESS_VERSIONS.get(properties["Engine"], {version}):
            yield f"{cache.logical_id} has the version {version}, which does not exist."
        if len({str(each) for each in properties["SubnetIds"]}) < ZONES:
            yield f"{cache.logical_id} has fewer than three zones."


def _windows(name: str, properties: Mapping[str, Any], backup: str) -> Iterator[str]:
    times = [properties.get(key) for key in (backup, "PreferredMaintenanceWindow")]
    for key, time in zip((backup, "PreferredMaintenanceWindow"), times, strict=True):
        if not time:
            yield f"{name} has no {key}: AWS chooses one, which may be at noon."
    if all(times) and overlap(*(_minutes(str(time)) for time in times)):
        yield f"{name} has the backup {times[0]} during the maintenance {times[1]}, which AWS refuses."


def _minutes(window: str) -> range:
    """The minutes of a window after midnight, on whatever day it begins; it ends on the next day if it passes midnight."""
    first, last = (int(hour) * 60 + int(minute) for hour, minute in CLOCK.findall(window))
    return range(first, last if last > first else last + DAY)


def overlap(one: range, other: range) -> bool:
    """Whether two windows share a minute of a day; maintenance is on one day of the week, and backups are on each."""
    return bool({minute % DAY for minute in one} & {minute % DAY for minute in other})


@relation
def engines_accept_tls_and_users_only(rendered: Rendered) -> Iterator[str]:
    """PostgreSQL refuses connections without TLS; Valkey authenticates users, and loses no job for lack of memory."""
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        group = named(
            rendered, id_of(rendered, database.layer, database.properties["DBParameterGroupName"])
        )
        if group.properties.get("Parameters", {}).get("rds.force_ssl") != "1":
            yield f"{group.logical_id} lets PostgreSQL accept connections without TLS."
    caches = (
        *(
            (each, each.properties.get("UserGroupIds"))
            for each in resources_of_type(rendered, "AWS::ElastiCache::ReplicationGroup")
        ),
        *(
            (each, each.properties.get("UserGroupId"))
            for each in resources_of_type(rendered, "AWS::ElastiCache::ServerlessCache")
        ),
    )
    for cache, groups in caches:
        users = {id_of(rendered, cache.layer, each) for each in listed(groups)}
        if users != {"CacheUserGroup"}:
            yield f"{cache.logical_id} accepts the users of {sorted(users) or 'nobody in particular'}."
        if "CacheParameterGroupName" in cache.properties:
            group = named(
                rendered, id_of(rendered, cache.layer, cache.properties["CacheParameterGroupName"])
            )
            if group.properties.get("Properties", {}).get("maxmemory-policy") != "noeviction":
                yield f"{group.logical_id} lets Valkey evict jobs."
    for group in resources_of_type(rendered, "AWS::ElastiCache::UserGroup"):
        members = [id_of(rendered, group.layer, each) for each in group.properties["UserIds"]]
        every = {each.logical_id for each in resources_of_type(rendered, "AWS::ElastiCache::User")}
        if set(members) != every:
            yield f"{group.logical_id} has {sorted(members)} of the users {sorted(every)}."
    for user in resources_of_type(rendered, "AWS::ElastiCache::User"):
        if not str(user.properties.get("AccessString", "")).startswith(("on ", "off ")):
            yield f"{user.logical_id} has the rights that ElastiCache chooses."
        mode = user.properties.get("AuthenticationMode", {})
        if is_true(user.properties.get("NoPasswordRequired", False)) or (
            str(user.properties.get("AccessString", "")).startswith("on ")
            and (mode.get("Type") != "password" or len(listed(mode.get("Passwords"))) != 1)
        ):
            yield f"{user.logical_id} does not sign in with one password."


@relation
def engines_survive_a_zone(rendered: Rendered) -> Iterator[str]:
    """The engines have subnets in three zones, and a cache with a replica fails over to it."""
    for kind in ("AWS::RDS::DBSubnetGroup", "AWS::ElastiCache::SubnetGroup"):
        for group in resources_of_type(rendered, kind):
            if len({str(each) for each in group.properties["SubnetIds"]}) < ZONES:
                yield f"{group.logical_id} has fewer than three zones."
    for cache in resources_of_type(rendered, "AWS::ElastiCache::ReplicationGroup"):
        several = int(cache.properties["NumCacheClusters"]) > 1
        for key in ("AutomaticFailoverEnabled", "MultiAZEnabled"):
            if is_true(cache.properties.get(key)) != several:
                yield f"{cache.logical_id} has {key} {cache.properties.get(key)} with {cache.properties['NumCacheClusters']} nodes."


@relation
def search_volume_is_copied_daily(rendered: Rendered) -> Iterator[str]:
    """The search volume has one speed in each size. A policy makes a snapshot of it each day, finds it by its tag, and keeps a week of them with their tags."""
    policies = list(resources_of_type(rendered, "AWS::DLM::LifecyclePolicy"))
    for volume in resources_of_type(rendered, "AWS::EC2::Volume"):
        # The performance of other types depends on the size, or they are billed for each request.
        # https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
        if volume.properties.get("VolumeType", "gp2") != "gp3":
            yield f"{volume.logical_id} is as fast as its size allows."
        tags = {(each["Key"], text_of(each["Value"])) for each in volume.properties["Tags"]}
        covering = [policy for policy in policies if _targets(policy.properties) & tags]
        if not covering:
            yield f"{volume.logical_id} is copied by no policy."
        for policy in covering:
            details = policy.properties["PolicyDetails"]
            if policy.properties.get("State") != "ENABLED" or not policy.properties.get(
                "ExecutionRoleArn"
            ):
                yield f"{policy.logical_id} does not run."
            if (
                details.get("ResourceTypes") != ["VOLUME"]
                or details.get("PolicyType") != "EBS_SNAPSHOT_MANAGEMENT"
            ):
                yield f"{policy.logical_id} copies {details.get('ResourceTypes')}."
            schedule = single(details["Schedules"], f"the schedules of {policy.logical_id}")
            rule = schedule["CreateRule"]
            if (int(rule["Interval"]), rule["IntervalUnit"], len(rule["Times"])) != (
                24,
                "HOURS",
                1,
            ):
                yield f"{policy.logical_id} makes snapshots every {rule['Interval']} {rule['IntervalUnit']}."
            # https://docs.aws.amazon.com/dlm/latest/APIReference/API_Schedule.html
            if (
                not all(map(TIME.fullmatch, rule["Times"]))
                or len(schedule.get("Name", "")) > LONGEST_NAME
            ):
                yield f"{policy.logical_id} has a schedule that DLM refuses."
            if int(schedule["RetainRule"]["Count"]) not in range(WEEK, 32):
                yield f"{policy.logical_id} keeps {schedule['RetainRule']['Count']} snapshots."
            if not is_true(schedule.get("CopyTags")) or not schedule.get("Name"):
                yield f"{policy.logical_id} makes snapshots that a restore does not find."


def _targets(properties: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {
        (each["Key"], text_of(each["Value"]))
        for each in properties["PolicyDetails"].get("TargetTags", ())
    }
