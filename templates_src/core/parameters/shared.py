"""Parameters that several layers share, and the name that begins all names."""

from __future__ import annotations

from troposphere import Sub

from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, choice

ENVIRONMENTS = ("dev", "staging", "prod")
PROD = "prod"

# The JSON key of the password in the secrets of database and cache.
PASSWORD_KEY = "password"  # noqa: S105 - a key, not a password


PROJECT = Declaration(
    name="Project",
    group=groups.ENVIRONMENT,
    label="Project",
    description="Short name of the application; the first part of every name. Choose it before the first launch: a change REPLACES the buckets (the old ones stay) and a serverless cache with empty ones; search is unavailable and beat pauses meanwhile. Launch another environment instead.",
    default="carbon-connect",
    pattern="[a-z](-?[a-z0-9])+",
    # The longest name is an account-regional bucket: {project}-staging-documents-{12 digits}-ap-southeast-1-an
    # within the 63 characters of S3.
    min_length=2,
    max_length=14,
    message="Project must be 2 to 14 lower-case letters, digits and single hyphens, beginning with a letter.",
)

ENVIRONMENT = choice(
    "Environment",
    group=groups.ENVIRONMENT,
    label="Environment",
    description="Type of the environment; prod must satisfy more rules. Choose it before the first launch: a change REPLACES the buckets (the old ones stay) and a serverless cache with empty ones; search is unavailable and beat pauses meanwhile. Launch another environment instead.",
    allowed=ENVIRONMENTS,
    default="dev",
)

PERMISSIONS_BOUNDARY = Declaration(
    name="PermissionsBoundary",
    group=groups.OPERATIONS,
    label="Permissions boundary",
    description="ARN of the managed policy that is the permissions boundary of every role; empty for none.",
    default="",
    pattern=r"(arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]+)?",
    message="PermissionsBoundary must be empty or the ARN of a managed policy, arn:aws:iam::ACCOUNT:policy/NAME.",
)

# The retention periods of CloudWatch Logs that suit the logs of an application.
LOG_RETENTION_DAYS = choice(
    "LogRetentionDays",
    group=groups.OPERATIONS,
    label="Log retention (days)",
    description="How long CloudWatch keeps the logs. A lower number deletes older logs.",
    allowed=("7", "14", "30", "60", "90", "180", "365", "731", "1827", "3653"),
    default="30",
)

# The effect of a change that gives every service a new task definition. Only beat stops its task before it starts the
# new one.
NEW_TASKS = "A change starts new tasks; beat pauses meanwhile."


def new_tasks(service: str) -> str:
    """The effect of a change that gives one service (Api, Worker or Beat) a new task definition."""
    return (
        "A change starts a new task; beat pauses meanwhile."
        if service == "Beat"
        else f"A change starts new tasks of {service.lower()}."
    )


RELEASE_BUCKET = Declaration(
    name="ReleaseBucket",
    group=groups.RELEASE,
    label="Release bucket",
    description="S3 bucket, in the region of the launch, that holds the release.",
    pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    message="ReleaseBucket must be the name of the S3 bucket that the release was uploaded to.",
    release=True,
)

RELEASE_PREFIX = Declaration(
    name="ReleasePrefix",
    group=groups.RELEASE,
    label="Release prefix",
    description="Prefix of the release in its bucket, ending in a slash.",
    pattern=r"([A-Za-z0-9._-]+/)+",
    message="ReleasePrefix must be a prefix in the release bucket that ends in a slash.",
    release=True,
)

# Each is in a generated secret and in the database or cache. A change of the first replaces the database; the second
# cannot change in place, because the user's ID is taken. Neither is a reserved word of PostgreSQL, RDS or Valkey.
DATABASE_MASTER_USER = "carbon"
# The role that owns the application's objects, and the prefix of the names of the application's users; a version
# follows.
DATABASE_OWNER = "carbon_owner"
DATABASE_USER_STEM = "carbon_app_"
CACHE_USER = "carbon"
CACHE_SECOND_USER = "carbon-second"


def named(suffix: str = "") -> Sub:
    """``{project}-{environment}`` and an optional suffix that begins with its own separator."""
    return Sub("${Project}-${Environment}" + suffix)


def celery_key_prefix() -> Sub:
    """The prefix of Celery's keys; the braces put all keys in one hash slot, because Valkey Serverless is a cluster."""
    return Sub("{${Project}-${Environment}}:")


# CloudWatch namespace of the environment's metrics, as text for Sub.
METRIC_NAMESPACE = "${Project}/${Environment}"


def metric_namespace() -> Sub:
    """CloudWatch namespace of the environment's metrics, ``{project}/{environment}``."""
    return Sub(METRIC_NAMESPACE)
