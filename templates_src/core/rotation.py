"""Rotation of secrets: one version parameter for each secret, in one group of the form."""

from __future__ import annotations

from troposphere import Equals, If, NoValue, Sub

from templates_src.core.declaration import Declaration
from templates_src.core.layer import Layer

GROUP_ROTATION = "Rotation"
# The version of every secret in an environment that never rotated it.
FIRST_VERSION = "1"


def secret_version(name: str, *, label: str, description: str) -> Declaration:
    """The version of a secret, a whole number from 1 to 999 without leading zeros.

    A stack update with another version rotates the secret: every resource that holds the secret refers to the version,
    because CloudFormation resolves a dynamic reference again only in a resource that changes.
    """
    return Declaration(
        name=name,
        group=GROUP_ROTATION,
        label=label,
        description=description,
        default=FIRST_VERSION,
        pattern="[1-9][0-9]{0,2}",
        message=f"{name} must be a whole number from 1 to 999; to rotate the secret, add 1 to the present value.",
    )


DATABASE_CREDENTIALS_VERSION = secret_version(
    "DatabaseCredentialsVersion",
    label="Database credentials: version",
    description="Another version gives the application another database user; the previous user is closed at the end of the update.",
)
DATABASE_MASTER_VERSION = secret_version(
    "DatabaseMasterCredentialsVersion",
    label="Database master password: version",
    description="Another version gives the master user, which no container uses, another password.",
)


def versioned_name(layer: Layer, version: Declaration, title: str) -> If:
    """Name of a generated secret, which another version replaces: by a new value, under another ARN.

    CloudFormation deletes the replaced secret when the whole update, services included, has succeeded. Until then, and after a
    rollback, whatever refers to it finds it unchanged. A secret of the first version has no name, as in releases before 1.2.0.
    The stack's name makes the name unique; a slash before the version keeps it from ending in a hyphen and six characters,
    which Secrets Manager would take for its own suffix.
    """
    first = layer.condition(
        f"Is{version.name}First", Equals(layer.parameter(version), FIRST_VERSION)
    )
    return If(first, NoValue, Sub(f"${{AWS::StackName}}/{title}/${{{version.name}}}"))
