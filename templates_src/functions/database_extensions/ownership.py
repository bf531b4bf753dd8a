"""The owner role becomes the owner of the objects that the application created as the master user, or as its users.

There are two passes. Each statement is a separate transaction, so that tasks that use the objects meanwhile are never
refused and never wait longer than LOCK_SECONDS. First the owner role gets every privilege on every object: then a view
and its table can change their owner in any order. Then the objects change their owner.

These do not change: the database and the extensions with their objects, which stay with the master user; objects of
other roles; and the kinds that ALTERED does not list.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import pg8000.native
from pg8000.native import Connection, identifier

from ..custom_resource import Deadline, ProvisioningError
from .postgres import Endpoint, explain, state
from .roles import INSUFFICIENT_PRIVILEGE, Application, application_users

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

# The kind in pg_identify_object, and in ALTER … OWNER TO.
ALTERED = {
    "schema": "SCHEMA",
    "type": "TYPE",
    "composite type": "TYPE",
    "table": "TABLE",
    "foreign table": "FOREIGN TABLE",
    "view": "VIEW",
    "materialized view": "MATERIALIZED VIEW",
    "sequence": "SEQUENCE",
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "aggregate": "ROUTINE",
    "collation": "COLLATION",
    "conversion": "CONVERSION",
    "operator": "OPERATOR",
    "operator class": "OPERATOR CLASS",
    "operator family": "OPERATOR FAMILY",
    "statistics object": "STATISTICS",
    "text search configuration": "TEXT SEARCH CONFIGURATION",
    "text search dictionary": "TEXT SEARCH DICTIONARY",
    "large object": "LARGE OBJECT",
}
# Kinds with privileges, and their word in GRANT; views and the like count as tables.
GRANTED = {
    **{kind: word for kind, word in ALTERED.items() if word in ("SCHEMA", "TYPE", "ROUTINE")},
    **dict.fromkeys(("table", "foreign table", "view", "materialized view"), "TABLE"),
    "sequence": "SEQUENCE",
    "large object": "LARGE OBJECT",
}
# What ALTER DEFAULT PRIVILEGES knows.
DEFAULTED = ("TABLES", "SEQUENCES", "ROUTINES", "TYPES", "SCHEMAS")

LOCK_SECONDS = 1.0
"""The longest time that a statement waits for its lock, and that others wait for the statement."""

PAUSE_SECONDS = 2.0
"""Between two rounds, so that waiting statements continue."""

GONE = ("42P01", "42883", "42704", "3F000")
"""undefined_table, undefined_function, undefined_object, invalid_schema_name: dropped after it was listed."""

BUSY = ("55P03", "40P01", "40001", "XX000")
"""lock_not_available, deadlock_detected, serialization_failure, and internal_error: "tuple concurrently updated"."""

OWNED = """
SELECT o.classid, o.objid, i.type, i.identity, COALESCE(s.attached, false)
FROM pg_shdepend o
JOIN pg_roles r ON r.oid = o.refobjid
CROSS JOIN LATERAL pg_identify_object(o.classid, o.objid, 0) i
LEFT JOIN LATERAL (
    SELECT bool_or(d.deptype <> 'e') AS attached, bool_or(d.deptype = 'e') AS extension
    FROM pg_depend d
    WHERE d.classid = o.classid AND d.objid = o.objid
      AND (d.deptype = 'e' OR d.deptype IN ('a', 'i') AND i.type IN ('sequence', 'type'))
) s ON true
WHERE o.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND o.refclassid = 'pg_authid'::regclass AND o.deptype = 'o'
  AND r.rolname::text = ANY(:owners)
  AND NOT COALESCE(s.extension, false)
  AND COALESCE(i.schema, '') !~ '^pg_(temp|toast)'
