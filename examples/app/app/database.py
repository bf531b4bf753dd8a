"""The database: PostgreSQL with pgvector, over verified TLS."""

import os

import psycopg

TABLE = "CREATE TABLE IF NOT EXISTS documents (name text PRIMARY KEY, embedding vector(3) NOT NULL)"


def connect() -> psycopg.Connection:
    """A connection to the server, whose certificate is verified.

    The URL only requires TLS; verify-full also verifies the certificate with the authorities in PGSSLROOTCERT. The URL
    is read here and not on import, because beat imports the tasks too and has no database.
    """
    return psycopg.connect(os.environ["DATABASE_URL"], sslmode="verify-full")


def prepare() -> None:
    """Create the table. Several workers may start at once, so a lock lets one run at a time."""
    with connect() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute(TABLE)
