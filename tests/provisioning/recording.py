"""A proxy in front of an embedded AWS that records service and action of each request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.http_server import serving, url_of

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "expect"}
_INVOCATION = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
_RPC = re.compile(r"/service/(?P<service>\w+)/operation/(?P<operation>\w+)")
# The prefix of IAM's actions, by the first part of a request's target.
_PREFIXES = {
    "AWS242ServiceCatalogService": "servicecatalog",
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "Logs_20140328": "logs",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
}


@dataclass
class Recorded:
    """The recorded requests: ``actions`` in IAM's spelling, in order, each with the body of its request."""

    endpoint_url: str
    actions: list[tuple[str, bytes]] = field(default_factory=list)

    def names(self) -> list[str]:
        """The actions without the bodies."""
        return [action for action, _ in self.actions]


# The response in place of the upstream's: status and body; None for the upstream's.
Answer = Callable[[str], tuple[int, bytes] | None]


def _nothing(_action: str) -> None:
    return None


@contextmanager
def recording(
    upstream: str, answer: Answer = _nothing, answered: Callable[[str], None] = _nothing
) -> Iterator[Recorded]:
    """Forward requests to ``upstream`` and record them.

    ``answer`` receives each action before it is forwarded, and can answer instead; ``answered`` receives it after the
    upstream's answer and before the program does.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:
                # The program has ended, which may be the purpose of a test.
                self.close_connection = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            action = action_of(self.path, dict(self.headers.items()), body)
            recorded.actions.append((action, body))
            own = answer(action)
            if own is None:
                response, content = self._ask(body)
                answered(action)
                self._reply(response.status, response.getheaders(), content)
            else:
                self._reply(own[0], [("Content-Type", "application/x-amz-json-1.1")], own[1])

        do_GET = do_PUT = do_POST

        def _ask(self, body: bytes) -> tuple[HTTPResponse, bytes]:
            connection = HTTPConnection(urlsplit(upstream).netloc, timeout=60)
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
            connection.request(self.command, self.path, body, kept)
            response = connection.getresponse()
            content = response.read()
            connection.close()
            return response, content

        def _reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Log nothing."""

    with serving(Handler) as server:
        recorded = Recorded(url_of(server))
        yield recorded


def action_of(path: str, headers: dict[str, str], body: bytes) -> str:
    """The action of a request as IAM spells it: ``servicecatalog:DescribeRecord``."""
    target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")
    rpc = _RPC.fullmatch(urlsplit(path).path)
    if _INVOCATION.fullmatch(urlsplit(path).path):
        return "lambda:InvokeFunction"
    if rpc:
        return f"{_PREFIXES[rpc['service']]}:{rpc['operation']}"
    if target:
        service, _, operation = target.partition(".")
        return f"{_PREFIXES.get(service, service)}:{operation}"
    form = parse_qs(body.decode(errors="replace"))
    # CloudFormation, STS and IAM name the action in a form, and the service in the signature's scope.
    scope = re.search(r"/(\w+)/aws4_request", headers.get("Authorization", ""))
    return f"{scope[1] if scope else ''}:{form.get('Action', [''])[0]}"
