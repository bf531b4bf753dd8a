"""The computer behind an embedded RDS: it runs a real PostgreSQL for every database instance, and keeps their snapshots.

The embedded AWS asks it over HTTP on loopback (`EmbeddedAws.start(database_host=host.url)`). A request is a JSON object with an
`operation`, which is a method of `DatabaseHost` below, and its arguments; instances and snapshots have their ARNs as names.
"""

from __future__ import annotations

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.engines.instances import Instance, Template, copy_cluster
from tests.engines.places import EngineError
from tests.engines.processes import ADDRESS
from tests.engines.tls import Identity

OPERATIONS = (
    "create",
    "set_password",
    "delete",
    "snapshot",
    "copy_snapshot",
    "delete_snapshot",
    "restore",
    "recover",
)


class DatabaseHost:
    """Instances and snapshots by their ARN, and the server that the embedded AWS asks."""

    def __init__(self) -> None:
        self._template = Template()
        self._instances: dict[str, Instance] = {}
        self._snapshots: dict[str, Path] = {}
        self._number = 0
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer((ADDRESS, 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

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
        """Where the embedded AWS asks."""
        return f"http://{ADDRESS}:{self._server.server_address[1]}"

    @property
    def identity(self) -> Identity:
        """The certificate of every instance, and its authority."""
        return self._template.identity

    def instance(self, identifier: str) -> Instance:
        """The running PostgreSQL of an instance by its identifier or ARN."""
        (found,) = (
            instance
            for arn, instance in self._instances.items()
            if identifier in (arn, arn.rpartition(":")[2])
        )
        return found

    def stop(self) -> None:
        """End the server and every instance, and delete their files."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._lock:
            for instance in self._instances.values():
                instance.stop()
            self._template.remove()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request. Raises EngineError."""
        operation = request.pop("operation")
        if operation not in OPERATIONS:
            raise EngineError(f"The database host has no operation {operation}.")
        with self._lock:
            result: dict[str, Any] | None = getattr(self, operation)(**request)
        return result or {}

    def create(self, instance: str, user: str, password: str, database: str) -> dict[str, Any]:
        """A new instance with its master user and an empty database. Returns its address."""
        created = self._template.instance(self._folder())
        created.make(user, password, database)
        return self._add(instance, created)

    def set_password(self, instance: str, user: str, password: str) -> None:
        """Another password of the master user."""
        self.instance(instance).set_master_password(user, password)

    def delete(self, instance: str) -> None:
        """End an instance and delete its files; its snapshots stay. One that does not exist is gone."""
        found = self._instances.pop(instance, None)
        if found:
            found.remove()

    def snapshot(self, instance: str, snapshot: str) -> None:
        """A snapshot of an instance."""
        folder = self._template.folder(self._folder()) / "data"
        self.instance(instance).back_up(folder)
        self._snapshots[snapshot] = folder

    def copy_snapshot(self, source: str, snapshot: str) -> None:
        """A copy of a snapshot."""
        folder = self._template.folder(self._folder()) / "data"
        copy_cluster(self._snapshots[source], folder, with_log=True)
        self._snapshots[snapshot] = folder

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete a snapshot. One that does not exist is gone."""
        found = self._snapshots.pop(snapshot, None)
        if found:
            shutil.rmtree(found.parent)

    def restore(self, instance: str, snapshot: str, user: str, database: str) -> dict[str, Any]:
        """A new instance from a snapshot, with the passwords of the snapshot. Returns its address."""
        restored = self._template.instance(self._folder(), self._snapshots[snapshot])
        restored.restore(user, database)
        return self._add(instance, restored)

    def recover(self, instance: str, source: str, until: str) -> dict[str, Any]:
        """A new instance with the data that another one had at a time, or has now. Returns its address."""
        origin = self.instance(source)
        origin.flush()
        recovered = self._template.instance(self._folder(), origin.base)
        recovered.recover(origin, until)
        return self._add(instance, recovered)

    def _add(self, arn: str, instance: Instance) -> dict[str, Any]:
        self._instances[arn] = instance
        return {"host": instance.host, "port": instance.port}

    def _folder(self) -> str:
        self._number += 1
        return f"volume-{self._number}"


def _handler(host: DatabaseHost) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            try:
                status, answer = 200, host.answer(json.loads(self.rfile.read(length)))
            except Exception as error:  # the embedded AWS shows it as the reason
                status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler
