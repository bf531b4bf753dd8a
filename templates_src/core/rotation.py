"""Rotation of secrets: one version parameter for each secret, in one group of the form."""

from __future__ import annotations

from templates_src.core.declaration import Declaration

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
