"""A client of AWS whose calls can be counted, and made to fail in the ways in which calls fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws

READING = ("Describe", "List", "Search", "Get", "Head")
SESSION = URLLib3Session()
Fault = Callable[["Calls", Any, str], AWSResponse]


class KilledError(BaseException):
    """Stands for the end of the process: nothing that the publisher does can catch it."""


class Calls:
    """Counts every attempt of every call of a publisher, and lets one of them, or each once, meet a fault.

    ``effects`` names the writing calls that reached AWS, whether or not their answer came back.
    """

    def __init__(self, fault: Fault | None = None, at: int | None = None) -> None:
        """``at`` is the number of the call that meets the fault in all its attempts; None is each, in its first."""
        self.fault = fault
        self.at = at
        self.made: list[str] = []
        self.effects: list[str] = []
        self.struck: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, request: Any, event_name: str) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        path = request.url.partition("?")[0].split("/", 3)[-1]
        name = f"{operation} {path}" if service == "s3" else operation
        with self.lock:
            self.made.append(name)
            strikes = self.fault is not None and self.strikes(name, request)
        if self.fault and strikes:
            return self.fault(self, request, name)
        return self.send(request, name)

    def strikes(self, name: str, request: Any) -> bool:
        call = f"{name} {request.body!r}"
        if self.at is None:
            first = call not in self.struck
            self.struck.append(call)
            return first
        if len(self.made) == self.at:
            self.struck.append(call)
        # The attempts of one call are the same request, one right after the other.
        return bool(self.struck) and self.struck[0] == call and len(self.made) <= self.at + 1

    def send(self, request: Any, name: str) -> AWSResponse:
        """Let the request through."""
        if not name.startswith(READING):
            with self.lock:
                self.effects.append(name)
        return SESSION.send(request)

    @property
    def writes(self) -> list[str]:
        """The writing calls that were made."""
        return [name for name in self.made if not name.startswith(READING)]


def killed(calls: Calls, request: Any, name: str) -> NoReturn:
    """The call takes effect, and the process ends before it hears of it: also the moment before the next call."""
    calls.send(request, name)
    raise KilledError


def timed_out(calls: Calls, request: Any, name: str) -> NoReturn:
    """The call takes effect, and its answer is lost on the way."""
    calls.send(request, name)
    raise ReadTimeoutError(endpoint_url=request.url)


def denied(_calls: Calls, request: Any, _name: str) -> AWSResponse:
    return answer(request, 403, "AccessDeniedException", "AccessDenied")


def throttled(_calls: Calls, request: Any, _name: str) -> AWSResponse:
    return answer(request, 400, "ThrottlingException", "Throttling", s3=(503, "SlowDown"))


def answer(
    request: Any, status: int, json_code: str, code: str, s3: tuple[int, str] | None = None
) -> AWSResponse:
    """An error in the protocol of the service that was asked."""
    if "X-Amz-Target" in request.headers:
        body = json.dumps({"__type": json_code, "message": "said no"}).encode()
        return response(request, status, "application/x-amz-json-1.1", body)
    if "form-urlencoded" in str(request.headers.get("Content-Type", "")):
        text = f"<ErrorResponse><Error><Code>{code}</Code><Message>said no</Message></Error></ErrorResponse>"
        return response(request, status, "text/xml", text.encode())
    status, code = s3 or (status, code)
    text = f"<Error><Code>{code}</Code><Message>said no</Message></Error>"
    return response(request, status, "application/xml", text.encode())


def response(request: Any, status: int, kind: str, body: bytes) -> AWSResponse:
    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield body

        def read(self, _amount: int | None = None) -> bytes:
            return body

    return AWSResponse(request.url, status, {"content-type": kind}, Raw())


class Clients:
    """The clients of each region, made once; their calls go through the ``calls`` of the moment."""

    def __init__(self, embedded: EmbeddedAws) -> None:
        self.embedded = embedded
        self.calls = Calls()
        self.made: dict[str, Aws] = {}

    def __call__(self, region: str) -> Aws:
        if region not in self.made:
            self.made[region] = Aws(region, self.embedded.environment())
            self.made[region]._session.events.register("before-send", self.send)
        return self.made[region]

    def send(self, request: Any, event_name: str, **_more: Any) -> AWSResponse:
        return self.calls(request, event_name)


@contextmanager
def no_waiting() -> Iterator[None]:
    """Repeat a failed call at once: botocore waits half a second on average."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
        yield
