"""Declarations of role ARNs, role names and secret ARNs that an earlier layer outputs."""

from __future__ import annotations

from templates_src.core.parameters.declaration import Declaration, wired

ROLE_NAME = r"[\w+=,.@-]{1,64}"
ROLE_ARN = r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+"
SECRET_ARN = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+"  # noqa: S105


def role_arn(name: str, *, group: str, label: str, description: str) -> Declaration:
    """Declare the ARN of an IAM role that an earlier layer outputs."""
    message = f"{name} must be the ARN of an IAM role, arn:aws:iam::ACCOUNT:role/NAME."
    return wired(
        name, group=group, label=label, description=description, pattern=ROLE_ARN, message=message
    )


def role_name(name: str, *, group: str, label: str, description: str) -> Declaration:
    """Declare the name of an IAM role that an earlier layer outputs."""
    message = f"{name} must be the name of an IAM role, without its path."
    return wired(
        name, group=group, label=label, description=description, pattern=ROLE_NAME, message=message
    )


def secret_arn(name: str, *, group: str, label: str, description: str) -> Declaration:
    """Declare the ARN of a secret that an earlier layer outputs."""
    message = f"{name} must be the ARN of a secret of Secrets Manager."
    return wired(
        name, group=group, label=label, description=description, pattern=SECRET_ARN, message=message
    )
