"""A custom resource, whose function creates the extensions and the application's user as the master user."""

from __future__ import annotations

import json

from troposphere import GetAtt, Sub

from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.iam import read_secrets
from templates_src.core.layer import Layer
from templates_src.core.parameters.shared import DATABASE_OWNER, DATABASE_USER_STEM
from templates_src.core.parameters.wiring.secrets import (
    DATABASE_SECRET_ARN,
    DATABASE_USER_SECRET_ARN,
)
from templates_src.core.parameters.wiring.security import KEY_ARN
from templates_src.core.rotation import DATABASE_CREDENTIALS_VERSION
from templates_src.data.database import DATABASE, EXTENSIONS
from templates_src.data.database_parameters import NAME

# In the order of creation. An extension that is removed here stays in the database.
NAMES = ("vector", "uuid-ossp")
# A new database may refuse connections for minutes; the function tries again.
PATIENCE_SECONDS = 300
# A replaced task may connect until it is killed: a worker has 120 seconds, and an api first leaves the load balancer, within
# 60 seconds, and then has 30. ECS reports the service as stable in the meantime.
RETIREMENT_SECONDS = 135


def add_extensions(layer: Layer) -> None:
    """Create extensions and user when the database answers; they stay when the resource is deleted.

    The address is a property, so that a replaced or restored database gets them too.
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
        # In a deletion the function does nothing, and one that is inactive or lacks its role must not block it. Another
        # user replaces the resource, and the function then closes the previous user.
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Delete",
        SecretArn=secret,
        UserSecretArn=user_secret,
        Owner=DATABASE_OWNER,
        Host=GetAtt(DATABASE, "Endpoint.Address"),
        Port=GetAtt(DATABASE, "Endpoint.Port"),
        Database=layer.parameter(NAME),
        Extensions=list(NAMES),
    )


def current() -> dict[str, str]:
    """ARNs of the database and its user in this stack, text for Sub: a request that retires a user has the former values."""
    return {
        "SecretArn": f"${{{DATABASE_SECRET_ARN.name}}}",
        "UserSecretArn": f"${{{DATABASE_USER_SECRET_ARN.name}}}",
        "Owner": DATABASE_OWNER,
        "User": f"{DATABASE_USER_STEM}${{{DATABASE_CREDENTIALS_VERSION.name}}}",
        "Host": f"${{{DATABASE}.Endpoint.Address}}",
        "Port": f"${{{DATABASE}.Endpoint.Port}}",
        "Database": f"${{{NAME.name}}}",
    }