ORDER BY o.classid, o.objid
"""
"""Objects of these owners; attached ones, such as the sequence of a serial column, follow the object that they belong to."""

HOLDER = """
SELECT a.pid, a.usename::text, a.application_name, extract(epoch FROM now() - a.xact_start)::int
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = :relation AND l.granted AND a.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY a.xact_start LIMIT 1
"""


@dataclass(frozen=True)
class Object:
    """A database object by its system catalog and OID, its kind, and its quoted name."""

    catalog: int
    oid: int
    kind: str
    identity: str
    attached: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.identity}"


def take_over(
    connection: Connection, endpoint: Endpoint, application: Application, deadline: Deadline
) -> int:
    """Make the owner role the owner of the objects of master user and application users; returns the number of changed
    objects.

    Raises ProvisioningError if a lock lasts until the deadline; changed objects stay changed, and the next request
    continues.
    """
    owner = identifier(application.owner)
    owners = [endpoint.user, *application_users(connection, application)]
    _share(connection, owners, owner)
    connection.run(f"SET lock_timeout = {int(LOCK_SECONDS * 1000)}")
    skipped: set[Object] = set()
    changed = 0
    while True:
        blocked: Object | None = None
        for each in _owned(connection, owners):
            if each.attached or each.kind not in ALTERED or each in skipped:
                continue
            result = _alter(connection, each, owner)
            if result is _Result.CHANGED:
                changed += 1
            elif result is _Result.LOCKED:
                blocked = each
            elif result is _Result.FORBIDDEN:
                skipped.add(each)
            if deadline.remaining() <= PAUSE_SECONDS:
                blocked = blocked or each
                break
        if blocked is None:
            break
        if deadline.remaining() <= PAUSE_SECONDS + LOCK_SECONDS:
            raise ProvisioningError(_why_blocked(connection, blocked, application))
        LOGGER.info("%s is locked", blocked)
        time.sleep(PAUSE_SECONDS)
    LOGGER.info("%d objects have the owner %s now", changed, application.owner)
    return changed


class _Result(Enum):
    CHANGED = auto()
    LOCKED = auto()
    FORBIDDEN = auto()
    DROPPED = auto()


def _alter(connection: Connection, each: Object, owner: str) -> _Result:
    """Change the owner of one object. Raises ProvisioningError if PostgreSQL refuses it for another reason."""
    try:
        connection.run(f"ALTER {ALTERED[each.kind]} {each.identity} OWNER TO {owner}")
    except pg8000.native.DatabaseError as error:
        if state(error) in BUSY:
            return _Result.LOCKED
        if state(error) == INSUFFICIENT_PRIVILEGE:
            # For example, in a schema of another role, where the owner role cannot create objects.
            LOGGER.warning("%s keeps its owner: %s", each, explain(error))
            return _Result.FORBIDDEN
        if state(error) in GONE:
            return _Result.DROPPED
        raise ProvisioningError(f"{each} keeps its owner: {explain(error)}.") from error
    return _Result.CHANGED


def _share(connection: Connection, owners: list[str], owner: str) -> None:
    """Grant the owner role every privilege on existing objects, and on those that these owners will create."""
    connection.run(f"GRANT ALL ON SCHEMA public TO {owner}")
    for role in owners:
        for kind in DEFAULTED:
            connection.run(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {identifier(role)} GRANT ALL ON {kind} TO {owner}"
            )
    for each in _owned(connection, owners):
        if each.kind not in GRANTED:
            continue
        try:
            connection.run(f"GRANT ALL ON {GRANTED[each.kind]} {each.identity} TO {owner}")
        except pg8000.native.DatabaseError as error:
            if state(error) not in (*GONE, *BUSY):
                raise ProvisioningError(f"{each} was not shared: {explain(error)}.") from error


def _owned(connection: Connection, owners: list[str]) -> Iterator[Object]:
    for catalog, oid, kind, identity, attached in connection.run(OWNED, owners=owners) or ():
        yield Object(int(catalog), int(oid), str(kind), str(identity), bool(attached))


def _why_blocked(connection: Connection, blocked: Object, application: Application) -> str:
    rows = connection.run(HOLDER, relation=blocked.oid)
    if not rows:
        return f"{blocked} did not get the owner {application.owner} in the function's time: update again."
    pid, user, program, seconds = rows[0]
    of = f"{user} ({program})" if program else str(user)
    return (
        f"{blocked} is locked by session {pid} of {of}, in a transaction of {seconds} s:"
        " wait for its end or end it, and update again."
    )
