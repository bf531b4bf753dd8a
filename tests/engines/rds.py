"""PostgreSQL with the roles of RDS: its master user is not a superuser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pg8000.native import Connection, identifier, literal

from tests.engines.postgres import Postgres

# The roles in the RDS user guide; rdsadmin is Amazon's superuser.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
ROLES_OF_RDS = ("rds_password", "rds_replication", "rds_superuser")
GRANTED_TO_RDS_SUPERUSER = ("pg_monitor", "pg_signal_backend", "pg_checkpoint", "rds_password")

# The number of roles besides those of PostgreSQL, and of objects and privileges in a database.
USED = """
SELECT (SELECT count(*) FROM pg_roles WHERE oid >= 16384),
       (SELECT count(*) FROM pg_shdepend WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


class Rds(Postgres):
    """A server like an RDS instance: `make_instance` gives it a master user and a database, without any data.

    RDS lets members of rds_superuser create extensions that PostgreSQL leaves to superusers, such as vector. Here its
    control file marks it as trusted, which has the same effect for the database's owner.
    """

    # Beyond RDS's default: the tests read in the log whether a password was in a statement.
    settings: tuple[str, ...] = ("log_statement=all",)
    superuser = "rdsadmin"
    user = "carbon"
    password = "the-master-password"
    database = "carbon_connect"
    _made = ("", "", "")

    def make_instance(self, user: str = "", password: str = "", database: str = "") -> None:
        """Create a master user and its database, in place of the former instance."""
        self._made = (type(self).user, type(self).password, type(self).database)
        self.user = user or type(self).user
        self.password = password or type(self).password
        self.database = database or type(self).database
        with self.session(self.superuser, self.superuser_password, "postgres") as admin:
            admin.run("SET log_statement TO none")
            _clear(admin)
            _make_roles(admin)
            self._make_master(admin)

    def _make_master(self, admin: Connection) -> None:
        """Make the master user and its database; the roles of RDS exist."""
        admin.run(_master("CREATE", self.user, self.password))
        admin.run(f"GRANT rds_superuser TO {identifier(self.user)} WITH ADMIN OPTION")
        admin.run(f"CREATE DATABASE {identifier(self.database)} OWNER {identifier(self.user)}")

    def is_new(self) -> bool:
        """Whether the instance is in the state of `make_instance` without arguments."""
        if (self.user, self.password, self.database) != self._made:
            return False
        (row,) = self.administer(USED, self.database)
        return row == [len(ROLES_OF_RDS) + 1, 0]

    def set_password(self, password: str) -> None:
        """Set the master user's password, like ModifyDBInstance."""
        with self.session(self.superuser, self.superuser_password, "postgres") as admin:
            admin.run("SET log_statement TO none")
            admin.run(_master("ALTER", self.user, password))
        self.password = password

    def administer(self, statement: str, database: str = "postgres") -> list[list[object]]:
        """Run a statement as rdsadmin, like Amazon."""
        with self.session(self.superuser, self.superuser_password, database) as connection:
            return list(connection.run(statement) or ())

    def _adapt(self, tree: Path) -> Path:
        """The programs with a control file that marks vector as trusted; all other files are links."""
        if not tree.is_relative_to(self._folder):
            tree = shutil.copytree(
                tree, self._folder / "engine", copy_function=_link, symlinks=True
            )
        for control in tree.rglob("vector.control"):
            text = control.read_text()
            control.unlink()
            control.write_text(f"{text}trusted = true\n")
        return tree


def _make_roles(admin: Connection) -> None:
    for role in ROLES_OF_RDS:
        admin.run(f"CREATE ROLE {role}")
    for role in GRANTED_TO_RDS_SUPERUSER:
        admin.run(f"GRANT {role} TO rds_superuser WITH ADMIN OPTION")


def _master(verb: str, user: str, password: str) -> str:
    options = "LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION VALID UNTIL 'infinity'"
    return f"{verb} ROLE {identifier(user)} {options} PASSWORD {literal(password)}"


def _clear(admin: Connection) -> None:
    """Drop the roles and databases of the previous instance."""
    for (name,) in admin.run("SELECT datname FROM pg_database WHERE datdba <> 10") or ():
        admin.run(f"DROP DATABASE {identifier(name)} WITH (FORCE)")
    roles = admin.run("SELECT rolname FROM pg_roles WHERE oid >= 16384 ORDER BY oid DESC") or ()
    for (name,) in roles:
        admin.run(f"DROP OWNED BY {identifier(name)} CASCADE")
    for (name,) in roles:
        admin.run(f"DROP ROLE {identifier(name)}")


def _link(source: str, target: str) -> None:
    """A hard link if the file system allows it, otherwise a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
