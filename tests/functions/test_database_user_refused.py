"""Names, roles, passwords and secrets that the function refuses, and conditions that it waits for."""

from __future__ import annotations

import json
import threading
from typing import Any

import boto3
import pytest

from templates_src.functions.custom_resource import Deadline, ProvisioningError
from templates_src.functions.database_extensions import secret as secret_module
from templates_src.functions.database_extensions.secret import read_secret
from tests.engines.rds import Rds
from tests.functions.cloudformation import Answers
from tests.functions.databases import (
    MASTER,
    OWNER,
    USER,
    USER_PASSWORD,
    Stack,
    Store,
    admits,
    reason_of_failure,
)

pytestmark = pytest.mark.usefixtures("no_password_in_sight")


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (f"CREATE ROLE {USER} SUPERUSER", "must not have"),
        (f"CREATE ROLE {USER} CREATEROLE", f"Role {USER} exists and has rights"),
        (f"CREATE ROLE {USER} CREATEDB", "must not have"),
        (f"CREATE ROLE {USER} BYPASSRLS", "must not have"),
        (f"CREATE ROLE {USER}; GRANT rds_superuser TO {USER}", "is a member of rds_superuser"),
        (f"CREATE ROLE {USER}; GRANT {MASTER} TO {USER}", f"is a member of {MASTER}"),
        (f"CREATE ROLE {OWNER}; GRANT {MASTER} TO {OWNER}", f"is a member of {MASTER}"),
        (f"CREATE ROLE {OWNER}; GRANT pg_write_server_files TO {OWNER}", "pg_write_server_files"),
    ],
)
def test_an_existing_role_with_rights_is_refused(
    stack: Stack, database: Rds, answers: Answers, plant: str, reason: str
) -> None:
    for statement in plant.split("; "):
        database.administer(statement)
    stack.send("Create", USER)

    assert reason in reason_of_failure(answers)
    assert not admits(database, USER)


@pytest.mark.parametrize(
    ("user", "owner", "database_name"),
    [
        ('x"; DROP TABLE kept; --1', 'own"er; --', "carbon_connect"),
        ("UPPER and lower 1", "Ownér", "carbon_connect"),
        ("app:name_1", "o'wner", 'data"base; DROP'),
    ],
)
def test_names_are_quoted(
    stack: Stack,
    rds_server: Rds,
    store: Store,
    answers: Answers,
    user: str,
    owner: str,
    database_name: str,
) -> None:
    rds_server.make_instance(database=database_name)
    rds_server.run("CREATE TABLE kept AS SELECT 1 AS x")
    stack.user_secrets[USER] = store(json.dumps({"username": user, "password": USER_PASSWORD}))
    stack.send("Create", USER, Owner=owner, Database=database_name)

    assert answers.only["Status"] == "SUCCESS", answers.only
    with rds_server.session(user, USER_PASSWORD) as connection:
        assert connection.run("SELECT current_user, x FROM kept") == [[owner, 1]]
        connection.run("ALTER TABLE kept ADD COLUMN y int")


@pytest.mark.parametrize(
    ("user", "password", "owner", "reason"),
    [
        ("carbon_app", "p", OWNER, "must end in a number"),
        ("7", "p", OWNER, "must end in a number"),
        ("", "p", OWNER, "The secret has no username"),
        (USER, "", OWNER, "The secret has no password"),
        (USER, "pässword", OWNER, "printable ASCII"),
        (USER, "p", "", "Owner is missing"),
        (USER, "p", USER, "must be three roles"),
        (USER, "p", MASTER, "must be three roles"),
        ("a" * 63 + "1", "p", OWNER, "63 bytes at most"),
        (USER, "p", "ö" * 32, "63 bytes at most"),
        ("pg_app_1", "p", OWNER, "is reserved"),
        (USER, "p", "rds_superuser", "is reserved"),
        (USER, "p", "public", "is reserved"),
    ],
)
def test_invalid_name_or_password_is_refused(
    stack: Stack, store: Store, answers: Answers, user: str, password: str, owner: str, reason: str
) -> None:
    stack.user_secrets[USER] = store(json.dumps({"username": user, "password": password}))
    stack.send("Create", USER, Owner=owner)

    assert reason in reason_of_failure(answers)
    assert "pässword" not in reason_of_failure(answers)


def test_the_users_secret_is_needed(stack: Stack, answers: Answers) -> None:
    stack.send("Create", USER, UserSecretArn="")

    assert "UserSecretArn is missing" in reason_of_failure(answers)


def test_pending_master_password_is_waited_for(stack: Stack, database: Rds, store: Store) -> None:
    stack.master_secret = store(json.dumps({"username": MASTER, "password": "the-next-password"}))
    later = threading.Timer(1.5, database.set_password, ["the-next-password"])
    later.start()
    stack.succeed("Update", USER, USER)
    later.join()


def test_pending_iam_policy_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded AWS applies a policy immediately, so the test injects the denial."""
    arn = store('{"username": "u"}')
    genuine, denials = boto3.client, [1, 1]

    def client(service: str, **options: Any) -> Any:
        made = genuine(service, **options)
        read = made.get_secret_value

        def get_secret_value(**arguments: Any) -> Any:
            if denials:
                denials.pop()
                error = {"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}
                raise made.exceptions.ClientError(error, "GetSecretValue")
            return read(**arguments)

        made.get_secret_value = get_secret_value
        return made

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr(secret_module, "PAUSE_SECONDS", 0.05)

    assert read_secret(arn, Deadline.after(5)) == {"username": "u"}
    denials.extend([1] * 1000)
    with pytest.raises(ProvisioningError, match="cannot be read: AccessDenied"):
        read_secret(arn, Deadline.after(0.3))
