"""A database that was just restored: it has the credentials of its snapshot, and RDS sets the stack's password seconds later."""

from __future__ import annotations

import json
import threading

import pytest

from templates_src.functions.database_extensions import postgres
from templates_src.functions.database_extensions.handler import handler
from tests.engines.rds import Rds
from tests.functions.cloudformation import Answers
from tests.functions.databases import (
    AMPLE,
    NEXT_PASSWORD,
    NEXT_USER,
    USER,
    USER_PASSWORD,
    Store,
    admits,
    properties,
    reason_of_failure,
)

pytestmark = pytest.mark.usefixtures("no_password_in_sight")

OF_THE_STACK = NEXT_PASSWORD
SECONDS = 2.5


@pytest.fixture
def master_secret(database: Rds, store: Store) -> str:
    """The secret of a stack that restored the database: the password is not that of the snapshot."""
    return store(json.dumps({"username": database.user, "password": OF_THE_STACK}))


def test_a_password_that_rds_sets_later_is_waited_for(
    database: Rds,
    master_secret: str,
    user_secret: str,
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
) -> None:
    later = threading.Timer(SECONDS, database.set_password, [OF_THE_STACK])
    later.start()
    handler(answers.event("Create", properties(database, master_secret, user_secret)), AMPLE)
    later.join()

    assert answers.only["Status"] == "SUCCESS", answers.only
    assert "not connected yet: the password in the secret is not that of the user" in caplog.text
    assert admits(database, USER)


def test_a_master_user_that_cannot_log_in_yet_is_waited_for(
    database: Rds, secret: str, user_secret: str, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    database.administer(f"ALTER ROLE {database.user} NOLOGIN")
    later = threading.Timer(SECONDS, database.administer, [f"ALTER ROLE {database.user} LOGIN"])
    later.start()
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    later.join()

    assert answers.only["Status"] == "SUCCESS", answers.only
    assert "not connected yet: the server does not admit this user" in caplog.text


@pytest.mark.parametrize("change", ["", "NOLOGIN"], ids=["password", "login"])
def test_what_stays_wrong_is_refused_before_the_time_of_the_function_ends(
    database: Rds,
    master_secret: str,
    user_secret: str,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    monkeypatch.setattr(postgres, "NOT_YET_SECONDS", 1.5)
    if change:
        database.administer(f"ALTER ROLE {database.user} {change}")
        database.set_password(OF_THE_STACK)
        database.administer(f"ALTER ROLE {database.user} {change}")
    handler(answers.event("Create", properties(database, master_secret, user_secret)), AMPLE)

    assert f"The database refused {database.host}" in reason_of_failure(answers)


def test_users_of_the_snapshot_have_the_passwords_of_the_stack_or_none(
    database: Rds, secret: str, user_secret: str, store: Store, answers: Answers
) -> None:
    next_secret = store(json.dumps({"username": NEXT_USER, "password": "OfTheSnapshot2"}))
    for each in (user_secret, next_secret):
        handler(answers.event("Create", properties(database, secret, each)), AMPLE)
    with database.session(NEXT_USER, "OfTheSnapshot2") as application:
        application.run("CREATE TABLE ledger AS SELECT 1 AS entry")
    restored = store(json.dumps({"username": NEXT_USER, "password": NEXT_PASSWORD}))

    handler(answers.event("Create", properties(database, secret, restored)), AMPLE)

    assert not admits(database, NEXT_USER, "OfTheSnapshot2")
    assert not admits(database, USER, USER_PASSWORD)
    with database.session(NEXT_USER, NEXT_PASSWORD) as application:
        assert application.run("INSERT INTO ledger VALUES (2) RETURNING entry") == [[2]]
