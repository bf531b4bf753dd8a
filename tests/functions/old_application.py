"""The database of an application before release 1.2.0: everything belongs to the master user."""
# ruff: noqa: S608

from __future__ import annotations

from dataclasses import dataclass

from pg8000.native import Connection

HOSTILE = '"a ""b"" c; DROP TABLE x; --"'


@dataclass(frozen=True)
class Kind:
    """A kind of object: statements to create it, to change it as its owner, and to read its owner."""

    name: str
    create: str
    owners_right: str
    owner: str


def relation_owner(name: str) -> str:
    """A query for the owner of a table, view or sequence."""
    return f"SELECT relowner::regrole::text FROM pg_class WHERE oid = '{name}'::regclass"


def _row(catalog: str, column: str, prefix: str, name: str) -> str:
    return f"SELECT {prefix}owner::regrole::text FROM {catalog} WHERE {column} = '{name}'"


KINDS = (
    Kind(
        "table with a serial column",
        "CREATE TABLE invoices (id serial PRIMARY KEY, total numeric);"
        " INSERT INTO invoices (total) SELECT g FROM generate_series(1, 1000) g",
        "ALTER TABLE invoices ADD COLUMN note text",
        relation_owner("invoices"),
    ),
    Kind(
        "table with an identity column, a foreign key and an index",
        "CREATE TABLE lines (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        " invoice int NOT NULL REFERENCES invoices ON DELETE CASCADE, text text);"
        " INSERT INTO lines (invoice, text) SELECT id, 'line ' || id FROM invoices;"
        " CREATE INDEX ON lines (text)",
        "CREATE INDEX ON lines (invoice)",
        relation_owner("lines"),
    ),
    Kind(
        "partitioned table",
        "CREATE TABLE readings (at date, value int) PARTITION BY RANGE (at);"
        " CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
        " INSERT INTO readings VALUES ('2026-02-03', 7)",
        "CREATE TABLE readings_2027 PARTITION OF readings FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        relation_owner("readings_2026"),
    ),
    Kind(
        "table with a hostile name",
        f"CREATE SCHEMA {HOSTILE}; CREATE TABLE {HOSTILE}.{HOSTILE} (x int);"
        f" INSERT INTO {HOSTILE}.{HOSTILE} VALUES (1)",
        f"ALTER TABLE {HOSTILE}.{HOSTILE} RENAME x TO y",
        relation_owner(f"{HOSTILE}.{HOSTILE}"),
    ),
    Kind(
        "schema",
        'CREATE SCHEMA "Reports"; CREATE TABLE "Reports".yearly AS SELECT 1 AS year',
        'ALTER SCHEMA "Reports" RENAME TO "Old reports"',
        _row("pg_namespace", "nspname", "nsp", "Reports"),
    ),
    Kind(
        "view of two tables",
        "CREATE VIEW totals AS SELECT i.id, i.total, count(*) FROM invoices i JOIN lines l ON l.invoice = i.id"
        " GROUP BY 1, 2",
        "DROP VIEW totals",
        relation_owner("totals"),
    ),
    Kind(
        "materialized view",
        "CREATE MATERIALIZED VIEW summary AS SELECT sum(total) FROM invoices",
        "REFRESH MATERIALIZED VIEW summary",
        relation_owner("summary"),
    ),
    Kind(
        "sequence",
        "CREATE SEQUENCE numbers START 41; SELECT nextval('numbers')",
        "ALTER SEQUENCE numbers RESTART",
        relation_owner("numbers"),
    ),
    Kind(
        "enumeration",
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE people (name text, mood mood);"
        " INSERT INTO people VALUES ('Ada', 'ok')",
        "ALTER TYPE mood ADD VALUE 'happy'",
        _row("pg_type", "typname", "typ", "mood"),
    ),
    Kind(
        "domain",
        "CREATE DOMAIN percent AS numeric CHECK (VALUE BETWEEN 0 AND 100)",
        "ALTER DOMAIN percent ADD CONSTRAINT whole CHECK (VALUE = round(VALUE))",
        _row("pg_type", "typname", "typ", "percent"),
    ),
    Kind(
        "composite type",
        "CREATE TYPE address AS (street text, city text)",
        "ALTER TYPE address ADD ATTRIBUTE zip text",
        _row("pg_type", "typname", "typ", "address"),
    ),
    Kind(
        "range type",
        "CREATE TYPE prices AS RANGE (subtype = numeric)",
        "ALTER TYPE prices RENAME TO price_range",
        _row("pg_type", "typname", "typ", "prices"),
    ),
    Kind(
        "function for its owner only",
        "CREATE FUNCTION increase(x int, VARIADIC y int[]) RETURNS int LANGUAGE sql AS 'SELECT x + 1';"
        " REVOKE EXECUTE ON FUNCTION increase FROM PUBLIC",
        "CREATE OR REPLACE FUNCTION increase(x int, VARIADIC y int[]) RETURNS int LANGUAGE sql AS 'SELECT x + 2'",
        _row("pg_proc", "proname", "pro", "increase"),
    ),
    Kind(
        "procedure",
        "CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM lines WHERE text IS NULL'",
        "ALTER PROCEDURE tidy() RENAME TO tidy_up",
        _row("pg_proc", "proname", "pro", "tidy"),
    ),
    Kind(
        "aggregate without arguments",
        "CREATE FUNCTION one_more(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';"
        " CREATE AGGREGATE rows_of(*) (SFUNC = one_more, STYPE = int, INITCOND = '0')",
        "DROP AGGREGATE rows_of(*)",
        _row("pg_proc", "proname", "pro", "rows_of"),
    ),
    Kind(
        "trigger that writes to a table",
        "CREATE TABLE audit (at timestamptz DEFAULT now(), who text DEFAULT current_user);"
        " CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO audit DEFAULT VALUES; RETURN NEW; END';"
        " CREATE TRIGGER noted AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION note()",
        "ALTER TABLE invoices DISABLE TRIGGER noted",
        relation_owner("audit"),
    ),
    Kind(
        "operator",
        "CREATE OPERATOR |<>| (LEFTARG = int, RIGHTARG = int, FUNCTION = int4ne)",
        "DROP OPERATOR |<>| (int, int)",
        _row("pg_operator", "oprname", "opr", "|<>|"),
    ),
    Kind(
        "statistics",
        "CREATE STATISTICS together ON invoice, text FROM lines",
        "ALTER STATISTICS together SET STATISTICS 100",
        _row("pg_statistic_ext", "stxname", "stx", "together"),
    ),
    Kind(
        "text search configuration",
        "CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple)",
        "ALTER TEXT SEARCH CONFIGURATION plain RENAME TO plainer",
        _row("pg_ts_config", "cfgname", "cfg", "plain"),
    ),
    Kind(
        "collation",
        "CREATE COLLATION strict (provider = libc, locale = 'C')",
        "ALTER COLLATION strict RENAME TO stricter",
        _row("pg_collation", "collname", "coll", "strict"),
    ),
    Kind(
        "large object",
        "SELECT lo_from_bytea(4711, 'large')",
        "SELECT lo_unlink(4711)",
        "SELECT lomowner::regrole::text FROM pg_largeobject_metadata WHERE oid = 4711",
    ),
    Kind(
        "column of an extension's type",
        "CREATE TABLE documents (name text PRIMARY KEY, embedding vector(3));"
        " INSERT INTO documents VALUES ('offer', '[1,0,0]')",
        "CREATE INDEX ON documents USING hnsw (embedding vector_l2_ops)",
        relation_owner("documents"),
    ),
)

