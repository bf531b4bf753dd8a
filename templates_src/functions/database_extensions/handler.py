"""Custom resource: the extensions of a PostgreSQL database, created as its master user over verified TLS.

Handler: ``functions.database_extensions.handler.handler``. Runs in subnets that reach the database, Secrets Manager and, for the
answer, S3. Memory 256 MB is ample; a time-out of 300 s gives the database about 290 s to come up. Set ServiceTimeout of the
resource a minute above the time-out: then a function that cannot answer at all holds a stack up for minutes, not for an hour.

Properties of the resource (``AWS::CloudFormation::CustomResource`` or ``Custom::DatabaseExtensions``):

SecretArn
    A secret in JSON with ``username`` and ``password``. Once a SecretTargetAttachment has filled in ``host``, ``port`` and
    ``dbname``, they serve where the properties below are absent. Give the properties nevertheless: Fn::GetAtt of the endpoint
    makes the resource wait for the database, and a change of address makes CloudFormation call again.
Host, Port, Database
    Optional, see above. Host must be a name that the server's certificate carries.
Extensions
    Names in the order of creation: a list, or one string with commas. A later version may add one. A name that is taken away is
    not dropped: nothing here ever drops anything.

Environment: AWS_REGION (Lambda sets it) selects the RDS roots. DATABASE_CA_FILE, optional, names a PEM file that replaces them,
for a server that is not RDS; verification of chain and name stays on whatever it says.

Permissions: ``secretsmanager:GetSecretValue`` on the secret, ``kms:Decrypt`` on its key, the network interfaces of a function in
a VPC, its own log group.

Answers: SUCCESS with ``Fn::GetAtt Versions`` ("vector 0.8.0, uuid-ossp 1.1"); FAILED with a sentence that says why and never
holds the password. Create and Update do the same; Delete succeeds and touches nothing. The physical ID never changes, so no
update is ever a replacement.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from ..custom_resource import LambdaContext, ProvisioningError, Request, Result, serve
from .postgres import Endpoint, create_extensions
from .trust import verified_tls

PHYSICAL_ID = "database-extensions"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
"""An extension's name; it is quoted in the statement. 63 bytes is PostgreSQL's limit of an identifier."""

CLIENT = botocore.config.Config(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation; see the module's docstring."""
    serve(event, context, provision, PHYSICAL_ID)


def provision(request: Request) -> Result:
    """Create the extensions that the request names. Raises ProvisioningError."""
    physical_id = request.physical_id or PHYSICAL_ID
    if request.type == "Delete":
        return Result(physical_id)
    names = extension_names(request.properties.get("Extensions"))
    tls = verified_tls()
    endpoint = _endpoint(request.properties)
    versions = create_extensions(endpoint, names, tls, request.deadline)
    text = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Result(physical_id, {"Versions": text})


def extension_names(given: object) -> list[str]:
    """The property Extensions as a list without repetitions. Raises ProvisioningError."""
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ProvisioningError("Extensions must be a list of extension names.")
    names = list(dict.fromkeys(part.strip() for part in parts))
    if not names:
        raise ProvisioningError("Extensions is empty: name at least one extension.")
    for name in names:
        if not NAME.fullmatch(name):
            raise ProvisioningError(
                f"Extensions holds {name[:70]!r}, which is no extension's name: letters, digits, hyphens and underscores only."
            )
    return names


def _endpoint(properties: Mapping[str, Any]) -> Endpoint:
    secret_arn = properties.get("SecretArn")
    if not isinstance(secret_arn, str) or not secret_arn:
        raise ProvisioningError(
            "SecretArn is missing: it names the secret with username and password."
        )
    secret = _secret(secret_arn)

    def value(name: str, key: str) -> str:
        found = properties.get(name) or secret.get(key)
        if not found:
            raise ProvisioningError(
                f"Neither the property {name} nor {key} in the secret is given."
            )
        return str(found)

    port = value("Port", "port")
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ProvisioningError("Port must be a number from 1 to 65535.")
    return Endpoint(
        host=value("Host", "host"),
        port=int(port),
        database=value("Database", "dbname"),
        user=_credential(secret, "username"),
        password=_credential(secret, "password"),
    )


def _credential(secret: Mapping[str, Any], key: str) -> str:
    found = secret.get(key)
    if not isinstance(found, str) or not found:
        raise ProvisioningError(f"The secret has no {key}.")
    return found


def _secret(arn: str) -> Mapping[str, Any]:
    client = boto3.client("secretsmanager", config=CLIENT)
    try:
        text = client.get_secret_value(SecretId=arn)["SecretString"]
    except botocore.exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown error")
        raise ProvisioningError(f"The secret {arn} cannot be read: {code}.") from error
    except botocore.exceptions.BotoCoreError as error:
        raise ProvisioningError(
            f"Secrets Manager cannot be reached: {type(error).__name__}."
        ) from error
    except KeyError:
        raise ProvisioningError(f"The secret {arn} holds no text.") from None
    try:
        secret = json.loads(text)
    except ValueError:
        # Without the parser's words: they quote from the secret.
        raise ProvisioningError(f"The secret {arn} is not JSON.") from None
    if not isinstance(secret, dict):
        raise ProvisioningError(f"The secret {arn} is not a JSON object.")
    return secret
