"""The roles of the application: the owner of its objects, and the users that log in, one for each version of the credentials.

The owner cannot log in. Every application user is its member and switches to it at each login, so that objects of one
user belong to the owner, and the next user can alter them. The master user is a member of both: tasks that still
connect as the master user keep all privileges on the owner's objects.
"""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, field

import pg8000.native
from pg8000.native import Connection, identifier, literal

from ..custom_resource import ProvisioningError
from .postgres import Endpoint, explain, state
from .scram import verifier

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

POWERFUL = (
    "rds_superuser",
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
)
"""Roles with rights beyond the objects of the database; superusers and roles that can create roles have such rights too."""

IDENTIFIER_BYTES = 63
DUPLICATE_OBJECT, INSUFFICIENT_PRIVILEGE = "42710", "42501"

MEMBER_OPTIONS = "WITH ADMIN FALSE, INHERIT TRUE, SET TRUE"
"""PostgreSQL 16 gives the creator of a role only the right to grant it; inheritance and SET ROLE must be granted."""


@dataclass(frozen=True)
class Application:
    """The owner role and the current user; the names of the users differ only in the number at the end."""

    owner: str
    user: str
    password: str = field(repr=False)

    @property
    def stem(self) -> str:
        """The prefix of the names of all application users."""
        return self.user.rstrip("0123456789")


def check_names(application: Application, master: str) -> None:
    """Refuse names that PostgreSQL would truncate, reserved names, and equal names. Raises ProvisioningError."""
    names = (application.owner, application.user, master)
    if len(set(names)) != len(names):
        raise ProvisioningError("Owner, application user and master user must be three roles.")
    for name in names:
        if len(name.encode()) > IDENTIFIER_BYTES or "\0" in name:
            raise ProvisioningError(f"{name[:70]!r} is not the name of a role: 63 bytes at most.")
        if name.startswith(("pg_", "rds")) or name in ("public", "none"):
            raise ProvisioningError(f"The name {name!r} is reserved by PostgreSQL or RDS.")


def ensure_roles(connection: Connection, endpoint: Endpoint, application: Application) -> None:
    """Create owner and user if they are missing, with the user's password. Raises ProvisioningError."""
    check_names(application, endpoint.user)
    for role in (application.owner, application.user):
        _ensure(connection, role)
        _refuse_power(connection, application, role)
    # The user can log in only after it switches to the owner at login.
    _grant(connection, application.owner, endpoint.user)
    for name in {application.user, *application_users(connection, application)}:
        _grant(connection, name, endpoint.user)
    _grant(connection, application.owner, application.user)
    user, owner = identifier(application.user), identifier(application.owner)
    database = identifier(endpoint.database)
    connection.run(f"ALTER ROLE {user} IN DATABASE {database} SET role TO {owner}")
    connection.run(f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {owner}")
    connection.run(
        f"ALTER ROLE {user} LOGIN PASSWORD {literal(_verifier(application))} VALID UNTIL 'infinity'"
    )
    LOGGER.info("user %s can log in and has the rights of %s", application.user, application.owner)


def application_users(connection: Connection, application: Application) -> dict[str, bool]:
    """Every application user, and whether it can log in."""
    rows = connection.run(
        "SELECT u.rolname::text, u.rolcanlogin FROM pg_roles u"
        " JOIN pg_auth_members m ON m.member = u.oid JOIN pg_roles o ON o.oid = m.roleid"
        " WHERE o.rolname = :owner",
        owner=application.owner,
    )
    numbered = re.compile(re.escape(application.stem) + "[0-9]+")
    return {str(name): bool(login) for name, login in rows or () if numbered.fullmatch(str(name))}


def retire(connection: Connection, application: Application, *, keep: Collection[str]) -> list[str]:
    """Close every application user that is not kept: no login, no password, no session. Returns the closed ones.

    The role stays, because this function drops nothing; the same version of the credentials opens it again.
    """
    users = application_users(connection, application)
    closed = sorted(name for name, login in users.items() if login and name not in keep)
    for name in closed:
        connection.run(f"ALTER ROLE {identifier(name)} NOLOGIN PASSWORD NULL")
        rows = connection.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename::text = :name",
            name=name,
        )
        LOGGER.info("user %s cannot log in any more; %d sessions ended", name, len(rows or ()))
    return closed


def copy_settings(connection: Connection, endpoint: Endpoint, application: Application) -> None:
    """Give the user the settings of the master user (ALTER ROLE … SET), such as search_path.

    Statements can name objects without their schema if it has the master user's name, so the user's path contains that
    schema. A setting that the user must not have is omitted.
    """
    rows = connection.run(
        "SELECT DISTINCT split_part(unnest(s.setconfig), '=', 1)"
        " FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
        " WHERE r.rolname = :master AND s.setdatabase IN"
        " (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
        master=endpoint.user,
    )
    names = sorted(str(row[0]) for row in rows or ())
    changes = {name: f"SET {identifier(name)} FROM CURRENT" for name in names if name != "role"}
    own_schema = connection.run(
        "SELECT 1 FROM pg_namespace WHERE nspname = :master", master=endpoint.user
    )
    if own_schema and "search_path" not in changes:
        changes["search_path"] = f'SET search_path TO "$user", {identifier(endpoint.user)}, public'
    where = f"{identifier(application.user)} IN DATABASE {identifier(endpoint.database)}"
    for name, change in changes.items():
        # The value of the master user at login; the caller sets the values of this session again.
        connection.run(f"RESET {identifier(name)}")
        try:
            connection.run(f"ALTER ROLE {where} {change}")
        except pg8000.native.DatabaseError as error:
            if state(error) != INSUFFICIENT_PRIVILEGE:
                raise
            LOGGER.info("setting %s stays with %s: %s", name, endpoint.user, explain(error))


def _ensure(connection: Connection, role: str) -> None:
    """Create a role without login if it is missing."""
    if connection.run("SELECT 1 FROM pg_roles WHERE rolname = :role", role=role):
        return
    try:
        connection.run(f"CREATE ROLE {identifier(role)} NOLOGIN INHERIT NOCREATEDB NOCREATEROLE")
    except pg8000.native.DatabaseError as error:
        if state(error) != DUPLICATE_OBJECT:
            raise ProvisioningError(f"Role {role} was not created: {explain(error)}.") from error


def _grant(connection: Connection, role: str, member: str) -> None:
    try:
        connection.run(f"GRANT {identifier(role)} TO {identifier(member)} {MEMBER_OPTIONS}")
    except pg8000.native.DatabaseError as error:
        raise ProvisioningError(
            f"{member} did not become a member of {role}: {explain(error)}."
        ) from error


def _refuse_power(connection: Connection, application: Application, role: str) -> None:
    """Raise ProvisioningError if an existing role has rights beyond the database."""
    rows = connection.run(
        "SELECT r.rolname::text FROM pg_roles r"
        " WHERE pg_has_role(CAST(:role AS name), r.oid, 'MEMBER') AND (r.rolsuper OR r.rolcreaterole"
        " OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls OR r.rolname::text = ANY(:powerful))"
        " ORDER BY 1",
        role=role,
        powerful=list(POWERFUL),
    )
    if rows:
        found = str(rows[0][0])
        has = "has rights" if found == role else f"is a member of {found}, which has rights"
        raise ProvisioningError(
            f"Role {role} exists and {has} that {application.user} must not have: take them away, and update again."
        )


def _verifier(application: Application) -> str:
    try:
        return verifier(application.password)
    except ValueError as error:
        raise ProvisioningError(f"The secret of {application.user} is refused: {error}.") from None
