"""The extensions of the database and the application's user, which its master user makes: a function does, as a custom resource."""

from __future__ import annotations

import json

from troposphere import GetAtt, Sub

from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.iam import read_secrets
from templates_src.core.layer import Layer
from templates_src.core.rotation import DATABASE_CREDENTIALS_VERSION
from templates_src.core.shared import DATABASE_OWNER, DATABASE_USER_STEM
from templates_src.core.wiring import DATABASE_SECRET_ARN, DATABASE_USER_SECRET_ARN, KEY_ARN
from templates_src.data.database import DATABASE, EXTENSIONS, NAME

# In the order of creation. One that is taken away is not dropped.
NAMES = ("vector", "uuid-ossp")
# A database that was just made may refuse connections for minutes; the function keeps trying.
PATIENCE_SECONDS = 300
# A replaced task may connect until it is killed: a worker has 120 seconds, and an api first leaves the load balancer, within
# 60 seconds, and then has 30. ECS reports the service as stable in the meantime.
RETIREMENT_SECONDS = 135


def add_extensions(layer: Layer) -> None:
    """Create extensions and user once the database answers; deleting the resource leaves them.

    The address is a property, so that a database that is replaced or restored gets them too.
    """
    secret, user_secret = (
        layer.parameter(each) for each in (DATABASE_SECRET_ARN, DATABASE_USER_SECRET_ARN)
    )
    function = add_function(
        layer,
        "database_extensions",
        description="Creates the extensions of the database and the user of the application",
        timeout_seconds=PATIENCE_SECONDS,
        environment={
            "CURRENT": Sub(json.dumps(current())),
            "RETIREMENT_SECONDS": str(RETIREMENT_SECONDS),
        },
        statements=read_secrets([secret, user_secret], layer.parameter(KEY_ARN)),
        inside_vpc=True,
    )
    add_custom_resource(
        layer,
        EXTENSIONS,
        function,
        SecretArn=secret,
        UserSecretArn=user_secret,
        Owner=DATABASE_OWNER,
        Host=GetAtt(DATABASE, "Endpoint.Address"),
        Port=GetAtt(DATABASE, "Endpoint.Port"),
        Database=layer.parameter(NAME),
        Extensions=list(NAMES),
    )


def current() -> dict[str, str]:
    """The database and its user as the stack has them, for Sub: a request to retire a user carries values of the past."""
    return {
        "SecretArn": f"${{{DATABASE_SECRET_ARN.name}}}",
        "UserSecretArn": f"${{{DATABASE_USER_SECRET_ARN.name}}}",
        "Owner": DATABASE_OWNER,
        "User": f"{DATABASE_USER_STEM}${{{DATABASE_CREDENTIALS_VERSION.name}}}",
        "Host": f"${{{DATABASE}.Endpoint.Address}}",
        "Port": f"${{{DATABASE}.Endpoint.Port}}",
        "Database": f"${{{NAME.name}}}",
    }
