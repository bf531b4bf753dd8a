"""A connection to a PostgreSQL database over verified TLS, and the meaning of its errors."""

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pg8000.native

from ..custom_resource import Deadline, ProvisioningError

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

ATTEMPT_SECONDS = 5.0
"""The time-out of one connection attempt: a firewall that drops packets sends no answer."""

PAUSE_SECONDS = 1.0
"""Between two attempts."""

WRONG_PASSWORD, NO_LOGIN = "28P01", "28000"
NOT_YET_STATES = (WRONG_PASSWORD, NO_LOGIN)
"""invalid_password and invalid_authorization_specification. A restored database has the credentials of its snapshot: RDS sets the
password after the restore, and applies it after it answered the modification."""

NOT_YET_SECONDS = 120.0
"""How long these states count as temporary. After that, the credentials are wrong."""

STARTING_STATES = ("57P03", "53300")
"""cannot_connect_now while the server starts, too_many_connections: temporary SQLSTATEs."""

REASONS = {
    WRONG_PASSWORD: "the password in the secret is not that of the user",
    NO_LOGIN: "the server does not admit this user",
    "3D000": "the database does not exist",
    "57014": "a lock held it up until the function's time ran out",
}
"""The meaning of SQLSTATEs here; for others, the message of the server is used."""


@dataclass(frozen=True)
class Endpoint:
    """The address of the database, and the user that connects. No representation contains the password."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.database} as {self.user}"


@contextmanager
def connected(
    endpoint: Endpoint, tls: ssl.SSLContext, deadline: Deadline
) -> Iterator[pg8000.native.Connection]:
    """A connection whose statements end at the deadline; a broken connection raises ProvisioningError.

    Waits for a database that is starting until the deadline.
    """
    connection = _connect(endpoint, tls, deadline)
    try:
        yield connection
    except pg8000.native.DatabaseError as error:
        raise ProvisioningError(f"The database {endpoint} failed: {explain(error)}.") from error
    except (pg8000.native.InterfaceError, OSError) as error:
        raise ProvisioningError(f"The connection to {endpoint} broke: {_cause(error)}.") from error
    finally:
        _close(connection)


def limit_statements(connection: pg8000.native.Connection, deadline: Deadline) -> None:
    """End a statement that waits for a lock at the deadline; in milliseconds, where 0 would mean without limit."""
    connection.run(f"SET statement_timeout = {max(1, int(deadline.remaining() * 1000))}")


def _connect(
    endpoint: Endpoint, tls: ssl.SSLContext, deadline: Deadline
) -> pg8000.native.Connection:
    """Connect, and try again while the server is unreachable, is starting, or has the credentials of a snapshot."""
    patience = Deadline.after(NOT_YET_SECONDS)
    LOGGER.info("connecting to %s", endpoint)
    waiting_for = "there was no time to try"
    refusal: pg8000.native.DatabaseError | None = None
    while deadline.remaining() > 0:
        try:
            return _attempt(endpoint, tls, deadline)
        except ssl.SSLCertVerificationError as error:
            raise ProvisioningError(
                f"The certificate of {endpoint.host} was not accepted: {error.verify_message}."
            ) from error
        except (pg8000.native.DatabaseError, pg8000.native.InterfaceError, OSError) as error:
            refusal = _refusal(error)
            if refusal and not _passes(state(refusal), patience):
                raise ProvisioningError(
                    f"The database refused {endpoint}: {explain(refusal)}."
                ) from error
            waiting_for = explain(refusal) if refusal else _cause(error)
        LOGGER.info("not connected yet: %s", waiting_for)
        time.sleep(min(PAUSE_SECONDS, deadline.remaining()))
    if refusal and state(refusal) in NOT_YET_STATES:
        raise ProvisioningError(f"The database refused {endpoint}: {waiting_for}.")
    raise ProvisioningError(
        f"The database {endpoint} could not be reached in the function's time: {waiting_for}."
    )


def _attempt(
    endpoint: Endpoint, tls: ssl.SSLContext, deadline: Deadline
) -> pg8000.native.Connection:
    """Connect once. The socket is created here, because pg8000 has one time-out for connecting and for every later response."""
    limit = min(ATTEMPT_SECONDS, deadline.remaining())
    opened = socket.create_connection((endpoint.host, endpoint.port), timeout=limit)
    try:
        opened.settimeout(max(limit, deadline.remaining()))
        return pg8000.native.Connection(
            endpoint.user,
            host=endpoint.host,  # the name that the certificate must have
            database=endpoint.database,
            password=endpoint.password,
            ssl_context=tls,
            application_name="database-extensions",
            sock=opened,
        )
    except BaseException:
        opened.close()
        raise


def _passes(code: str, patience: Deadline) -> bool:
    return code in STARTING_STATES or (code in NOT_YET_STATES and patience.remaining() > 0)


def _refusal(error: BaseException | None) -> pg8000.native.DatabaseError | None:
    """The error of the server, if there is one.

    pg8000 sends a termination message to a server that refused it. If the server has closed the connection already,
    this second error hides the first.
    """
    while error and not isinstance(error, pg8000.native.DatabaseError):
        error = error.__context__
    return error


def _close(connection: pg8000.native.Connection) -> None:
    try:
        connection.close()
    except (pg8000.native.InterfaceError, OSError) as error:
        LOGGER.info("the connection was already closed: %s", _cause(error))


def state(error: pg8000.native.DatabaseError) -> str:
    """The SQLSTATE: pg8000 passes on the fields of the server's ErrorResponse, C is the code and M the message."""
    return str(_fields(error).get("C", ""))


def explain(error: pg8000.native.DatabaseError) -> str:
    """Why the server refused, as text for a sentence."""
    return REASONS.get(state(error)) or str(_fields(error).get("M", "it gave no reason"))


def _fields(error: pg8000.native.DatabaseError) -> dict[str, str]:
    return error.args[0] if error.args and isinstance(error.args[0], dict) else {}


def _cause(error: BaseException) -> str:
    """The error of the system if the driver only wraps it."""
    return str(error.__cause__ or error) or type(error).__name__
