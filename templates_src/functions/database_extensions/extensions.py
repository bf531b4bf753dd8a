"""Extensions in a database, created by its master user."""

import logging
from collections.abc import Sequence

import pg8000.native

from ..custom_resource import ProvisioningError
from .postgres import explain

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)


def create_extensions(connection: pg8000.native.Connection, names: Sequence[str]) -> dict[str, str]:
    """Create those of the extensions that are missing, all or none, in this order; return each one's installed version.

    Raises ProvisioningError.
    """
    connection.run("BEGIN")
    for name in names:
        _create(connection, name)
    connection.run("COMMIT")
    rows = connection.run("SELECT extname, extversion FROM pg_extension")
    installed = {str(name): str(version) for name, version in rows or ()}
    return {name: installed[name] for name in names}


def _create(connection: pg8000.native.Connection, name: str) -> None:
    try:
        connection.run(f"CREATE EXTENSION IF NOT EXISTS {pg8000.native.identifier(name)}")
    except pg8000.native.DatabaseError as error:
        raise ProvisioningError(f"Extension {name} was not created: {explain(error)}.") from error
    LOGGER.info("extension %s exists", name)
