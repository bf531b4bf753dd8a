"""Database instances on real PostgreSQL: created from a template, archived, snapshotted and restored, as RDS does it.

Every instance is a separate PostgreSQL on loopback. It archives its write-ahead log, and a base backup follows its creation,
so that it can be restored to a point in time. A snapshot is a base backup with the log that makes it consistent.
https://www.postgresql.org/docs/16/continuous-archiving.html
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pg8000.native

from tests.engines.accounts import give_away
from tests.engines.places import EngineError
from tests.engines.postgres import ENVIRONMENT
from tests.engines.processes import free_port
from tests.engines.rds import Rds, _make_roles
from tests.engines.tls import Identity

ARCHIVE_SECONDS = 20.0
RECOVERY_SECONDS = 30.0
# Files of a running server that are no part of a backup.
NOT_IN_BACKUP = ("postmaster.pid", "postmaster.opts")
LOG = "pg_wal"
# What cp says of a file that disappears while it copies.
GONE = "No such file or directory"


class Template(Rds):
    """A stopped cluster with the roles of RDS, from which instances are copied: initdb takes longer than a copy."""

    # The smallest segments: every backup and every archive ends one.
    initdb_options = ("--wal-segsize=1",)

    def __init__(self) -> None:
        super().__init__()
        try:
            self.start()
            with self.session(self.superuser, self.superuser_password, "postgres") as admin:
                _make_roles(admin)
            self.stop()
        except BaseException:
            self.remove()
            raise

    def folder(self, name: str) -> Path:
        """A new folder that the server's user can enter, removed with the template."""
        folder = self._folder / name
        folder.mkdir()
        give_away(folder)
        return folder

    def instance(self, name: str, source: Path | None = None) -> Instance:
        """A new instance with a copy of a cluster's files, those of the template by default; not started."""
        instance = Instance(self.folder(name), self._tree, self.identity)
        copy_cluster(source or self._data, instance.data, with_log=True)
        return instance


class Instance(Rds):
    """One database instance. ``archive`` has its write-ahead log, ``base`` its base backup."""

    def __init__(self, folder: Path, tree: Path, identity: Identity) -> None:
        self._process = None
        self._folder, self._tree, self.identity = folder, tree, identity
        self._data = self.data = folder / "data"
        self.base, self.archive = folder / "base", folder / "archive"
        self.archive.mkdir()
        give_away(self.archive)
        self.log = folder / "log"
        self.port = free_port()
        # log_statement stays off: a password stands in the statement that sets it.
        self.settings = (
            "archive_mode=on",
            f'archive_command=cp "%p" "{self.archive}/%f"',
        )

    def make(self, user: str, password: str, database: str) -> None:
        """Start a new instance with its master user and its database."""
        self.user, self.password, self.database = user, password, database
        self.start()
        with self._administration() as admin:
            self._make_master(admin)
        self.back_up(self.base)

    def restore(self, user: str, database: str) -> None:
        """Start from a snapshot, whose roles and passwords it has."""
        self.user, self.database = user, database
        self.start()
        self.back_up(self.base)

    def recover(self, source: Instance, until: str) -> None:
        """Start from the base backup of another instance and replay its log until a time, or to its end."""
        self.user, self.password, self.database = source.user, source.password, source.database
        log = self._folder / "log-of-source"
        shutil.copytree(source.archive, log)
        mark = self.data / "recovery.signal"
        mark.touch()
        give_away(log, *log.iterdir(), mark)
        target = (f"recovery_target_time={until}",) if until else ()
        self.start(
            # No connection before the end of the recovery.
            "hot_standby=off",
            f'restore_command=cp "{log}/%f" "%p"',
            "recovery_target_action=promote",
            *target,
        )
        self._wait_for_promotion(until or "the end")
        self.back_up(self.base)

    def _wait_for_promotion(self, until: str) -> None:
        end = time.monotonic() + RECOVERY_SECONDS
        while self._status() != "ready":
            if self._process and self._process.poll() is not None:
                words = self.log.read_text(errors="replace").strip().splitlines()[-1]
                raise EngineError(f"The recovery until {until} failed: {words}")
            if time.monotonic() > end:
                raise EngineError(f"The recovery until {until} takes too long.")
            time.sleep(0.02)

    def back_up(self, target: Path) -> None:
        """Make a base backup with the log that makes it consistent, while the server runs."""
        with self._administration() as admin:
            first = _single(admin, "SELECT pg_walfile_name(pg_backup_start('backup', true))")[0]
            copy_cluster(self.data, target, with_log=False)
            last, label = _single(
                admin, "SELECT pg_walfile_name(lsn), labelfile FROM pg_backup_stop(true)"
            )
        (target / "backup_label").write_text(label)
        give_away(target / "backup_label")
        for segment in sorted(self.archive.iterdir()):
            if first <= segment.name <= last:
                shutil.copyfile(segment, target / LOG / segment.name)
                give_away(target / LOG / segment.name)

    def flush(self) -> None:
        """Archive the log up to now, with a commit whose time is now: a recovery stops at the first commit after its target."""
        with self._administration() as admin:
            admin.run("SELECT pg_current_xact_id()")
            segment = _single(admin, "SELECT pg_walfile_name(pg_switch_wal())")[0]
        end = time.monotonic() + ARCHIVE_SECONDS
        while not (self.archive / segment).exists():
            if time.monotonic() > end:
                raise EngineError(f"The log segment {segment} is not archived.")
            time.sleep(0.02)

    def set_master_password(self, user: str, password: str) -> None:
        """Set the password of the master user, as ModifyDBInstance does."""
        self.user = user
        self.set_password(password)

    def query(self, statement: str) -> list[list[object]]:
        """Run a statement as Amazon's superuser in the instance's database."""
        return self.administer(statement, self.database)

    @contextmanager
    def _administration(self) -> Iterator[pg8000.native.Connection]:
        with self.session(self.superuser, self.superuser_password, "postgres") as admin:
            yield admin


def _single(connection: pg8000.native.Connection, statement: str) -> list[str]:
    """The only row of a statement, whose columns are texts."""
    rows: list[list[str]] = connection.run(statement)
    return rows[0]


def copy_cluster(source: Path, target: Path, *, with_log: bool) -> None:
    """Copy the files of a cluster, which may be in use, with their owner.

    A file that disappears meanwhile is no part of the backup.
    https://www.postgresql.org/docs/16/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP-DATA
    """
    done = subprocess.run(
        ["/bin/cp", "-a", str(source), str(target)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    problems = [line for line in done.stderr.splitlines() if GONE not in line]
    if done.returncode and problems:
        raise EngineError(f"A cluster was not copied: {problems[-1]}")
    for name in NOT_IN_BACKUP:
        (target / name).unlink(missing_ok=True)
    if not with_log:
        for segment in (target / LOG).iterdir():
            if segment.is_file():
                segment.unlink()