# Queries of the data, for comparing two states.
CONTENTS = (
    "SELECT count(*), sum(total) FROM invoices WHERE id <= 1000",
    "SELECT count(*), md5(string_agg(text, ',' ORDER BY id)) FROM lines WHERE invoice <= 1000",
    "SELECT value FROM readings",
    f"SELECT * FROM {HOSTILE}.{HOSTILE}",
    'SELECT year FROM "Reports".yearly',
    "SELECT name, mood::text FROM people",
    "SELECT last_value FROM numbers",
    "SELECT name, embedding::text FROM documents",
    "SELECT convert_from(lo_get(4711), 'UTF8')",
)
# The statements of a running application; each needs several objects.
WORK = (
    "INSERT INTO invoices (total) VALUES (1) RETURNING id",
    "SELECT count(*) FROM totals",
    "SELECT increase(1, 2)",
    "INSERT INTO lines (invoice, text) VALUES (1, 'more')",
    "UPDATE lines SET text = text || '!' WHERE id = (SELECT max(id) FROM lines)",
    "DELETE FROM invoices WHERE id = (SELECT max(id) FROM invoices)",
    "SELECT nextval('numbers') WHERE false",
    "SELECT name FROM documents ORDER BY embedding <-> '[0,1,0]' LIMIT 1",
    "SELECT value FROM readings",
)


def create(connection: Connection) -> None:
    """Create all of KINDS."""
    for kind in KINDS:
        connection.run(kind.create)


def contents(connection: Connection) -> list[list[object]]:
    """The results of CONTENTS."""
    return [list(row) for query in CONTENTS for row in connection.run(query) or ()]


def owners(connection: Connection) -> dict[str, str]:
    """The current owner of each of KINDS."""
    return {kind.name: str((connection.run(kind.owner) or [[None]])[0][0]) for kind in KINDS}
