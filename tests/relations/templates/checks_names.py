"""Names: what services reject, and the resources that can have an explicit name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.checks.render import Rendered
from tests.relations.registry import relation
from tests.relations.schemas import create_only, identifier
from tests.relations.text import text_of
from tests.rendering import origins_in, resources, resources_of_type

# https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateServerlessCache.html and API_CreateUser.html
CACHE_NAMES = (
    ("AWS::ElastiCache::ServerlessCache", "ServerlessCacheName"),
    ("AWS::ElastiCache::ReplicationGroup", "ReplicationGroupId"),
    ("AWS::ElastiCache::User", "UserId"),
    ("AWS::ElastiCache::UserGroup", "UserGroupId"),
)
CACHE_NAME = re.compile(r"[a-z](-?[a-z0-9])*")
CACHE_NAME_LENGTH = 40
SUFFIX = re.compile(r"-.{6}$")

# pg_get_keywords() of PostgreSQL 16 with category R (reserved) or T (reserved but for functions and types), and the two
# names that CREATE ROLE refuses. https://www.postgresql.org/docs/16/sql-keywords-appendix.html
RESERVED_BY_POSTGRESQL = frozenset(
    re.findall(
        r"\w+",
        """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
    unique user using variadic verbose when where window with
    none public
    """,
    )
)
# # RDS refuses the first two on PostgreSQL, as cfn-lint's maintainers tested; the others are roles of RDS.
# https://github.com/aws-cloudformation/cfn-lint/pull/4425
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
RESERVED_BY_RDS = frozenset(("admin", "rdsadmin", "rdsrepladmin", "rdstopmgr"))
RESERVED_BEGINNINGS = ("pg_", "rds_")
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
USER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")

ROTATED = "another version is another name, which replaces the secret: that is its rotation"
# Each blocks the replacement of its resource, and conflicts with the same name elsewhere.
NAMED: dict[tuple[str, str], str] = {
    ("KeyAlias", "AliasName"): "an alias is a name; it moves to the next launch's key",
    ("DocumentsBucket", "BucketName"): "asked for by name; BucketNamespace avoids the clash",
    ("DocumentsBucket", "BucketNamePrefix"): "asked for by name, in the account's own namespace",
    ("MediaBucket", "BucketName"): "asked for by name; BucketNamespace avoids the clash",
    ("MediaBucket", "BucketNamePrefix"): "asked for by name, in the account's own namespace",
    **{
        (secret, "Name"): ROTATED
        for secret in (
            "CacheSecret",
            "CacheSecondSecret",
            "JwtSecret",
            "JwtSecondSecret",
            "SessionKeySecret",
            "SessionSecondKeySecret",
            "SearchKeySecret",
        )
    },
    ("CacheUser", "UserId"): "required by ElastiCache",
    ("CacheUser", "UserName"): "the name to sign in with",
    ("CacheSecondUser", "UserId"): "required by ElastiCache",
    ("CacheSecondUser", "UserName"): "the name to sign in with",
    ("CacheDefaultUser", "UserId"): "required by ElastiCache",
    ("CacheDefaultUser", "UserName"): "ElastiCache wants a user named default",
    ("CacheUserGroup", "UserGroupId"): "required by ElastiCache",
    ("ServerlessCache", "ServerlessCacheName"): "required by ElastiCache",
    ("Database", "DBName"): "the database inside PostgreSQL",
    ("WebAclLogGroup", "LogGroupName"): "WAF delivers to names that begin with aws-waf-logs- only",
    ("WebAcl", "Name"): "its metrics are found under it",
    ("DatabaseParameterGroup", "Family"): "no name: the engine's major version",
    ("CacheParameterGroup", "CacheParameterGroupFamily"): "no name: the engine's major version",
    ("S3Endpoint", "ServiceName"): "the service that it leads to",
    ("SearchZone", "Name"): "a zone is its name, and private",
    ("SearchRecord", "Name"): "a record is its name",
    ("DomainRecord", "Name"): "a record is its name",
    ("DomainRecord", "HostedZoneId"): "the zone is outside the stack",
    ("Certificate", "DomainName"): "a certificate is for its name",
    ("ApiTaskDefinition", "Family"): "each revision has another number",
    ("WorkerTaskDefinition", "Family"): "each revision has another number",
    ("BeatTaskDefinition", "Family"): "each revision has another number",
    ("MigrationTaskDefinition", "Family"): "each revision has another number",
    ("ApiCpuScaling", "PolicyName"): "required, and unique within the service only",
    ("ApiMemoryScaling", "PolicyName"): "required, and unique within the service only",
    ("WorkerBacklogScaling", "PolicyName"): "required, and unique within the service only",
}
NAMING = re.compile(r"(Name|NamePrefix|Identifier|Id|Family)$")


@relation
def cache_names_are_valid(rendered: Rendered) -> Iterator[str]:
    """The name of the cache has at most 40 lower-case letters, digits and single hyphens, and begins with a letter."""
    for kind, key in CACHE_NAMES:
        for resource in resources_of_type(rendered, kind):
            name = resource.properties.get(key)
            if name is None:
                continue
            if len(name) > CACHE_NAME_LENGTH:
                yield f"{key} of {resource.logical_id} is {name}: {len(name)} characters, of at most {CACHE_NAME_LENGTH}."
            if not CACHE_NAME.fullmatch(name):
                yield f"{key} of {resource.logical_id} is {name}, which holds what ElastiCache refuses."


@relation
def secret_names_do_not_end_like_a_suffix(rendered: Rendered) -> Iterator[str]:
    """Secrets Manager appends a hyphen and six characters, and interprets such an ending as part of an ARN."""
    for secret in resources_of_type(rendered, "AWS::SecretsManager::Secret"):
        name = text_of(secret.properties.get("Name", ""))
        if SUFFIX.search(name):
            yield f"{secret.logical_id} is named {name}, which ends like the suffix that Secrets Manager appends."


@relation
def properties_are_not_empty(rendered: Rendered) -> Iterator[str]:
    """A property has a value or is left out: a service refuses an empty name or ARN. Stacks and functions read an empty text as no value."""
    for kind, resource in resources(rendered):
        if kind.startswith("AWS::") and kind != "AWS::CloudFormation::Stack":
            for key, value in resource.properties.items():
                if value == "":
                    yield f"{resource.logical_id} has an empty {key}."


@relation
def master_user_is_not_reserved(rendered: Rendered) -> Iterator[str]:
    """The name of the master user is not a reserved word of PostgreSQL or RDS."""
    for database in resources_of_type(rendered, "AWS::RDS::DBInstance"):
        user = database.properties.get("MasterUsername")
        if user is None:
            if "DBSnapshotIdentifier" not in database.properties:
                yield f"{database.logical_id} is new, but has no master user."
            continue
        word = user.lower()
        reserved = word in RESERVED_BY_POSTGRESQL | RESERVED_BY_RDS
        if reserved or word.startswith(RESERVED_BEGINNINGS) or not USER_NAME.fullmatch(user):
            yield f"{database.logical_id} has the master user {user}, which is reserved."


@relation
def explicit_names_have_a_reason(rendered: Rendered) -> Iterator[str]:
    """A name that cannot change in place blocks a replacement: CloudFormation creates the new resource first."""
    for kind, resource in resources(rendered):
        for key in sorted(create_only(kind) | identifier(kind)):
            value = resource.properties.get(key)
            given = value is not None and not origins_in(rendered, resource.layer, value)
            if given and NAMING.search(key) and (resource.logical_id, key) not in NAMED:
                yield f"{resource.logical_id} is given the {key} {text_of(value)}, without a reason in the list."
