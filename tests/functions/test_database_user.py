"""The application's database user: its privileges, and how one user follows another."""

from __future__ import annotations

import pg8000.native
import pytest

from tests.engines.rds import Rds
from tests.functions import old_application
from tests.functions.cloudformation import Context
from tests.functions.databases import (
    MASTER,
    NEXT_USER,
    OWNER,
    USER,
    USER_PASSWORD,
    Stack,
    admits,
    application,
    refused,
)

pytestmark = pytest.mark.usefixtures("no_password_in_sight")


def test_user_can_log_in_and_has_no_rights_beyond_its_database(stack: Stack, database: Rds) -> None:
    stack.succeed("Create", USER)

    with application(database) as connection:
        assert connection.run("SELECT session_user, current_user") == [[USER, OWNER]]
        attributes = (
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname::text = ANY(:roles)"
        )
        assert connection.run(attributes, roles=[USER, OWNER]) == [[False] * 5] * 2
        for statement in (
            "CREATE ROLE another",
            "CREATE DATABASE another",
            f"ALTER ROLE {MASTER} PASSWORD 'mine'",
            f"SET ROLE {MASTER}",
            f"GRANT {MASTER} TO {USER}",
            "SET ROLE rds_superuser",
            "SELECT * FROM pg_authid",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('/etc/passwd')",
            f"SET ROLE NONE; ALTER ROLE {OWNER} PASSWORD 'mine'",
            "CREATE EXTENSION dblink",
            "DROP EXTENSION vector",
            "ALTER EXTENSION vector UPDATE",
            'DROP EXTENSION "uuid-ossp"',
            'ALTER EXTENSION "uuid-ossp" UPDATE',
            f"DROP DATABASE {database.database}",
            f"ALTER DATABASE {database.database} OWNER TO {OWNER}",
            "DROP SCHEMA public",
        ):
            assert refused(connection, statement) == "42501", statement


def test_objects_of_the_user_belong_to_the_owner(stack: Stack, database: Rds) -> None:
    stack.succeed("Create", USER)

    with application(database) as connection:
        old_application.create(connection)
        assert set(old_application.owners(connection).values()) == {OWNER}
        assert old_application.contents(connection)
        connection.run("GRANT SELECT ON invoices TO PUBLIC")
        for trusted in ("pg_trgm", "citext"):
            connection.run(f"CREATE EXTENSION {trusted}")
        for kind in old_application.KINDS:
            connection.run(kind.owners_right)


def test_owner_cannot_log_in(stack: Stack, database: Rds) -> None:
    stack.succeed("Create", USER)

    assert not admits(database, OWNER, USER_PASSWORD)
    # A role that can log in and has another password is refused, too.
    query = f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{OWNER}'"  # noqa: S608
    assert database.run(query) == [[False]]


def test_both_users_work_until_the_previous_one_is_deleted(stack: Stack, database: Rds) -> None:
    stack.succeed("Create", USER)
    with application(database) as old:
        old.run("CREATE TABLE made_by_the_first (x int)")
        stack.succeed("Update", NEXT_USER, USER)
        with application(database, NEXT_USER) as new:
            new.run("ALTER TABLE made_by_the_first ADD COLUMN y int")
            new.run("CREATE TABLE made_by_the_second (x int)")
        old.run("ALTER TABLE made_by_the_second ADD COLUMN y int")
        assert admits(database, USER)
        assert admits(database, NEXT_USER)

        stack.succeed("Delete", USER, USER)
        with pytest.raises((pg8000.native.InterfaceError, pg8000.native.DatabaseError)):
            old.run("SELECT 1")
    assert not admits(database, USER)
    with application(database, NEXT_USER) as new:
        new.run("DROP TABLE made_by_the_first, made_by_the_second")


