"""The task protection endpoint of the ECS agent, on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_server import serving, url_of

TASK = "arn:aws:ecs:eu-north-1:111122223333:task/cluster/0123456789abcdef"


@dataclass
class Agent:
    """An ECS agent: its URI, the requests that it received, and the reason why it refuses protection, if it does."""

    uri: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None

    def protections(self) -> list[int]:
        """The minutes of each request; 0 is the end of the protection."""
        return [each.get("ExpiresInMinutes", 0) for each in self.received]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body, in the form of AWS's documentation."""
        self.received.append(body)
        if self.refusal and body["ProtectionEnabled"]:
            status, reason = self.refusal
            if status == 200:
                return 200, {"failure": {"Arn": TASK, "Detail": None, "Reason": reason}}
            return status, {
                "requestID": "1",
                "error": {"Arn": TASK, "Code": reason, "Message": reason},
            }
        state = {"ProtectionEnabled": body["ProtectionEnabled"], "TaskArn": TASK}
        return 200, {"protection": state}


@contextmanager
def agent() -> Iterator[Agent]:
    """A running agent."""
    running = Agent()

    class Endpoint(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.path == "/api/task/task-protection/v1/state"
            assert self.headers["Content-Type"] == "application/json"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = running.answer(body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with serving(Endpoint) as server:
        running.uri = f"{url_of(server)}/api/task"
        yield running
