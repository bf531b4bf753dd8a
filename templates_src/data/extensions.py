"""The extensions of the database, which only its master user may create: a function does, as a custom resource."""

from __future__ import annotations

from troposphere import GetAtt

from templates_src.core.function import add_custom_resource, add_function
from templates_src.core.iam import read_secrets
from templates_src.core.layer import Layer
from templates_src.core.wiring import DATABASE_SECRET_ARN, KEY_ARN
from templates_src.data.database import DATABASE, NAME

# In the order of creation. One that is taken away is not dropped.
EXTENSIONS = ("vector", "uuid-ossp")
# A database that was just made may refuse connections for minutes; the function keeps trying.
PATIENCE_SECONDS = 300


def add_extensions(layer: Layer) -> None:
    """Create the extensions once the database answers; deleting the resource leaves them.

    Its address is a property, so that a database that is replaced or restored gets them too.
    """
    secret = layer.parameter(DATABASE_SECRET_ARN)
    function = add_function(
        layer,
        "database_extensions",
        description="Creates the extensions of the database",
        timeout_seconds=PATIENCE_SECONDS,
        statements=read_secrets([secret], layer.parameter(KEY_ARN)),
        inside_vpc=True,
    )
    add_custom_resource(
        layer,
        "DatabaseExtensions",
        function,
        SecretArn=secret,
        Host=GetAtt(DATABASE, "Endpoint.Address"),
        Port=GetAtt(DATABASE, "Endpoint.Port"),
        Database=layer.parameter(NAME),
        Extensions=list(EXTENSIONS),
    )
