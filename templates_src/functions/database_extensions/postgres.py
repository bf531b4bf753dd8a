"""Extensions in a PostgreSQL database, as its master user."""

import logging
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pg8000.native

from ..custom_resource import Deadline, ProvisioningError

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

ATTEMPT_SECONDS = 5.0
"""How long one connection attempt may take: a packet filter that drops packets answers nothing."""

PAUSE_SECONDS = 1.0
"""Between two attempts."""

STARTING_STATES = ("57P03", "53300")
"""cannot_connect_now while the server starts, too_many_connections: SQLSTATEs that pass."""

REASONS = {
    "28P01": "the password in the secret is not that of the user",
    "28000": "the server does not admit this user",
    "3D000": "the database does not exist",
    "42501": "the user may not create it",
    "57014": "a lock held it up until the function's time ran out",
}
"""What a SQLSTATE means here; any other state is explained by the server's own message."""


@dataclass(frozen=True)
class Endpoint:
    """Where the database is and who creates its extensions. The password stands in no representation."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database} as {self.user}"


def create_extensions(
    endpoint: Endpoint, names: Sequence[str], tls: ssl.SSLContext, deadline: Deadline
) -> dict[str, str]:
    """Create those of the extensions that are missing, all or none, in this order; return each one's installed version.

    Names are quoted, not escaped: the caller has checked their characters. Waits for a database that is starting until the
    deadline. Raises ProvisioningError.
    """
    connection = _connect(endpoint, tls, deadline)
    try:
        # A statement that waits for a lock ends with the deadline; milliseconds, and 0 would mean for ever.
        connection.run(f"SET statement_timeout = {max(1, int(deadline.remaining() * 1000))}")
        connection.run("BEGIN")
        for name in names:
            _create(connection, name)
        connection.run("COMMIT")
        rows = connection.run("SELECT extname, extversion FROM pg_extension")
    except pg8000.native.DatabaseError as error:
        raise ProvisioningError(f"The database {endpoint} failed: {_explain(error)}.") from error
    except (pg8000.native.InterfaceError, OSError) as error:
        raise ProvisioningError(f"The connection to {endpoint} broke: {_cause(error)}.") from error
    finally:
        _close(connection)
    installed = {str(name): str(version) for name, version in rows or ()}
    return {name: installed[name] for name in names}


def _create(connection: pg8000.native.Connection, name: str) -> None:
    try:
        connection.run(f'CREATE EXTENSION IF NOT EXISTS "{name}"')
    except pg8000.native.DatabaseError as error:
        raise ProvisioningError(f"Extension {name} was not created: {_explain(error)}.") from error
    LOGGER.info("extension %s is there", name)


def _connect(
    endpoint: Endpoint, tls: ssl.SSLContext, deadline: Deadline
) -> pg8000.native.Connection:
    """Connect, again and again while the server cannot be reached or says that it is starting."""
    LOGGER.info("connecting to %s", endpoint)
    waiting_for = "there was no time to try"
    while deadline.remaining() > 0:
        try:
            return _attempt(endpoint, tls, deadline)
        except ssl.SSLCertVerificationError as error:
            raise ProvisioningError(
                f"The certificate of {endpoint.host} was not accepted: {error.verify_message}."
            ) from error
        except (pg8000.native.DatabaseError, pg8000.native.InterfaceError, OSError) as error:
            refusal = _refusal(error)
            if refusal and _state(refusal) not in STARTING_STATES:
                raise ProvisioningError(
                    f"The database refused {endpoint}: {_explain(refusal)}."
                ) from error
            waiting_for = _explain(refusal) if refusal else _cause(error)
        LOGGER.info("not connected yet: %s", waiting_for)
        time.sleep(min(PAUSE_SECONDS, deadline.remaining()))
    raise ProvisioningError(
        f"The database {endpoint} could not be reached in the function's time: {waiting_for}."
    )


def _attempt(
    endpoint: Endpoint, tls: ssl.SSLContext, deadline: Deadline
) -> pg8000.native.Connection:
    """Connect once. The socket is made here, because pg8000 has one time-out for connecting and for every later answer."""
    limit = min(ATTEMPT_SECONDS, deadline.remaining())
    opened = socket.create_connection((endpoint.host, endpoint.port), timeout=limit)
    try:
        opened.settimeout(max(limit, deadline.remaining()))
        return pg8000.native.Connection(
            endpoint.user,
            host=endpoint.host,  # the name that the certificate must carry
            database=endpoint.database,
            password=endpoint.password,
            ssl_context=tls,
            application_name="database-extensions",
            sock=opened,
        )
    except BaseException:
        opened.close()
        raise


def _refusal(error: BaseException | None) -> pg8000.native.DatabaseError | None:
    """What the server said, if it said anything.

    pg8000 says goodbye to a server that refused it, and where that one has hung up already, this second error hides the first.
    """
    while error and not isinstance(error, pg8000.native.DatabaseError):
        error = error.__context__
    return error


def _close(connection: pg8000.native.Connection) -> None:
    try:
        connection.close()
    except (pg8000.native.InterfaceError, OSError) as error:
        LOGGER.info("the connection was already closed: %s", _cause(error))


def _state(error: pg8000.native.DatabaseError) -> str:
    """The SQLSTATE: pg8000 hands on the fields of the server's ErrorResponse, C is the code and M the message."""
    return str(_fields(error).get("C", ""))


def _explain(error: pg8000.native.DatabaseError) -> str:
    return REASONS.get(_state(error)) or str(_fields(error).get("M", "it gave no reason"))


def _fields(error: pg8000.native.DatabaseError) -> dict[str, str]:
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def _cause(error: BaseException) -> str:
    """The system's words where the driver only wraps them."""
    return str(error.__cause__ or error) or type(error).__name__
