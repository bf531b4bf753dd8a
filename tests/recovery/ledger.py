"""A table of the application: written and read with the URL that its containers get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.engines.database_host import DatabaseHost
from tests.launches.environments import Environment


def url_of(environment: Environment) -> str:
    """DATABASE_URL of the containers, from its secret."""
    url: str = json.loads(environment.secret_values()["Data.DatabaseUrl"])["url"]
    return url


@contextmanager
def application(url: str, host: DatabaseHost, **options: str) -> Iterator[psycopg.Connection]:
    """A session of the application, over verified TLS, with other options than those of the URL."""
    root = str(host.identity.root)
    with psycopg.connect(url, sslmode="verify-full", sslrootcert=root, **options) as session:  # type: ignore[arg-type]
        yield session


def write(url: str, host: DatabaseHost, *entries: int) -> None:
    """Add entries to the ledger."""
    with application(url, host) as session:
        session.execute("CREATE TABLE IF NOT EXISTS ledger (entry int)")
        for entry in entries:
            session.execute("INSERT INTO ledger VALUES (%s)", [entry])


def read(url: str, host: DatabaseHost) -> list[int]:
    """The entries of the ledger."""
    with application(url, host) as session:
        rows = session.execute("SELECT entry FROM ledger ORDER BY 1").fetchall()
    return [int(row[0]) for row in rows]
