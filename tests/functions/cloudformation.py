"""CloudFormation's side of a custom resource: the event, and the response URL."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

from tests.http_server import serving, url_of

STACK = "arn:aws:cloudformation:eu-north-1:123456789012:stack/data/0a1b"


@dataclass
class Answers:
    """A listener on loopback. `taken` holds the answers, `headers` those of the last request; the first `refusals` get a 503."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    refusals: int = 0
    url: str = ""

    def __enter__(self) -> Self:
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answers.headers = dict(self.headers.items())
                if answers.refusals > 0:
                    answers.refusals -= 1
                    self.send_response(503)
                else:
                    answers.taken.append(json.loads(body))
                    self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Log nothing, because the tests read the function's log."""

        self._server = ExitStack()
        self.url = (
            f"{url_of(self._server.enter_context(serving(Handler)))}/answer?X-Amz-Signature=secret"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    def event(self, kind: str, properties: Any, **more: Any) -> dict[str, Any]:
        """The event of one request of CloudFormation."""
        return {
            "RequestType": kind,
            "ResponseURL": self.url,
            "StackId": STACK,
            "RequestId": "7f2c",
            "LogicalResourceId": "Resource",
            "ResourceType": "AWS::CloudFormation::CustomResource",
            "ResourceProperties": properties,
            **more,
        }

    @property
    def only(self) -> dict[str, Any]:
        """The response; there must be exactly one."""
        assert len(self.taken) == 1, self.taken
        return self.taken[0]


@dataclass(frozen=True)
class Context:
    """Lambda's context at the start of an invocation with a time-out of `seconds`."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)
