"""The database: PostgreSQL with pgvector, over TLS that is verified."""

import os

import psycopg

TABLE = "CREATE TABLE IF NOT EXISTS documents (name text PRIMARY KEY, embedding vector(3) NOT NULL)"


def connect() -> psycopg.Connection:
    """A connection to the server that the certificate names.

    The URL asks for TLS only; verify-full also verifies, with the authorities that PGSSLROOTCERT leads to. It is read
    here and not on import: beat imports the tasks too, and is handed no database.
    """
    return psycopg.connect(os.environ["DATABASE_URL"], sslmode="verify-full")


def prepare() -> None:
    """Make the table; several workers may start at once, so one at a time."""
    with connect() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute(TABLE)
