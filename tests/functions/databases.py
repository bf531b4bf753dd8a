"""Helpers for the tests of the database's function: the properties of its resource, and the state of the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pg8000.native
import pytest
from pg8000.native import Connection

from templates_src.functions.database_extensions.handler import handler
from tests.engines.rds import Rds
from tests.functions.cloudformation import Answers, Context

AMPLE = Context(60)
# The function reserves ten seconds for its response, so one is left for the database.
SHORT = Context(11)
WANTED = ["vector", "uuid-ossp"]
OWNER, USER, NEXT_USER = "carbon_owner", "carbon_app_1", "carbon_app_2"
# The password of the application user: letters and digits, like those of Secrets Manager.
USER_PASSWORD, NEXT_PASSWORD = "UserPassword1" * 3, "UserPassword2" * 3

PASSWORDS = {USER: USER_PASSWORD, NEXT_USER: NEXT_PASSWORD}
MASTER = Rds.user
# The physical ID that releases before 1.2.0 gave the resource.
BEFORE_1_2_0 = "database-extensions"

Store = Callable[[str], str]


def properties(database: Rds, secret: str, user_secret: str, **more: Any) -> dict[str, Any]:
    """The properties of the resource in the template."""
    return {
        "ServiceToken": "arn:aws:lambda:eu-north-1:123456789012:function:extensions",
        "SecretArn": secret,
        "UserSecretArn": user_secret,
        "Owner": OWNER,
        "Host": database.host,
        "Port": str(database.port),
        "Database": database.database,
        "Extensions": WANTED,
        **more,
    }


def installed(database: Rds) -> list[str]:
    """The extensions of the database, in the order of their creation."""
    rows = database.run("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid")
    return [str(row[0]) for row in rows]


def reason_of_failure(answers: Answers) -> str:
    """The reason of the only answer, which is a failure."""
    assert answers.only["Status"] == "FAILED"
    return str(answers.only["Reason"])


@dataclass
class Stack:
    """CloudFormation's side: the resource of the stack, with the function's environment from its properties."""

    database: Rds
    master_secret: str
    user_secrets: dict[str, str]
    answers: Answers
    environment: pytest.MonkeyPatch

    def properties(self, user: str, **more: Any) -> dict[str, Any]:
        return properties(self.database, self.master_secret, self.user_secrets[user], **more)

    def is_now(self, user: str) -> None:
        """Set the function's environment for this user, like the template."""
        current = {**self.properties(user), "User": user}
        self.environment.setenv("CURRENT", json.dumps(current))
        self.environment.setenv("RETIREMENT_SECONDS", "0.2")

    def send(
        self, kind: str, user: str, physical_id: str = "", context: Context = AMPLE, **more: Any
    ) -> dict[str, Any]:
        """Send a request; returns the response."""
        if kind != "Delete":
            self.is_now(user)
        self.answers.taken.clear()
        identified = {"PhysicalResourceId": physical_id} if physical_id else {}
        event = self.answers.event(kind, self.properties(user, **more), **identified)
        handler(event, context)
        return self.answers.only

    def succeed(self, kind: str, user: str, physical_id: str = "") -> None:
        answer = self.send(kind, user, physical_id)
        assert answer["Status"] == "SUCCESS", answer
        assert answer["PhysicalResourceId"] == (physical_id if kind == "Delete" else user)


@contextmanager
def application(database: Rds, user: str = USER) -> Iterator[Connection]:
    """A connection of the application."""
    with database.session(user, PASSWORDS[user]) as connection:
        yield connection


def admits(database: Rds, user: str, password: str = "") -> bool:
    """Whether a user can log in."""
    try:
        with database.session(user, password or PASSWORDS[user]):
            return True
    except pg8000.native.DatabaseError as error:
        if error.args[0]["C"] not in ("28P01", "28000"):
            raise
        return False


def refused(connection: Connection, statement: str) -> str:
    """The SQLSTATE of a statement that the server refuses."""
    with pytest.raises(pg8000.native.DatabaseError) as caught:
        connection.run(statement)
    return str(caught.value.args[0]["C"])
