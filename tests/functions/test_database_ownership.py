"""The owner role takes over a database from before release 1.2.0 while tasks use it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.engines.rds import Rds
from tests.functions import old_application
from tests.functions.cloudformation import Answers, Context
from tests.functions.databases import (
    BEFORE_1_2_0,
    MASTER,
    NEXT_USER,
    OWNER,
    USER,
    Stack,
    admits,
    application,
    reason_of_failure,
    refused,
)

pytestmark = pytest.mark.usefixtures("no_password_in_sight")

# What the master user keeps, besides the database and its extensions.
OWNERS = """
SELECT 1, nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'
UNION ALL SELECT 2, srvowner::regrole::text FROM pg_foreign_server
UNION ALL SELECT 3, pubowner::regrole::text FROM pg_publication
UNION ALL SELECT 4, subowner::regrole::text FROM pg_subscription
UNION ALL SELECT 5, evtowner::regrole::text FROM pg_event_trigger
ORDER BY 1
"""
# Time for one round of statements and for the response, without waiting.
HURRIED = Context(15)


@pytest.fixture
def full(database: Rds) -> list[list[object]]:
    """A database of release 1.1.0 with data; yields the data."""
    with database.session() as connection:
        connection.run("CREATE EXTENSION vector")
        connection.run('CREATE EXTENSION "uuid-ossp"')
        old_application.create(connection)
        return old_application.contents(connection)


def test_objects_of_the_master_user_get_the_owner_and_keep_their_data(
    stack: Stack, database: Rds, full: list[list[object]]
) -> None:
    stack.succeed("Update", USER, BEFORE_1_2_0)

    with application(database) as connection:
        assert old_application.owners(connection) == {
            kind.name: OWNER for kind in old_application.KINDS
        }
        assert old_application.contents(connection) == full
        left = connection.run(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE relowner = 'carbon'::regrole"
            " UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p WHERE proowner = 'carbon'::regrole"
        )
        assert left == []
        for kind in old_application.KINDS:
            connection.run(kind.owners_right)


def test_database_and_extensions_stay_with_the_master_user(
    stack: Stack, database: Rds, full: list[list[object]]
) -> None:
    assert full
    # On RDS the master user creates the wrapper with postgres_fdw, and subscriptions and event triggers as well.
    for statement in (
        "CREATE FOREIGN DATA WRAPPER elsewhere",
        f"GRANT USAGE ON FOREIGN DATA WRAPPER elsewhere TO {MASTER}",
        "CREATE SUBSCRIPTION theirs CONNECTION 'host=/nowhere password=none' PUBLICATION ours"
        " WITH (connect = false)",
        f"ALTER ROLE {MASTER} SUPERUSER",
        f"ALTER SUBSCRIPTION theirs OWNER TO {MASTER}",
        "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION noted()",
        f"ALTER EVENT TRIGGER watch OWNER TO {MASTER}",
        f"ALTER ROLE {MASTER} NOSUPERUSER",
    ):
        database.administer(statement, database.database)
    database.run("CREATE SERVER other FOREIGN DATA WRAPPER elsewhere")
    database.run("CREATE PUBLICATION ours")
    before = database.run(OWNERS)
    stack.succeed("Update", USER, BEFORE_1_2_0)

    rows = database.run(
        "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
        " UNION ALL SELECT extowner::regrole::text FROM pg_extension WHERE extname <> 'plpgsql'"
    )
    assert rows == [[MASTER]] * 3
    assert [owner for _, owner in before] == ["pg_database_owner", *[MASTER] * 4]
    assert database.run(OWNERS) == before
    # The server deletes no database with a subscription.
    for statement in (
        "ALTER SUBSCRIPTION theirs SET (slot_name = NONE)",
        "DROP SUBSCRIPTION theirs",
    ):
        database.administer(statement, database.database)


def test_tasks_of_the_master_user_are_not_interrupted(
    stack: Stack, database: Rds, full: list[list[object]]
) -> None:
    """During and after the change of owners, old tasks keep their connections and open new ones."""
    assert full
    stop, failures, rounds = threading.Event(), [], [0]

    def work(reconnect: bool) -> None:
        while not stop.is_set():
            try:
                with database.session() as connection:
                    while not stop.is_set():
                        for statement in old_application.WORK:
                            connection.run(statement)
                        rounds[0] += 1
                        if reconnect:
                            break
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=work, args=(each,)) for each in (False, True)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: rounds[0] > 3)
        stack.succeed("Update", USER, BEFORE_1_2_0)
        seen = rounds[0]
        wait_until(lambda: rounds[0] > seen + 3 or bool(failures))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_after_a_rollback_the_previous_release_can_do_everything(
    stack: Stack, database: Rds, full: list[list[object]]
) -> None:
    """The services of 1.1.0 connect as the master user again; what they create then is taken over by the next update."""
    stack.succeed("Update", USER, BEFORE_1_2_0)

    with database.session() as connection:
        assert old_application.contents(connection) == full
        for statement in old_application.WORK:
            connection.run(statement)
        for kind in old_application.KINDS:
            connection.run(kind.owners_right)
        connection.run("CREATE TABLE since (x int); INSERT INTO since VALUES (7)")
        connection.run('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')

    stack.succeed("Update", USER, BEFORE_1_2_0)
    with application(database) as connection:
        assert connection.run("SELECT x FROM since") == [[7]]
        connection.run("ALTER TABLE since ADD COLUMN y int")


def test_objects_that_old_tasks_create_during_the_update_get_the_owner(
    stack: Stack, database: Rds
) -> None:
    stack.succeed("Update", USER, BEFORE_1_2_0)
    database.run("CREATE TABLE late (id serial, x int)")
    database.run("CREATE SCHEMA later")

    with application(database) as connection:
        connection.run("INSERT INTO late (x) VALUES (1)")
        connection.run("CREATE TABLE later.mine (x int)")
        assert refused(connection, "ALTER TABLE late ADD COLUMN y int") == "42501"
        stack.succeed("Delete", USER, BEFORE_1_2_0)
        connection.run("ALTER TABLE late ADD COLUMN y int")
        connection.run("DROP SCHEMA later CASCADE")
    assert admits(database, USER)


def test_objects_of_a_reset_session_get_the_owner(stack: Stack, database: Rds) -> None:
    """DISCARD ALL, as connection pools send it, returns to the owner role; SET ROLE NONE ends it."""
    stack.succeed("Create", USER)
    with application(database) as connection:
        old_application.create(connection)
        connection.run("DISCARD ALL")
        assert connection.run("SELECT current_user") == [[OWNER]]
        connection.run("SET ROLE NONE")
        assert connection.run("SELECT current_user") == [[USER]]
        for statement in old_application.WORK:
            connection.run(statement)
        connection.run("CREATE TABLE stray (x int)")
        assert database.run(old_application.relation_owner("stray")) == [[USER]]

        # An update of the extensions keeps the user.
        stack.succeed("Update", USER, USER)
        assert database.run(old_application.relation_owner("stray")) == [[OWNER]]
        connection.run("CREATE TABLE another (x int)")

    stack.succeed("Update", NEXT_USER, USER)
    with application(database, NEXT_USER) as connection:
        connection.run("ALTER TABLE stray ADD COLUMN y int")
        connection.run("ALTER TABLE another ADD COLUMN y int")


def test_short_lock_is_waited_for_without_stopping_others(stack: Stack, database: Rds) -> None:
    database.run("CREATE TABLE busy (x int); INSERT INTO busy VALUES (1)")
    longest = 0.0
    with database.session() as holder:
        holder.run("BEGIN; SELECT * FROM busy")
        updating = threading.Thread(target=stack.send, args=("Update", USER, BEFORE_1_2_0))
        updating.start()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            begun = time.monotonic()
            database.run("SELECT * FROM busy")
            longest = max(longest, time.monotonic() - begun)
        holder.run("COMMIT")
        updating.join()

    assert stack.answers.only["Status"] == "SUCCESS", stack.answers.only
    assert longest < 3, "the function waits a second for its lock"
    with application(database) as connection:
        connection.run("ALTER TABLE busy ADD COLUMN y int")


def test_long_lock_is_reported_and_finished_work_stays(
    stack: Stack, database: Rds, answers: Answers
) -> None:
    for name in ("busy", "free"):
        database.run(f"CREATE TABLE {name} (x int)")
    with database.session() as holder:
        holder.run("SET application_name TO 'nightly report'")
        holder.run("BEGIN; SELECT * FROM busy")
        stack.send("Update", USER, BEFORE_1_2_0, context=HURRIED)
        reason = reason_of_failure(answers)
        assert "table public.busy is locked by session" in reason
        assert f"of {MASTER} (nightly report), in a transaction of" in reason
        assert database.run(old_application.relation_owner("free")) == [[OWNER]]

    stack.succeed("Update", USER, BEFORE_1_2_0)
    assert database.run(old_application.relation_owner("busy")) == [[OWNER]]


def test_objects_of_other_roles_stay(stack: Stack, database: Rds) -> None:
    """Also objects of the master user in a schema of another role, where the owner role cannot create objects."""
    with database.session() as connection:
        connection.run(
            "CREATE ROLE reports; GRANT reports TO carbon; CREATE SCHEMA theirs AUTHORIZATION reports"
        )
        connection.run("SET ROLE reports; CREATE TABLE theirs.own (x int); RESET ROLE")
        connection.run("CREATE TABLE theirs.ours (x int)")
    stack.succeed("Update", USER, BEFORE_1_2_0)

    assert database.run(old_application.relation_owner("theirs.own")) == [["reports"]]
    assert database.run(old_application.relation_owner("theirs.ours")) == [[MASTER]]
    database.run(f"GRANT USAGE ON SCHEMA theirs TO {OWNER}")
    with application(database) as connection:
        assert connection.run("SELECT * FROM theirs.ours") == []
        assert refused(connection, "SELECT * FROM theirs.own") == "42501"


def test_user_gets_the_settings_of_the_master_user(stack: Stack, database: Rds) -> None:
    with database.session() as connection:
        connection.run("CREATE SCHEMA app; CREATE TABLE app.found (x int)")
        connection.run("ALTER ROLE carbon SET search_path TO app, public")
        connection.run(
            "ALTER ROLE carbon IN DATABASE carbon_connect SET statement_timeout TO '70s'"
        )
    stack.succeed("Update", USER, BEFORE_1_2_0)

    with application(database) as connection:
        assert connection.run("SELECT * FROM found") == []
        assert connection.run("SHOW search_path") == [["app, public"]]
        assert connection.run("SHOW statement_timeout") == [["70s"]]


def test_schema_with_the_name_of_the_master_user_is_found(stack: Stack, database: Rds) -> None:
    """PostgreSQL searches names first in the schema with the current user's name."""
    database.run("CREATE SCHEMA carbon; CREATE TABLE found (x int)")
    stack.succeed("Update", USER, BEFORE_1_2_0)

    with application(database) as connection:
        assert connection.run("SELECT * FROM found") == []
        connection.run("CREATE TABLE another (x int)")
        assert connection.run("SELECT 'carbon.another'::regclass IS NOT NULL") == [[True]]
