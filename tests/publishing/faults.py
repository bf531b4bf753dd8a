"""AWS clients that count their calls and inject faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.errors import PipelineError

READING = ("Describe", "List", "Search", "Get", "Head")
SESSION = URLLib3Session()


def is_write(name: str) -> bool:
    """Whether the operation of that name changes anything."""
    return not name.startswith(READING)


class KilledError(BaseException):
    """Simulates the end of the process; the publisher cannot catch it."""


class Calls:
    """Counts every attempt of every call of a publisher, and injects a fault into the one with the number ``at``."""

    def __init__(self, fault: Fault | None = None, at: int = 0) -> None:
        self.fault = fault
        self.at = at
        self.made: list[str] = []
        self.struck: list[str] = []
        self.call = ""
        self.lock = threading.Lock()

    def __call__(self, request: Any, event_name: str) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        path = request.url.partition("?")[0].split("/", 3)[-1]
        name = f"{operation} {path}" if service == "s3" else operation
        with self.lock:
            self.made.append(name)
            strikes = self.strikes(f"{name} {request.body!r}")
            if strikes:
                self.struck.append(name)
        return self.fault.strike(request) if self.fault and strikes else SESSION.send(request)

    def strikes(self, call: str) -> bool:
        """Whether the latest attempt gets the fault."""
        number = len(self.made)
        if self.fault is None or not self.at <= number < self.at + self.fault.attempts:
            return False
        if number == self.at:
            self.call = call
        # The attempts of one call are the same request, one directly after the other.
        return call == self.call

    @property
    def writes(self) -> list[str]:
        """The writing calls so far."""
        return [name for name in self.made if is_write(name)]


@dataclass(frozen=True)
class Fault:
    """A fault of one call.

    ``strike`` receives the request and answers it or not. ``ends`` is the error that ends the publication, None if the
    publisher must recover. ``attempts`` is the number of attempts with the fault.
    """

    name: str
    strike: Callable[[Any], AWSResponse]
    ends: type[BaseException] | None
    attempts: int = 1


def killed_before(_request: Any) -> NoReturn:
    """The process ends before the call."""
    raise KilledError


def killed_after(request: Any) -> NoReturn:
    """The call takes effect, and the process ends before the response."""
    SESSION.send(request)
    raise KilledError


def timed_out(request: Any) -> NoReturn:
    """The call takes effect, and its response is lost."""
    SESSION.send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def denied(request: Any) -> AWSResponse:
    """AWS denies the call."""
    return answer(request, 403, "AccessDeniedException", "AccessDenied")


def throttled(request: Any) -> AWSResponse:
    """AWS throttles the call."""
    return answer(request, 400, "ThrottlingException", "Throttling", s3=(503, "SlowDown"))


KILLED_BEFORE = Fault("killed before", killed_before, KilledError)
KILLED_AFTER = Fault("killed after", killed_after, KilledError)
FAULTS = (
    KILLED_BEFORE,
    KILLED_AFTER,
    Fault("denied", denied, PipelineError),
    Fault("throttled once", throttled, None),
    Fault("timed out once after success", timed_out, None),
    # The clients of an endpoint on this machine make two attempts.
    Fault("timed out after success in every attempt", timed_out, PipelineError, attempts=2),
)


def answer(
    request: Any, status: int, json_code: str, code: str, s3: tuple[int, str] | None = None
) -> AWSResponse:
    """An error in the protocol of the called service."""
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
    """The clients of each region, created once; their calls use the current ``calls``."""

    def __init__(self, embedded: EmbeddedAws) -> None:
        self.environment = embedded.environment()
        self.calls = Calls()
        self.made: dict[str, Aws] = {}

    def __call__(self, region: str) -> Aws:
        if region not in self.made:
            self.made[region] = Aws(region, self.environment)
            self.made[region].session.events.register("before-send", self.send)
        return self.made[region]

    def sign_in(self, environment: Mapping[str, str]) -> None:
        """Create the clients again with these credentials."""
        self.environment = dict(environment)
        self.made.clear()

    def send(self, request: Any, event_name: str, **_more: Any) -> AWSResponse:
        return self.calls(request, event_name)


@contextmanager
def no_waiting() -> Iterator[None]:
    """Repeat a failed call immediately; botocore waits half a second on average."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
        yield
