"""A proxy in front of an embedded AWS: it forwards requests, and acts on one of them.

A test can end a program that uses it at an exact request, and can delay a response until an operation has ended.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable

# Headers of the connection, which are not forwarded.
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Lock
from types import TracebackType
from typing import Self

from tests.http_server import serving, url_of

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    method: str
    path: str
    body: bytes

    def asks_for(self, action: str) -> bool:
        """Whether it is this action of a service with the query protocol, such as CreateChangeSet."""
        return f"Action={action}&".encode() in self.body + b"&"

    def writes_object(self, name: str = "") -> bool:
        """Whether it uploads an object whose key has this suffix."""
        return self.method == "PUT" and self.path.count("/") > 1 and self.path.endswith(name)

    def makes_bucket(self) -> bool:
        """Whether it creates a bucket."""
        return (
            self.method == "PUT" and self.path.strip("/").count("/") == 0 and "?" not in self.path
        )


Condition = Callable[[Request], bool]
# Status, headers and body.
Answer = tuple[int, list[tuple[str, str]], bytes]


class Gate:
    """The gate, open while in the ``with`` block.

    ``act`` is called once, at the ``count``-th request that ``at`` is true for: before the request is forwarded or,
    with ``after``, before its response is. With ``shuts``, that response is withheld, and no later request that ``at``
    is true for is forwarded. These requests are forwarded one at a time.
    """

    def __init__(
        self,
        endpoint_url: str,
        at: Condition,
        act: Callable[[], None],
        *,
        count: int = 1,
        after: bool = False,
        shuts: bool = False,
    ) -> None:
        self._target = endpoint_url.removeprefix("http://")
        self._at, self._act = at, act
        self._left, self._after, self._shuts = count, after, shuts
        self._lock = Lock()
        self.has_acted = False
        gate = self

        class Handler(BaseHTTPRequestHandler):
            """Forwards each request."""

            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, BrokenPipeError):
                    # The program has ended, which is the purpose of the gate.
                    self.close_connection = True

            def _hand_on(self) -> None:
                gate._hand_on(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _hand_on

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._handler = Handler

    def __enter__(self) -> Self:
        self._server = ExitStack()
        self.endpoint_url = url_of(self._server.enter_context(serving(self._handler)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    def _hand_on(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(handler.command, handler.path, handler.rfile.read(length))
        answer = (
            self._counted(handler, request) if self._at(request) else self._ask(handler, request)
        )
        if answer is None:
            handler.close_connection = True
            return
        status, headers, body = answer
        handler.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                handler.send_header(name, value)
        # A HEAD response has no body, and the length of the object.
        length_given = {name.lower(): value for name, value in headers}.get("content-length")
        is_head = request.method == "HEAD"
        handler.send_header("Content-Length", (length_given or "0") if is_head else str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _counted(self, handler: BaseHTTPRequestHandler, request: Request) -> Answer | None:
        """The response to a request that counts; None if it is withheld."""
        with self._lock:
            if self.has_acted and self._shuts:
                return None
            self._left -= 1
            if self._left:
                return self._ask(handler, request)
            self.has_acted = True
            if not self._after:
                self._act()
            answer = self._ask(handler, request)
            if self._after:
                self._act()
            return None if self._shuts else answer

    def _ask(self, handler: BaseHTTPRequestHandler, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._target, timeout=60)
        headers = {
            name: value
            for name, value in handler.headers.items()
            if name.lower() not in {"connection", "expect"}
        }
        try:
            connection.request(request.method, request.path, request.body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()
