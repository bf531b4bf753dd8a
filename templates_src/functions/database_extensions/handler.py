"""Custom resource: extensions and application user of a PostgreSQL database, created as its master user over verified
TLS.

Handler: ``functions.database_extensions.handler.handler``. Runs in subnets that reach the database, Secrets Manager
and, for the response, S3. Memory of 256 MB is enough; a time-out of 300 s gives the database about 290 s to start. Set
ServiceTimeout of the resource a minute above the time-out: then a function that cannot respond delays a stack for
minutes, not for an hour.

Properties of the resource (``Custom::DatabaseExtensions``):

SecretArn
    The master user's secret in JSON, with ``username`` and ``password``. Once a SecretTargetAttachment has filled in ``host``,
    ``port`` and ``dbname``, they serve where the properties below are absent. Give the properties nevertheless: Fn::GetAtt of
    the endpoint makes the resource wait for the database, and a change of address makes CloudFormation call again.
UserSecretArn
    The application user's secret in JSON, with ``username``, which ends in a number, and ``password``. Another number is another
    user; see below.
Owner
    The role that owns the application's objects. It cannot log in.
Host, Port, Database
    Optional, see above. Host must be a name that the server's certificate carries.
Extensions
    Names in the order of creation: a list, or one string with commas. A later version may add one. A name that is taken away is
    not dropped: nothing here ever drops anything.

Environment: AWS_REGION (Lambda sets it) selects the RDS roots. DATABASE_CA_FILE, optional, names a PEM file that replaces them,
for a server that is not RDS; verification of chain and name stays on whatever it says. CURRENT is the JSON of the properties
above as the stack has them now (without Extensions), and RETIREMENT_SECONDS how long replaced tasks may still connect: both for
Delete, whose own properties are those of the past.

Permissions: ``secretsmanager:GetSecretValue`` on the two secrets, ``kms:Decrypt`` on their key, the network interfaces of a
function in a VPC, its own log group.

Create and Update do the same, and may be repeated. The physical ID is the name of the application user. So an update to
another user is a replacement: CloudFormation requests the deletion of the previous one when the whole update, including
the services, has succeeded, and of the new one when the update was rolled back. Both users can log in until then.

Delete of the current user, which is the deletion of the stack, succeeds and changes nothing. Delete of any other
physical ID waits RETIREMENT_SECONDS, gives the owner role the objects that the previous user, or tasks of an earlier
release, created meanwhile, and closes every application user except the current one.

Answers: SUCCESS with ``Fn::GetAtt Versions`` ("vector 0.8.0, uuid-ossp 1.1"); FAILED with a sentence that says why and
never contains a password.
"""

import json
import logging
import os
import re
import time
from collections.abc import Mapping
from typing import Any

import pg8000.native

from ..custom_resource import Deadline, LambdaContext, ProvisioningError, Request, Result, serve
from .extensions import create_extensions
from .ownership import take_over
from .postgres import Endpoint, connected, limit_statements
from .roles import Application, copy_settings, ensure_roles, retire
from .secret import credential, read_secret
from .trust import verified_tls

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PHYSICAL_ID = "database-extensions"
"""The physical ID in releases before 1.2.0, which had no application user."""

CURRENT, RETIREMENT_SECONDS = "CURRENT", "RETIREMENT_SECONDS"

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")
"""The name of an extension. PostgreSQL's limit for an identifier is 63 bytes."""

NUMBERED = re.compile(r".*[^0-9][0-9]+")


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Answer one request of CloudFormation; see the module's docstring."""
    # A failed Create is followed by a Delete of this ID, which then does nothing.
    serve(event, context, provision, str(_current().get("User") or PHYSICAL_ID))


def provision(request: Request) -> Result:
    """Process the request. Raises ProvisioningError."""
    if request.type == "Delete":
        return _delete(request)
    names = extension_names(request.properties.get("Extensions"))
    tls = verified_tls()
    endpoint, application = _database(request.properties, request.deadline)
    with connected(endpoint, tls, request.deadline) as connection:
        limit_statements(connection, request.deadline)
        versions = create_extensions(connection, names)
        _use_catalog_only(connection, request.deadline)
        ensure_roles(connection, endpoint, application)
        copy_settings(connection, endpoint, application)
        _use_catalog_only(connection, request.deadline)
        take_over(connection, endpoint, application, request.deadline)
        # The user of the current tasks can log in until the whole update has succeeded.
        retire(connection, application, keep=(application.user, request.physical_id or ""))
    text = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Result(application.user, {"Versions": text})


def _delete(request: Request) -> Result:
    """Close the former users, unless the current one, and with it the stack, is deleted."""
    result = Result(request.physical_id or PHYSICAL_ID)
    current = _current()
    if not current or result.physical_id == current["User"]:
        return result
    time.sleep(min(float(os.environ[RETIREMENT_SECONDS]), request.deadline.remaining() / 2))
    endpoint, application = _database(current, request.deadline)
    with connected(endpoint, verified_tls(), request.deadline) as connection:
        _use_catalog_only(connection, request.deadline)
        retire(connection, application, keep=(application.user,))
        take_over(connection, endpoint, application, request.deadline)
    return result


def _current() -> Mapping[str, Any]:
    """The current properties of the stack; empty if the environment has none."""
    current: Mapping[str, Any] = json.loads(os.environ.get(CURRENT, "{}"))
    return current


def _use_catalog_only(connection: pg8000.native.Connection, deadline: Deadline) -> None:
    """Search nothing in the application's schemas: an operator that its owner creates there would run as the master user."""
    connection.run("SET search_path TO pg_catalog, pg_temp")
    limit_statements(connection, deadline)


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
                f"Extensions holds {name[:70]!r}, which is not the name of an extension: use letters, digits, hyphens and underscores."
            )
    return names


def _database(properties: Mapping[str, Any], deadline: Deadline) -> tuple[Endpoint, Application]:
    """The database and its roles, from the two secrets and the properties."""
    secret = read_secret(_required(properties, "SecretArn", "the master user's secret"), deadline)
    user_arn = _required(properties, "UserSecretArn", "the application user's secret")
    owner = _required(properties, "Owner", "the role that owns the application's objects")

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
    endpoint = Endpoint(
        host=value("Host", "host"),
        port=int(port),
        database=value("Database", "dbname"),
        user=credential(secret, "username"),
        password=credential(secret, "password"),
    )
    user_secret = read_secret(user_arn, deadline)
    user = credential(user_secret, "username")
    if not NUMBERED.fullmatch(user):
        raise ProvisioningError(f"The application user {user[:70]!r} must end in a number.")
    return endpoint, Application(owner, user, credential(user_secret, "password"))


def _required(properties: Mapping[str, Any], name: str, what: str) -> str:
    found = properties.get(name)
    if not isinstance(found, str) or not found:
        raise ProvisioningError(f"{name} is missing: it names {what}.")
    return found
