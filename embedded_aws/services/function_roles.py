"""Functions call AWS with a session of their role, as on AWS, and not as the account."""

import secrets
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts


def install() -> None:
    """Give every function the credentials of its role."""
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = role_session


def role_session(config: dict[str, Any]) -> dict[str, str]:
    """The variables of a new session of the function's role, in the function's account."""
    return session_of(config["Role"], config["FunctionName"][:64])


def session_of(role_arn: str, name: str) -> dict[str, str]:
    """The variables of a new session of a role."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    key, secret, token = f"ASIA{secrets.token_hex(8).upper()}", *map(secrets.token_hex, (20, 32))
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "UserId": f"{role}:{name}",
        "SecretAccessKey": secret,
        "SessionToken": token,
    }
    sts.register_session(key, session)
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
    }
