"""Outputs of the data layer that later layers receive."""

from __future__ import annotations

from templates_src.core.parameters.declaration import wired
from templates_src.core.parameters.groups import DATA_OUTPUTS
from templates_src.core.parameters.wiring.identifiers import secret_arn

HOST_NAME = r"[a-zA-Z0-9.-]+"
DATABASE_HOST = wired(
    "DatabaseHost",
    group=DATA_OUTPUTS,
    label="Database host",
    description="Host name of the database.",
    pattern=HOST_NAME,
    message="DatabaseHost must be the host name of the database.",
)
CACHE_HOST = wired(
    "CacheHost",
    group=DATA_OUTPUTS,
    label="Cache host",
    description="Host name of the cache.",
    pattern=HOST_NAME,
    message="CacheHost must be the host name of the cache.",
)
CACHE_PORT = wired(
    "CachePort",
    group=DATA_OUTPUTS,
    label="Cache port",
    description="Port of the cache.",
    pattern=r"[1-9]\d{0,4}",
    message="CachePort must be the port of the cache, such as 6379.",
)
CACHE_USER_NAME = wired(
    "CacheUserName",
    group=DATA_OUTPUTS,
    label="Cache user",
    description="Name of the cache's user in use.",
    pattern="[a-z][a-z0-9-]*",
    message="CacheUserName must be the name of a user of the cache.",
)
CACHE_USER_SECRET_ARN = secret_arn(
    "CacheUserSecretArn",
    group=DATA_OUTPUTS,
    label="Cache user's secret",
    description="ARN of the secret that holds the password of the cache's user in use.",
)
CACHE_CREDENTIALS_IN_USE = wired(
    "CacheCredentialsInUse",
    group=DATA_OUTPUTS,
    label="Cache credentials in use",
    description="Credentials of the cache in use and their version, such as first/1.",
    pattern=r"(first|second)/[1-9]\d{0,2}",
    message="CacheCredentialsInUse must be first or second, a slash and a version, such as first/1.",
)
DATABASE_URL_SECRET_ARN = secret_arn(
    "DatabaseUrlSecretArn",
    group=DATA_OUTPUTS,
    label="Database URL",
    description="ARN of the secret that holds the database's URL, password included.",
)
CACHE_URL_SECRET_ARN = secret_arn(
    "CacheUrlSecretArn",
    group=DATA_OUTPUTS,
    label="Cache URL",
    description="ARN of the secret that holds the cache's URL, password included.",
)
SEARCH_VOLUME_ID = wired(
    "SearchVolumeId",
    group=DATA_OUTPUTS,
    label="Search volume",
    description="EBS volume of the search index, in FirstPrivateSubnetZone.",
    type="AWS::EC2::Volume::Id",
)
DOCUMENTS_BUCKET_NAME = wired(
    "DocumentsBucketName",
    group=DATA_OUTPUTS,
    label="Documents bucket",
    description="Bucket of application documents and reports.",
    pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    message="DocumentsBucketName must be the name of an S3 bucket.",
)
MEDIA_BUCKET_NAME = wired(
    "MediaBucketName",
    group=DATA_OUTPUTS,
    label="Media bucket",
    description="Bucket of logos and images.",
    pattern=r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    message="MediaBucketName must be the name of an S3 bucket.",
)
