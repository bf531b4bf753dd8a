"""Secrets, one per purpose: generated ones, whose generation is frozen, and API keys that a user sets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from awacs.aws import Statement
from troposphere import GetAtt, If, Ref, Sub
from troposphere.secretsmanager import GenerateSecretString, Secret

from templates_src.core import iam
from templates_src.core.layer import Layer
from templates_src.core.parameters.declaration import Declaration
from templates_src.core.parameters.shared import (
    CACHE_SECOND_USER,
    CACHE_USER,
    DATABASE_MASTER_USER,
    DATABASE_USER_STEM,
    PASSWORD_KEY,
)
from templates_src.core.rotation import (
    CACHE_CREDENTIALS,
    DATABASE_CREDENTIALS_VERSION,
    DATABASE_MASTER_VERSION,
    JWT_SECRET,
    SEARCH_KEY_VERSION,
    SESSION_KEY,
    versioned_name,
)

# The JSON key of a secret with a single value.
VALUE = "value"


@dataclass(frozen=True)
class GeneratedSecret:
    """A secret that Secrets Manager generates: the JSON of ``fields``, with ``length`` letters and digits under
    ``key``.

    Another value of the parameter ``version`` replaces the secret; a field can refer to it.
    """

    title: str
    description: str
    fields: tuple[tuple[str, str], ...]
    key: str
    length: int
    version: Declaration | None = None

    def generation(self) -> GenerateSecretString:
        """The GenerateSecretString property.

        It excludes punctuation: passwords are part of URLs, and RDS rejects four of these characters.
        """
        template = json.dumps(dict(self.fields))
        return GenerateSecretString(
            SecretStringTemplate=Sub(template) if "${" in template else template,
            GenerateStringKey=self.key,
            PasswordLength=self.length,
            ExcludePunctuation=True,
        )


@dataclass(frozen=True)
class TypedSecret:
    """A secret whose value a user sets after the launch."""

    title: str
    description: str
    initial: str | None = None


# FROZEN. CloudFormation generates a new value when GenerateSecretString of a running environment changes in any way,
# even in a length or a space: the database and the cache keep the old password until they are updated, running tasks
# keep it until they are replaced, and sessions and tokens end. So only the description can change; another secret needs
# another entry. Lengths: 1 to 128 characters for PostgreSQL on RDS, 16 to 128 for ElastiCache, at least 16 bytes for
# Meilisearch; 62 possible characters a position are 5.9 bits each.
DATABASE = GeneratedSecret(
    "DatabaseSecret",
    "Master user of the database",
    (("username", DATABASE_MASTER_USER),),
    PASSWORD_KEY,
    48,
    DATABASE_MASTER_VERSION,
)
DATABASE_USER = GeneratedSecret(
    "DatabaseUserSecret",
    "User of the application in the database",
    (("username", f"{DATABASE_USER_STEM}${{{DATABASE_CREDENTIALS_VERSION.name}}}"),),
    PASSWORD_KEY,
    48,
    DATABASE_CREDENTIALS_VERSION,
)
CACHE = GeneratedSecret(
    "CacheSecret",
    "User of the cache",
    (("username", CACHE_USER),),
    PASSWORD_KEY,
    48,
    CACHE_CREDENTIALS.first,
)
CACHE_SECOND = GeneratedSecret(
    "CacheSecondSecret",
    "Second user of the cache",
    (("username", CACHE_SECOND_USER),),
    PASSWORD_KEY,
    48,
    CACHE_CREDENTIALS.second,
)
JWT = GeneratedSecret("JwtSecret", "Signs the tokens of the api", (), VALUE, 64, JWT_SECRET.first)
JWT_SECOND = GeneratedSecret(
    "JwtSecondSecret", "Signs the tokens of the api, too", (), VALUE, 64, JWT_SECRET.second
)
SESSION = GeneratedSecret(
    "SessionKeySecret", "Signs the sessions of the api", (), VALUE, 64, SESSION_KEY.first
)
SESSION_SECOND = GeneratedSecret(
    "SessionSecondKeySecret",
    "Signs the sessions of the api, too",
    (),
    VALUE,
    64,
    SESSION_KEY.second,
)
SEARCH_KEY = GeneratedSecret(
    "SearchKeySecret", "Master key of Meilisearch", (), VALUE, 48, SEARCH_KEY_VERSION
)
GENERATED = (
    DATABASE,
    DATABASE_USER,
    CACHE,
    CACHE_SECOND,
    JWT,
    JWT_SECOND,
    SESSION,
    SESSION_SECOND,
    SEARCH_KEY,
)

# FROZEN too: CloudFormation writes SecretString only when the property changes, and would then overwrite the key that
# the user set.
UNSET = json.dumps({VALUE: "unset"})
CLAUDE_API_KEY = TypedSecret(
    "ClaudeApiKeySecret", 'Anthropic API key; put in as {"value": "KEY"} after the launch'
)
CLIMATIQ_API_KEY = TypedSecret(
    "ClimatiqApiKeySecret", 'Climatiq API key; put in as {"value": "KEY"} after the launch'
)
# Empty until a user sets it; frozen like UNSET.
APPLICATION = TypedSecret(
    "ApplicationSecret", "The application's own secrets; put in as JSON after the launch", "{}"
)
TYPED = (CLAUDE_API_KEY, CLIMATIQ_API_KEY, APPLICATION)

# The secrets that ECS injects into containers; the URLs of database and cache are secrets of the data layer.
INJECTED = (
    JWT,
    JWT_SECOND,
    SESSION,
    SESSION_SECOND,
    SEARCH_KEY,
    CLAUDE_API_KEY,
    CLIMATIQ_API_KEY,
    APPLICATION,
)


def add_secrets(layer: Layer, key_arn: GetAtt) -> dict[str, Ref]:
    """Every secret, encrypted with the key; returns their ARNs by title."""
    arns = {
        secret.title: add_secret(
            layer,
            secret,
            Secret(
                secret.title,
                KmsKeyId=key_arn,
                GenerateSecretString=secret.generation(),
                **name_of(layer, secret),
            ),
        )
        for secret in GENERATED
    }
    for typed in TYPED:
        arns[typed.title] = add_secret(
            layer, typed, Secret(typed.title, KmsKeyId=key_arn, SecretString=typed.initial or UNSET)
        )
    return arns


def name_of(layer: Layer, secret: GeneratedSecret) -> dict[str, If]:
    """The property Name of a secret that a version parameter replaces."""
    if secret.version is None:
        return {}
    return {"Name": versioned_name(layer, secret.version, secret.title)}


def add_secret(layer: Layer, secret: GeneratedSecret | TypedSecret, resource: Secret) -> Ref:
    """Describe and add a secret; returns its ARN.

    It has no explicit name, or one that contains the name of the stack: a fixed name would conflict with a secret of
    that name that is scheduled for deletion. CloudFormation deletes it with the stack, without a recovery window. That
    is safe, because a database that is restored from its snapshot gets the password of the new stack's secret.
    """
    resource.Description = secret.description
    resource.DeletionPolicy = "Delete"
    resource.UpdateReplacePolicy = "Delete"
    return Ref(layer.add(resource))


def read_statements(
    arns: dict[str, Ref], secrets: Iterable[GeneratedSecret | TypedSecret], key_arn: GetAtt
) -> tuple[Statement, Statement]:
    """Statements with which a role can read these secrets."""
    return iam.read_secrets([arns[secret.title] for secret in secrets], key_arn)
