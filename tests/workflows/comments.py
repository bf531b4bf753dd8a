"""GitHub's API for the comments of one pull request, on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.http_server import serving, url_of

TOKEN = "ghs_token"
COLLECTION = re.compile(r"/repos/acme/infrastructure/issues/7/comments")
COMMENT = re.compile(r"/repos/acme/infrastructure/issues/comments/(\d+)")


class Comments(BaseHTTPRequestHandler):
    """Lists, creates and updates comments for a request with the token; answers any other with 404."""

    def do_GET(self) -> None:
        """A page of the comments."""
        url = urlsplit(self.path)
        if not COLLECTION.fullmatch(url.path) or not self._is_signed():
            return self._answer(404, {})
        query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
        size = min(query["per_page"], 100)
        start = (query["page"] - 1) * size
        return self._answer(200, self._held[start : start + size])

    def do_POST(self) -> None:
        """A new comment by the token's user."""
        if not COLLECTION.fullmatch(self.path) or not self._is_signed():
            return self._answer(404, {})
        self._held.append(comment(len(self._held), "github-actions[bot]", self._body()["body"]))
        return self._answer(201, self._held[-1])

    def do_PATCH(self) -> None:
        """Another text for a comment."""
        found = COMMENT.fullmatch(self.path)
        if not found or not self._is_signed():
            return self._answer(404, {})
        self._held[int(found[1])]["body"] = self._body()["body"]
        return self._answer(200, self._held[int(found[1])])

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    @property
    def _held(self) -> list[dict[str, Any]]:
        held: list[dict[str, Any]] = self.server.held  # type: ignore[attr-defined]
        return held

    def _is_signed(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {TOKEN}"

    def _body(self) -> dict[str, str]:
        body: dict[str, str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def _answer(self, status: int, what: Any) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def comment(number: int, author: str, body: str) -> dict[str, Any]:
    """A comment as the API gives it."""
    return {"id": number, "user": {"login": author}, "body": body}


@contextmanager
def pull_request(held: list[dict[str, Any]]) -> Iterator[str]:
    """The API's URL while pull request 7 of acme/infrastructure has these comments."""
    with serving(Comments) as server:
        server.held = held  # type: ignore[attr-defined]
        yield url_of(server)
