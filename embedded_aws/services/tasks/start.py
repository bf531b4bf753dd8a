"""What ECS needs before a container starts: the image, the secrets, the environment files and the log group.

The execution role must allow each. The errors have the words of AWS:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_account_id, get_region

from embedded_aws.bridge import functions, tables
from embedded_aws.services.tasks import images
from embedded_aws.services.tasks.policies import allows

Record = dict[str, Any]
_S3_ARN = "arn:aws:s3:::"


class StartError(Exception):
    """Why a task fails to start: the reason that DescribeTasks shows."""


def pull(definition: Record, container: Record) -> images.Image:
    """The image of a container. Raises StartError if it does not exist or the execution role cannot pull it."""
    reference = container["image"]
    image = images.find(reference)
    failed = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref"
    if image is None:
        raise StartError(f"{failed} {reference}: {reference}: not found")
    arn = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{image.repository}"
    if image.repository and not may_start(definition, "ecr:BatchGetImage", arn):
        raise StartError(
            f"{failed} {reference}: pulling from host {reference.split('/')[0]} failed with status code"
            f" [manifests {reference.rpartition(':')[2]}]: 403 Forbidden"
        )
    return image


def environment(definition: Record, container: Record) -> dict[str, str]:
    """The variables of a container. Those of the definition have precedence over files, and secrets over both.

    Raises StartError if a file or a secret cannot be read.
    """
    values: dict[str, str] = {}
    # "They're processed from the top down": the first file that has a variable sets it.
    for file in reversed(container.get("environmentFiles") or []):
        values.update(_of_file(definition, file["value"]))
    values.update({each["name"]: each["value"] for each in container.get("environment") or []})
    for secret in container.get("secrets") or []:
        arn = ":".join(secret["valueFrom"].split(":")[:7])
        if not may_start(definition, "secretsmanager:GetSecretValue", arn):
            raise StartError(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval"
                " failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch"
                f" secret {arn} from secrets manager: AccessDeniedException: not authorized to perform"
                f" secretsmanager:GetSecretValue on resource {arn}"
            )
    try:
        values.update(functions.container_secrets(container))
    except Exception as problem:
        raise StartError(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:"
            f" {problem}"
        ) from problem
    return values


def _of_file(definition: Record, arn: str) -> dict[str, str]:
    """The variables of an environment file, as Docker reads it: without quotes, expansion and comments."""
    bucket, _, key = arn.removeprefix(_S3_ARN).partition("/")
    failed = f"ResourceInitializationError: failed to download env files: file download command: non empty error stream: {arn}"
    if not may_start(definition, "s3:GetObject", arn):
        raise StartError(f"{failed}: AccessDenied: Access Denied status code: 403")
    body = functions.read_object(bucket, key)
    if body is None:
        raise StartError(f"{failed}: NoSuchKey: The specified key does not exist. status code: 404")
    lines = [line.lstrip() for line in bytes(body).decode().splitlines()]
    pairs = [
        line.partition("=") for line in lines if line and not line.startswith("#") and "=" in line
    ]
    return {name: value for name, _, value in pairs}


def require_log_group(container: Record) -> None:
    """Raise StartError if the log group does not exist."""
    options = (container.get("logConfiguration") or {}).get("options") or {}
    group = options.get("awslogs-group")
    if group and group not in tables.LOG_GROUPS and options.get("awslogs-create-group") != "true":
        raise StartError(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed"
            " to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
        )


def may_start(definition: Record, action: str, resource: str) -> bool:
    """Whether the policies of the execution role of a task definition allow an action."""
    role = definition.get("executionRoleArn")
    return bool(role) and allows(str(role), action, resource)
