"""Rotation of secrets: one version parameter for each secret, in one group of the form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import Equals, If, NoValue, Sub

from templates_src.core.layer import Layer
from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration, choice
from templates_src.core.parameters.shared import NEW_TASKS, new_tasks

# The version of a secret that was never rotated.
FIRST_VERSION = "1"
# The secrets of a pair.
FIRST, SECOND = "first", "second"


def secret_version(name: str, *, label: str, description: str) -> Declaration:
    """The version of a secret, a whole number from 1 to 999 without leading zeros.

    A stack update with another version rotates the secret: every resource that holds the secret refers to the version,
    because CloudFormation resolves a dynamic reference again only in a resource that changes.
    """
    return Declaration(
        name=name,
        group=groups.ROTATION,
        label=label,
        description=description,
        default=FIRST_VERSION,
        pattern="[1-9][0-9]{0,2}",
        message=f"{name} must be a whole number from 1 to 999; to rotate the secret, add 1 to the current value.",
    )


DATABASE_CREDENTIALS_VERSION = secret_version(
    "DatabaseCredentialsVersion",
    label="Database credentials: version",
    description="Another version gives the application another database user; the previous user loses its login at the end of the update.",
)
DATABASE_MASTER_VERSION = secret_version(
    "DatabaseMasterCredentialsVersion",
    label="Database master password: version",
    description="Another version replaces the secret of the master user, which no container uses, with one that has another password.",
)


def versioned_name(layer: Layer, version: Declaration, title: str) -> If:
    """Name of a generated secret. Another version replaces the secret: new value, new ARN.

    CloudFormation deletes the replaced secret after the whole update, services included, has succeeded. Until then, and
    after a rollback, it is unchanged. A secret of the first version has no explicit name, as in releases before 1.2.0.
    The name of the stack makes the name unique. The slash before the version prevents an end with a hyphen and six
    characters, which Secrets Manager would read as its suffix.
    """
    first = layer.condition(
        f"Is{version.name}First", Equals(layer.parameter(version), FIRST_VERSION)
    )
    return If(first, NoValue, Sub(f"${{AWS::StackName}}/{title}/${{{version.name}}}"))


@dataclass(frozen=True)
class Pair:
    """Two secrets that are both valid, so that readers change from one to the other without an interruption.

    ``in_use`` selects the one that the environment uses. A new version gives the other one a new value at any time,
    because nothing uses it.
    """

    in_use: Declaration
    first: Declaration
    second: Declaration

    def uses_second(self, layer: Layer) -> str:
        """Condition ``UseSecond…``: the second one is in use."""
        return layer.condition(
            f"UseSecond{self.first.name.removesuffix('Version')}",
            Equals(layer.parameter(self.in_use), SECOND),
        )

    def choose(self, layer: Layer, first: Any, second: Any) -> If:
        """The value of the secret in use."""
        return If(self.uses_second(layer), second, first)

    def text(self, layer: Layer) -> If:
        """The secret in use and its version, such as ``first/1``: a text that changes when readers must read again."""
        for version in (self.first, self.second):
            layer.parameter(version)
        return self.choose(
            layer,
            Sub(f"{FIRST}/${{{self.first.name}}}"),
            Sub(f"{SECOND}/${{{self.second.name}}}"),
        )


def pair(
    in_use: str, first: str, second: str, *, label: str, what: str, one: str, change: str
) -> Pair:
    """The parameters of a pair: names, prefix of the labels, words for the pair and for one of it, and the effect of a change."""
    renewal = f"Another version renews the {{}} {one}; renew it only while the other one is in use."
    return Pair(
        choice(
            in_use,
            group=groups.ROTATION,
            label=f"{label}: in use",
            description=f"Which of two {what}; both are accepted, so that api and worker continue. {change}",
            allowed=(FIRST, SECOND),
            default=FIRST,
        ),
        *(
            secret_version(
                name, label=f"{label}: {which}, version", description=renewal.format(which)
            )
            for name, which in ((first, FIRST), (second, SECOND))
        ),
    )


CACHE_CREDENTIALS = pair(
    "CacheCredentials",
    "CacheCredentialsVersion",
    "CacheSecondCredentialsVersion",
    label="Cache credentials",
    what="users of the cache the application is",
    one="user's password",
    change=NEW_TASKS,
)
JWT_SECRET = pair(
    "JwtSigningSecret",
    "JwtSecretVersion",
    "JwtSecondSecretVersion",
    label="JWT secret",
    what="secrets signs new tokens",
    one="secret",
    change=new_tasks("Api"),
)
SESSION_KEY = pair(
    "SessionSigningKey",
    "SessionKeyVersion",
    "SessionSecondKeyVersion",
    label="Session key",
    what="keys signs new sessions",
    one="key",
    change=new_tasks("Api"),
)
SEARCH_KEY_VERSION = secret_version(
    "SearchKeyVersion",
    label="Search key: version",
    description="Another version gives Meilisearch another master key; the search server is replaced, and search is unavailable meanwhile.",
)
API_KEYS_VERSION = secret_version(
    "ApiKeysVersion",
    label="API keys: version",
    description="Another version replaces the tasks of api and worker, which then read the current API keys.",
)
