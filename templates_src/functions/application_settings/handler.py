"""Custom resource: fails if the application's own settings cannot be read, or use a name of this package.

Handler: ``functions.application_settings.handler.handler``. Needs no VPC. Memory 256 MB is ample.

Properties of the resource (``Custom::ApplicationSettings``):

Bucket, Key
    The environment file: lines NAME=VALUE, comments that begin with #, and empty lines, as ECS reads it.
SecretArn
    The secret of the application: a JSON object whose values are texts.
Reserved
    The names of the variables that this package sets. AWS_ and ECS_ belong to AWS.

Create and Update check; Delete does nothing, and neither does the rollback of an update of the stack or of its root, which must
succeed. The answer names settings, never a value.

Permissions: ``s3:GetObject`` on the object, ``secretsmanager:GetSecretValue`` on the secret, ``kms:Decrypt`` on its key,
``cloudformation:DescribeStacks`` on the stack and its root; its own log group.
"""

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from ..custom_resource import LambdaContext, ProvisioningError, Request, Result, serve
from ..stack_status import is_rolled_back

LOGGER = logging.getLogger(__name__)
PHYSICAL_ID = "application-settings"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OF_AWS = ("AWS_", "ECS_")
LARGEST_BYTES = 65_536

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
)


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation; see the module's docstring."""
    serve(event, context, provision, PHYSICAL_ID)


def provision(request: Request) -> Result:
    """Check the settings. Raises ProvisioningError with what is wrong."""
    if request.type != "Delete" and not _is_rollback(request.stack_id):
        properties = request.properties
        reserved = frozenset(properties["Reserved"])
        place = f"s3://{properties['Bucket']}/{properties['Key']}"
        require_own_names(names_in_file(file_text(properties, place), place), reserved, place)
        place = "the application's secret"
        require_own_names(names_in_secret(properties["SecretArn"]), reserved, place)
    return Result(PHYSICAL_ID)


def _is_rollback(stack_id: str) -> bool:
    """Whether an update is rolled back. Without the status, a rollback looks like an update, and it must succeed."""
    try:
        return is_rolled_back(stack_id)
    except (BotoCoreError, ClientError) as error:
        LOGGER.warning("the settings are not checked, because the stack cannot be read: %s", error)
        return True


def require_own_names(names: Iterable[str], reserved: frozenset[str], place: str) -> None:
    """Raise ProvisioningError if one of the names belongs to this package or to AWS."""
    taken = sorted({name for name in names if name in reserved or name.startswith(OF_AWS)})
    if taken:
        raise ProvisioningError(
            f"{', '.join(taken)} in {place}: this package or AWS sets a variable of this name. Rename the setting."
        )


def file_text(properties: Mapping[str, Any], place: str) -> str:
    """The text of the environment file. Raises ProvisioningError if it cannot be read."""
    try:
        answer = boto3.client("s3", config=CLIENT).get_object(
            Bucket=properties["Bucket"], Key=properties["Key"]
        )
        body: bytes = answer["Body"].read(LARGEST_BYTES + 1)
        text = body.decode()
    except (BotoCoreError, ClientError) as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
        raise ProvisioningError(
            f"{place} cannot be read ({code}). Upload it before you set its version."
        ) from error
    except UnicodeDecodeError as error:
        raise ProvisioningError(f"{place} is not UTF-8 text.") from error
    if len(body) > LARGEST_BYTES:
        raise ProvisioningError(f"{place} is larger than {LARGEST_BYTES} bytes.")
    return text


def names_in_file(text: str, place: str) -> list[str]:
    """The names of an environment file. Raises ProvisioningError with the number of a wrong line."""
    names = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, _ = line.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise ProvisioningError(f"Line {number} of {place} is not NAME=VALUE.")
        names.append(name)
    return names


def names_in_secret(arn: str) -> list[str]:
    """The names in the application's secret. Raises ProvisioningError if it is not a JSON object of texts."""
    client = boto3.client("secretsmanager", config=CLIENT)
    try:
        found = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    except (KeyError, ValueError):
        # Without the cause: the message of a JSON error can have a part of the secret.
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ProvisioningError(
            'The application\'s secret must be a JSON object of texts, such as {"NAME": "VALUE"}.'
        )
    return list(found)
