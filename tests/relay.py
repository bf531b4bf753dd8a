"""A relay in front of an HTTP server that stops answering after some writes, so that a client can be ended in between."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Headers of a connection, not of what it carries.
_OF_THE_CONNECTION = {
    "connection",
    "transfer-encoding",
    "content-length",
    "expect",
    "date",
    "server",
}


@contextmanager
def relay(upstream: str, *, writes: int, then: Callable[[], None]) -> Iterator[str]:
    """Relay requests to ``upstream`` and yield the relay's URL.

    After so many successful PUT requests ``then`` is called; the answer of that and of every later PUT is withheld,
    and later ones are not relayed.
    """
    server = _server(urlsplit(upstream).netloc, writes, then)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _server(netloc: str, writes: int, then: Callable[[], None]) -> ThreadingHTTPServer:
    counting = threading.Lock()
    left = [writes]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relayed(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if self.command == "PUT" and not self.may_write(body):
                self.close_connection = True
                return
            status, headers, answer = self.exchanged(body)
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def may_write(self, body: bytes) -> bool:
            with counting:
                left[0] -= 1
                if left[0] == 0:
                    self.exchanged(body)
                    then()
                return left[0] > 0

        def exchanged(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(netloc, timeout=10)
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in _OF_THE_CONNECTION
            }
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            answer = response.read()
            connection.close()
            return response.status, response.getheaders(), answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

        do_GET = do_PUT = do_POST = do_HEAD = relayed

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
