"""The secrets that the function reads."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from ..custom_resource import Deadline, ProvisioningError

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)

DENIED = "AccessDeniedException"
DENIED_SECONDS = 60.0
"""How long a denial counts as temporary, because IAM may not have propagated a policy of the same update yet."""

PAUSE_SECONDS = 2.0


def read_secret(arn: str, deadline: Deadline) -> Mapping[str, Any]:
    """The JSON object in a secret. Raises ProvisioningError, without content of the secret."""
    text = _text(arn, deadline)
    try:
        secret = json.loads(text)
    except ValueError:
        # Without the message of the parser, which quotes the secret.
        raise ProvisioningError(f"The secret {arn} is not JSON.") from None
    if not isinstance(secret, dict):
        raise ProvisioningError(f"The secret {arn} is not a JSON object.")
    return secret


def credential(secret: Mapping[str, Any], key: str) -> str:
    """A value of a secret. Raises ProvisioningError if it is missing or not text."""
    found = secret.get(key)
    if not isinstance(found, str) or not found:
        raise ProvisioningError(f"The secret has no {key}.")
    return found


def _text(arn: str, deadline: Deadline) -> str:
    client = boto3.client("secretsmanager", config=CLIENT)
    patience = Deadline.after(min(DENIED_SECONDS, deadline.remaining()))
    while True:
        try:
            return str(client.get_secret_value(SecretId=arn)["SecretString"])
        except botocore.exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown error")
            if code != DENIED or patience.remaining() <= PAUSE_SECONDS:
                raise ProvisioningError(f"The secret {arn} cannot be read: {code}.") from error
        except botocore.exceptions.BotoCoreError as error:
            raise ProvisioningError(
                f"Secrets Manager cannot be reached: {type(error).__name__}."
            ) from error
        except KeyError:
            raise ProvisioningError(f"The secret {arn} holds no text.") from None
        LOGGER.info("the secret %s cannot be read yet", arn)
        time.sleep(PAUSE_SECONDS)