def test_a_rolled_back_update_closes_the_new_user_and_keeps_the_previous_one(
    stack: Stack, database: Rds
) -> None:
    stack.succeed("Create", USER)
    stack.succeed("Update", NEXT_USER, USER)

    stack.succeed("Update", USER, NEXT_USER)
    assert admits(database, USER)
    assert admits(database, NEXT_USER), "its tasks still run"
    stack.succeed("Delete", NEXT_USER, NEXT_USER)
    assert admits(database, USER)
    assert not admits(database, NEXT_USER)


def test_user_of_a_failed_request_is_closed_by_the_next_one(stack: Stack, database: Rds) -> None:
    stack.succeed("Create", USER)
    assert stack.send("Update", NEXT_USER, USER, Extensions=["none_such"])["Status"] == "FAILED"
    stack.succeed("Update", NEXT_USER, USER)

    stack.succeed("Update", USER, USER)
    assert not admits(database, NEXT_USER)


def test_deleting_the_stack_changes_nothing(stack: Stack, database: Rds) -> None:
    """It does not use the network, because the database may not exist."""
    stack.succeed("Create", USER)
    database.stop()
    try:
        stack.succeed("Delete", USER, USER)
    finally:
        database.start()
    assert admits(database, USER)


def test_a_creation_that_fails_is_deleted_without_a_database(stack: Stack, database: Rds) -> None:
    database.stop()
    try:
        answer = stack.send("Create", USER, context=Context(11))
        assert answer["Status"] == "FAILED"
        stack.succeed("Delete", USER, answer["PhysicalResourceId"])
    finally:
        database.start()


def test_restored_snapshot_gets_the_password_and_closes_older_users(
    stack: Stack, database: Rds
) -> None:
    with database.session() as connection:
        for user in (USER, NEXT_USER, "carbon_app_x", "reader_1"):
            connection.run(f"CREATE ROLE {user} LOGIN PASSWORD 'of-the-past'")
        connection.run(f"CREATE ROLE {OWNER}")
        connection.run(f"GRANT {OWNER} TO {USER}, {NEXT_USER}, carbon_app_x, reader_1")
    stack.succeed("Create", USER)

    assert admits(database, USER)
    assert not admits(database, USER, "of-the-past")
    assert not admits(database, NEXT_USER, "of-the-past")
    assert admits(database, "carbon_app_x", "of-the-past"), "not one of the application's users"
    assert admits(database, "reader_1", "of-the-past")


def test_repeating_a_request_changes_nothing(stack: Stack, database: Rds) -> None:
    query = (
        "SELECT rolname, rolcanlogin, rolinherit FROM pg_roles UNION ALL"
        " SELECT roleid::regrole::text || '/' || member::regrole::text, inherit_option, set_option"
        " FROM pg_auth_members UNION ALL SELECT datacl::text, NULL, NULL FROM pg_database ORDER BY 1, 2, 3"
    )
    stack.succeed("Create", USER)
    once = database.run(query)
    stack.succeed("Update", USER, USER)

    assert database.run(query) == once


def test_code_of_the_application_never_runs_as_the_master_user(stack: Stack, database: Rds) -> None:
    """The function's queries do not call functions and operators of the application with names of PostgreSQL's."""
    stack.succeed("Create", USER)
    with application(database) as connection:
        connection.run("CREATE TABLE caught (name text); GRANT ALL ON caught TO PUBLIC")
        connection.run(
            "CREATE FUNCTION catch(text, text) RETURNS boolean LANGUAGE plpgsql AS"
            " $$BEGIN INSERT INTO public.caught VALUES (current_user); RETURN true; END$$"
        )
        connection.run("CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = catch)")
    # They take precedence only with such a search path.
    database.run("ALTER ROLE carbon SET search_path TO public, pg_catalog")
    stack.succeed("Update", USER, USER)

    database.run("ALTER ROLE carbon RESET search_path")
    assert database.run("SELECT name FROM caught WHERE name OPERATOR(pg_catalog.=) 'carbon'") == []
