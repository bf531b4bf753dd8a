"""A real PostgreSQL 16 with pgvector and uuid-ossp, as RDS offers it: TLS only, SCRAM passwords."""

import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pg8000.native

from tests.engines.accounts import give_away, install, process_options
from tests.engines.places import POSTGRES, EngineError, present
from tests.engines.processes import ADDRESS, HOST, free_port, stop, wait_until
from tests.engines.tls import Identity, issue

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
SETTINGS = (
    *("-c", f"listen_addresses={ADDRESS}", "-c", "unix_socket_directories="),
    *("-c", "ssl=on", "-c", "fsync=off", "-c", "shared_buffers=32MB"),
)
# Like rds.force_ssl: TLS is required.
ADMISSION = "hostssl all all 127.0.0.1/32 scram-sha-256\n"


class Postgres:
    """One cluster on a separate port; `start` and `stop` can be repeated, `remove` comes last.

    Its certificate is for the name localhost, not for its address; `identity.root` is the root to trust.
    """

    host = HOST
    database = "postgres"
    settings: tuple[str, ...] = ()
    initdb_options: tuple[str, ...] = ()
    superuser = user = "postgres"
    password = superuser_password = "s3cret:with/odd@characters"

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._folder, self._tree = install(present(POSTGRES), "postgres-")
        self._data = self._folder / "data"
        self.log = self._folder / "log"
        try:
            self._tree = self._adapt(self._tree)
            self._data.mkdir(mode=0o700)
            self.port = free_port()
            self.identity: Identity = issue(self._folder, HOST)
            self._initialise()
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def start(self, *settings: str) -> None:
        """Start the server with further `name=value` settings; return when it takes connections or refuses them as a standby."""
        options = [part for setting in (*self.settings, *settings) for part in ("-c", setting)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._tree / "bin" / "postgres", "-D", self._data),
                    *("-c", f"port={self.port}", *SETTINGS, *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=ENVIRONMENT,
                **process_options(),
            )
        wait_until(self._is_up, self._process, self.log, "PostgreSQL")

    def stop(self) -> None:
        """Stop the server at once, as a crash-safe shutdown; nothing happens when it is not running."""
        if self._process:
            stop(self._process, signal.SIGINT)
            self._process = None

    def remove(self) -> None:
        """Stop the server and delete its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_as_standby(self) -> None:
        """Start a server that answers every connection with SQLSTATE 57P03 until `promote`, like a starting server."""
        mark = self._data / "standby.signal"
        mark.touch()
        give_away(mark)
        self.start("hot_standby=off")

    def promote(self) -> None:
        """Promote a standby, so that it accepts connections."""
        if self._process is None:
            raise EngineError("PostgreSQL is not running: start it before you promote it.")
        mark = self._data / "promote"
        mark.touch()
        give_away(mark)
        self._process.send_signal(signal.SIGUSR1)

    def run(self, statement: str, **parameters: Any) -> list[list[Any]]:
        """Run a statement as the master user; return its rows."""
        with self.session() as connection:
            return list(connection.run(statement, **parameters) or ())

    @contextmanager
    def session(
        self, user: str = "", password: str = "", database: str = ""
    ) -> Iterator[pg8000.native.Connection]:
        """A connection over verified TLS; by default of the master user to its database."""
        connection = pg8000.native.Connection(
            user or self.user,
            host=self.host,
            port=self.port,
            database=database or self.database,
            password=password or self.password,
            ssl_context=ssl.create_default_context(cafile=str(self.identity.root)),
        )
        try:
            yield connection
        finally:
            with suppress(pg8000.native.InterfaceError, OSError):
                connection.close()

    def _adapt(self, tree: Path) -> Path:
        """The programs and the extensions' files that the server is started from."""
        return tree

    def _initialise(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.superuser_password)
        secret.chmod(0o600)
        give_away(self._data, secret)
        command: list[str | Path] = [
            *(self._tree / "bin" / "initdb", "-D", self._data),
            *("-U", self.superuser, "--pwfile", secret),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            *self.initdb_options,
        ]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                cwd=self._folder,
                env=ENVIRONMENT,
                **process_options(),
            )
        except OSError as error:
            raise EngineError(f"initdb of PostgreSQL cannot start: {error}.") from None
        if done.returncode:
            raise EngineError(f"PostgreSQL's initdb failed: {done.stderr.strip().splitlines()[-1]}")
        for name, source in (
            ("server.crt", self.identity.certificate),
            ("server.key", self.identity.key),
        ):
            (self._data / name).write_bytes(source.read_bytes())
            (self._data / name).chmod(0o600)
            give_away(self._data / name)
        (self._data / "pg_hba.conf").write_text(ADMISSION)

    def _is_up(self) -> bool:
        return self._status() in ("ready", "standby")

    def _status(self) -> str:
        """The last line of postmaster.pid: starting, standby, ready or stopping; empty where the file is missing or new."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[-1].strip() if lines else ""
