"""The extensions, created in a real PostgreSQL 16 over verified TLS."""

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from templates_src.functions.database_extensions.handler import handler
from templates_src.functions.database_extensions.postgres import Endpoint, _refusal
from tests.engines.rds import Rds
from tests.engines.tls import issue
from tests.functions.cloudformation import Answers, Context
from tests.functions.databases import (
    AMPLE,
    OWNER,
    SHORT,
    USER,
    WANTED,
    Store,
    installed,
    properties,
    reason_of_failure,
)

pytestmark = pytest.mark.usefixtures("no_password_in_sight")


def test_create_creates_the_extensions_in_order(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)

    assert answers.only["Status"] == "SUCCESS", answers.only
    assert answers.only["PhysicalResourceId"] == USER
    assert answers.only["Data"] == {"Versions": "vector 0.8.5, uuid-ossp 1.1"}
    assert installed(database) == WANTED
    assert database.run("SELECT '[1,0]'::vector <-> '[1,2]'::vector") == [[2.0]]
    assert database.run("SELECT uuid_generate_v4() IS NOT NULL") == [[True]]


def test_attached_secret_replaces_missing_properties(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(
        answers.event(
            "Create",
            {
                "SecretArn": secret,
                "UserSecretArn": user_secret,
                "Owner": OWNER,
                "Extensions": "uuid-ossp",
            },
        ),
        AMPLE,
    )

    assert answers.only["Status"] == "SUCCESS", answers.only
    assert installed(database) == ["uuid-ossp"]


def test_a_second_run_and_one_more_extension_replace_nothing(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    first = answers.only["PhysicalResourceId"]
    more = properties(database, secret, user_secret, Extensions=[*WANTED, "pg_trgm"])
    for wanted in (properties(database, secret, user_secret), more):
        handler(answers.event("Update", wanted, PhysicalResourceId=first), AMPLE)

    assert [answer["Status"] for answer in answers.taken] == ["SUCCESS"] * 3
    assert {answer["PhysicalResourceId"] for answer in answers.taken} == {first}
    assert installed(database) == [*WANTED, "pg_trgm"]


def test_removed_extension_is_not_dropped(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    handler(
        answers.event("Update", properties(database, secret, user_secret, Extensions="vector")),
        AMPLE,
    )

    assert installed(database) == WANTED


def test_delete_succeeds_and_changes_nothing(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    answers.taken.clear()
    gone = {"SecretArn": "arn:gone", "Host": "gone.invalid", "Extensions": WANTED}
    handler(answers.event("Delete", gone, PhysicalResourceId=USER), AMPLE)

    assert answers.only["Status"] == "SUCCESS"
    assert installed(database) == WANTED


def test_failed_request_creates_no_extension(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    wanted = properties(
        database, secret, user_secret, Extensions=["vector", "earthdistance", "cube"]
    )
    handler(answers.event("Create", wanted), AMPLE)

    assert "Extension earthdistance was not created" in reason_of_failure(answers)
    assert "cube" in reason_of_failure(answers)
    assert installed(database) == []


def test_an_unknown_extension_is_named(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    wanted = properties(database, secret, user_secret, Extensions=["vector", "no_such_thing"])
    handler(answers.event("Create", wanted), AMPLE)

    expected = 'Extension no_such_thing was not created: extension "no_such_thing" is not available'
    assert reason_of_failure(answers).startswith(expected)
    assert installed(database) == []


def test_missing_privilege_is_reported(
    database: Rds, store: Store, user_secret: str, answers: Answers
) -> None:
    database.run("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    secret = store(json.dumps({"username": "plain", "password": "plain"}))
    try:
        handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    finally:
        database.run("DROP ROLE plain")

    assert "permission denied to create extension" in reason_of_failure(answers)


def test_a_certificate_of_another_authority_is_refused(
    database: Rds,
    secret: str,
    user_secret: str,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DATABASE_CA_FILE", str(issue(tmp_path, "localhost").root))
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)

    assert "The certificate of localhost was not accepted" in reason_of_failure(answers)
    assert installed(database) == []


def test_without_the_override_only_the_regions_roots_are_trusted(
    database: Rds, secret: str, user_secret: str, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_CA_FILE")
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)

    assert "The certificate of localhost was not accepted" in reason_of_failure(answers)


def test_a_certificate_of_another_name_is_refused(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(
        answers.event("Create", properties(database, secret, user_secret, Host="127.0.0.1")), AMPLE
    )

    assert "The certificate of 127.0.0.1 was not accepted: IP address mismatch" in (
        reason_of_failure(answers)
    )


def test_a_server_without_tls_is_refused(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    database.stop()
    database.start("ssl=off")
    handler(answers.event("Create", properties(database, secret, user_secret)), SHORT)
    database.stop()
    database.start()

    assert "Server refuses SSL" in reason_of_failure(answers)


def test_wrong_password_is_reported_and_not_shown(
    database: Rds,
    store: Store,
    user_secret: str,
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = store(json.dumps({"username": database.user, "password": "hunter2"}))
    handler(answers.event("Create", properties(database, secret, user_secret)), SHORT)

    assert "the password in the secret is not that of the user" in reason_of_failure(answers)
    assert "hunter2" not in reason_of_failure(answers) + caplog.text


def test_refusal_is_reported_when_the_server_closes_the_connection() -> None:
    """The error that pg8000 raises when the server closes the connection before the client does."""
    refusal = pg8000.native.DatabaseError({"C": "28P01"})
    goodbye = pg8000.native.InterfaceError("network error")
    goodbye.__context__ = BrokenPipeError()
    goodbye.__context__.__context__ = refusal

    assert _refusal(goodbye) is refusal
    assert _refusal(pg8000.native.InterfaceError("network error")) is None


def test_an_endpoint_shows_no_password() -> None:
    endpoint = Endpoint("host", 5432, "database", "user", "hunter2")

    assert "hunter2" not in f"{endpoint} {endpoint!r}"


def test_missing_database_is_reported(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(
        answers.event("Create", properties(database, secret, user_secret, Database="nowhere")),
        AMPLE,
    )

    assert "the database does not exist" in reason_of_failure(answers)


def test_stopped_database_is_waited_for(
    database: Rds, secret: str, user_secret: str, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    database.stop()
    later = threading.Timer(1.5, database.start)
    later.start()
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    later.join()

    assert answers.only["Status"] == "SUCCESS", answers.only
    assert "not connected yet" in caplog.text
    assert installed(database) == WANTED


def test_starting_database_is_waited_for(
    database: Rds, secret: str, user_secret: str, answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    database.stop()
    database.start_as_standby()
    later = threading.Timer(1.5, database.promote)
    later.start()
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)
    later.join()

    assert answers.only["Status"] == "SUCCESS", answers.only
    assert "the database system is not accepting connections" in caplog.text


def test_database_that_never_starts_is_answered_in_time(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    database.stop()
    handler(answers.event("Create", properties(database, secret, user_secret)), SHORT)
    database.start()

    assert "could not be reached in the function's time" in reason_of_failure(answers)
    assert "refused" in reason_of_failure(answers)


def test_response_without_time_left_is_immediate(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    handler(answers.event("Create", properties(database, secret, user_secret)), Context(9))

    assert "could not be reached in the function's time" in reason_of_failure(answers)


def test_silent_server_is_answered_in_time(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        handler(
            answers.event("Create", properties(database, secret, user_secret, Port=port)), SHORT
        )

    assert "timed out" in reason_of_failure(answers)


def test_lock_of_another_session_is_answered_in_time(
    database: Rds, secret: str, user_secret: str, answers: Answers
) -> None:
    with database.session() as other:
        other.run("BEGIN")
        other.run("CREATE EXTENSION vector")
        handler(answers.event("Create", properties(database, secret, user_secret)), SHORT)

    assert "a lock held it up" in reason_of_failure(answers)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (None, "Extensions must be a list"),
        ({"vector": "1"}, "Extensions must be a list"),
        ([7], "Extensions must be a list"),
        ([], "Extensions is empty"),
        ("", "not the name of an extension"),
        (["vector", ""], "not the name of an extension"),
        (['vector"; DROP TABLE emissions; --'], "not the name of an extension"),
        (["../../etc/passwd"], "not the name of an extension"),
        (["-vector"], "not the name of an extension"),
        (["v" * 64], "not the name of an extension"),
        (["vector\n"], "not the name of an extension"),
    ],
)
def test_invalid_list_of_names_is_refused(
    database: Rds, secret: str, user_secret: str, answers: Answers, wanted: object, reason: str
) -> None:
    handler(
        answers.event("Create", properties(database, secret, user_secret, Extensions=wanted)), AMPLE
    )

    if wanted == ["vector\n"]:
        # Surrounding white space is a list's, not a name's.
        assert answers.only["Status"] == "SUCCESS"
    else:
        assert reason in reason_of_failure(answers)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"SecretArn": None}, "SecretArn is missing"),
        ({"SecretArn": "arn:aws:secretsmanager:eu-north-1:1:secret:x"}, "cannot be read: Resource"),
        ({"Port": "5432; DROP"}, "Port must be a number"),
        ({"Port": "0"}, "Port must be a number"),
        ({"Port": "70000"}, "Port must be a number"),
    ],
)
def test_a_wrong_property_is_named(
    database: Rds,
    secret: str,
    user_secret: str,
    answers: Answers,
    change: dict[str, Any],
    reason: str,
) -> None:
    handler(answers.event("Create", properties(database, secret, user_secret, **change)), AMPLE)

    assert reason in reason_of_failure(answers)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hunter2", "is not JSON"),
        ('"hunter2"', "is not a JSON object"),
        ('{"username": "postgres"}', "The secret has no password"),
        ('{"password": "hunter2"}', "The secret has no username"),
        ('{"username": 7, "password": "hunter2"}', "The secret has no username"),
    ],
)
def test_content_of_an_invalid_secret_is_not_shown(
    database: Rds,
    store: Store,
    user_secret: str,
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
    text: str,
    reason: str,
) -> None:
    handler(answers.event("Create", properties(database, store(text), user_secret)), AMPLE)

    assert reason in reason_of_failure(answers)
    assert "hunter2" not in reason_of_failure(answers) + caplog.text


def test_missing_host_is_refused(
    database: Rds, store: Store, user_secret: str, answers: Answers
) -> None:
    secret = store(json.dumps({"username": "u", "password": "p"}))
    handler(answers.event("Create", properties(database, secret, user_secret, Host="")), AMPLE)

    assert "Neither the property Host nor host in the secret" in reason_of_failure(answers)


@pytest.mark.parametrize("region", ["xx-nowhere-1", "", "eu-north"])
def test_a_region_without_roots_is_refused(
    database: Rds,
    secret: str,
    user_secret: str,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    region: str,
) -> None:
    monkeypatch.delenv("DATABASE_CA_FILE")
    monkeypatch.setenv("AWS_REGION", region)
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)

    assert f"no root certificates of Amazon RDS for the region '{region}'" in (
        reason_of_failure(answers)
    )


@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_an_override_without_certificates_does_not_turn_verification_off(
    database: Rds,
    secret: str,
    user_secret: str,
    answers: Answers,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    content: str | None,
) -> None:
    override = tmp_path / "roots.pem"
    if content is not None:
        override.write_text(content)
    monkeypatch.setenv("DATABASE_CA_FILE", str(override))
    handler(answers.event("Create", properties(database, secret, user_secret)), AMPLE)

    assert "holds no certificates to verify the database with" in reason_of_failure(answers)
