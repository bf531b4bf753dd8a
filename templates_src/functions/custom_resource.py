"""The response that CloudFormation waits for, sent once and in every case.

The function of a custom resource calls `serve` with its event and the work. CloudFormation waits up to an hour for a
missing response, so `serve` responds when the work returns, when it raises, when the event is malformed, and shortly
before Lambda ends the function. Only an event without a usable ResponseURL gets no response: that is logged and raised.

Protocol: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import logging
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

REQUEST_TYPES = ("Create", "Update", "Delete")

WORK_MARGIN_SECONDS = 10.0
"""Reserved for the response; the deadline of the work is this much before the end of the function."""

WATCHDOG_MARGIN_SECONDS = 8.0
"""How long before the end the response is sent even if the work has not returned, for example because a call without a time-out hangs."""

PUT_TIMEOUT_SECONDS = 3.0
PUT_PAUSES_SECONDS = (0.0, 0.25, 1.0)
"""Before each attempt to send the response; three attempts fit into the margin unless each one hangs."""

REASON_LENGTH = 600
"""The whole response can have 4,096 bytes; a character takes up to four."""


class LambdaContext(Protocol):
    """The used part of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""
        ...


class ProvisioningError(Exception):
    """The work failed; the message is the reason that the stack's events show, without secrets."""


class AnswerLaterError(Exception):
    """Another invocation goes on with the work and responds, so this one sends no response."""


class MalformedEventError(Exception):
    """The event has no usable ResponseURL, so there is no response."""


class AnswerError(Exception):
    """The response could not be sent. The function raises it, so that Lambda invokes it again."""


@dataclass(frozen=True)
class Deadline:
    """The time (monotonic clock, seconds) by which work must be done."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - time.monotonic())


@dataclass(frozen=True)
class Request:
    """A custom resource request.

    `type` is one of REQUEST_TYPES; `physical_id` is None on Create; `properties` are the ResourceProperties without ServiceToken
    and ServiceTimeout, every scalar a string, as CloudFormation sends them; `deadline` leaves time for the response.
    `old_properties` are those before an Update, empty otherwise; `stack_id` is the ARN of the stack that has the resource; `id` is
    the same in each repetition of a request.
    """

    type: str
    physical_id: str | None
    properties: Mapping[str, Any]
    deadline: Deadline
    old_properties: Mapping[str, Any] = field(default_factory=dict)
    stack_id: str = ""
    id: str = ""


@dataclass(frozen=True)
class Result:
    """The result of the work: the physical ID (a new one makes CloudFormation delete the old resource) and Fn::GetAtt values."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


def serve(
    event: Mapping[str, Any],
    context: LambdaContext,
    work: Callable[[Request], Result],
    physical_id: str,
) -> None:
    """Do `work` and respond to CloudFormation.

    AnswerLaterError of the work means that there is no response yet.

    The response has `physical_id` if the work returned none: after a failed Create, CloudFormation sends a Delete of
    that ID. The reason of a failure is the message of a ProvisioningError; of any other exception only its type,
    because the message may contain a secret.

    Raises MalformedEventError if there is no URL for the response, AnswerError if the response was not accepted.
    """
    remaining = context.get_remaining_time_in_millis() / 1000
    answer = _Answer(event, _fallback_physical_id(event, physical_id))
    watchdog = threading.Timer(max(0.0, remaining - WATCHDOG_MARGIN_SECONDS), answer.timed_out)
    watchdog.daemon = True
    watchdog.start()
    try:
        result = work(_request(event, Deadline.after(remaining - WORK_MARGIN_SECONDS)))
    except AnswerLaterError as error:
        LOGGER.info("no response yet: %s", error)
    except ProvisioningError as error:
        answer.failed(str(error))
    except Exception as error:
        # The message of an unexpected exception may contain a secret; the trace has only source lines.
        trace = "".join(traceback.format_tb(error.__traceback__))
        LOGGER.error("unforeseen %s\n%s", type(error).__name__, trace)  # noqa: TRY400
        answer.failed(
            f"The function failed with an unforeseen {type(error).__name__}; its log shows where."
        )
    else:
        answer.succeeded(result)
    finally:
        watchdog.cancel()


def _fallback_physical_id(event: Mapping[str, Any], physical_id: str) -> str:
    given = event.get("PhysicalResourceId") if isinstance(event, Mapping) else None
    return given if isinstance(given, str) and given else physical_id


def _request(event: Mapping[str, Any], deadline: Deadline) -> Request:
    kind = event.get("RequestType")
    if kind not in REQUEST_TYPES:
        raise ProvisioningError(f"RequestType must be one of {', '.join(REQUEST_TYPES)}.")
    properties = event.get("ResourceProperties")
    if not isinstance(properties, Mapping):
        raise ProvisioningError("The event has no ResourceProperties.")
    old = event.get("OldResourceProperties")
    given = event.get("PhysicalResourceId")
    return Request(
        kind,
        given if isinstance(given, str) and given else None,
        _own(properties),
        deadline,
        _own(old) if isinstance(old, Mapping) else {},
        str(event.get("StackId", "")),
        str(event.get("RequestId", "")),
    )


def _own(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of the resource in the template."""
    return {
        key: value
        for key, value in properties.items()
        if key not in ("ServiceToken", "ServiceTimeout")
    }


class _Answer:
    """One response for one event: the first caller sends it, a second one waits until it is sent."""

    def __init__(self, event: Mapping[str, Any], physical_id: str) -> None:
        url = event.get("ResponseURL") if isinstance(event, Mapping) else None
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            LOGGER.error(
                "malformed event: it has no ResponseURL, so CloudFormation cannot be answered"
            )
            raise MalformedEventError(
                "The event has no ResponseURL: invoke this function as a custom resource."
            )
        self._url = url
        self._physical_id = physical_id
        self._echo = {
            name: str(event.get(name, "")) for name in ("StackId", "RequestId", "LogicalResourceId")
        }
        self._lock = threading.Lock()
        self._delivered = False

    def succeeded(self, result: Result) -> None:
        self._deliver(
            {
                "Status": "SUCCESS",
                "PhysicalResourceId": result.physical_id,
                "Data": dict(result.data),
            }
        )

    def failed(self, reason: str) -> None:
        self._deliver(
            {
                "Status": "FAILED",
                "PhysicalResourceId": self._physical_id,
                "Reason": reason[:REASON_LENGTH],
            }
        )

    def timed_out(self) -> None:
        """Runs in the watchdog's thread: a failure is logged, and the end of the work tries again."""
        try:
            self.failed(
                "The function's time ran out before its work was done; its log shows how far it came."
            )
        except AnswerError as error:
            LOGGER.warning("%s", error)

    def _deliver(self, outcome: Mapping[str, Any]) -> None:
        # The lock is held while the response is sent: Lambda freezes the process when the handler returns.
        with self._lock:
            if self._delivered:
                return
            if outcome["Status"] == "FAILED":
                LOGGER.error("answering FAILED: %s", outcome["Reason"])
            _put(self._url, json.dumps({**self._echo, **outcome}, ensure_ascii=False).encode())
            self._delivered = True


def _put(url: str, body: bytes) -> None:
    """PUT the response, with retries. The URL is a credential, so no message contains it."""
    problem = ""
    for pause in PUT_PAUSES_SECONDS:
        time.sleep(pause)
        # The URL is signed without a content type, and urllib adds one unless the header exists.
        request = urllib.request.Request(  # noqa: S310 (_Answer takes http and https only)
            url, data=body, method="PUT", headers={"Content-Type": ""}
        )
        try:
            with urllib.request.urlopen(request, timeout=PUT_TIMEOUT_SECONDS):  # noqa: S310
                return
        except (OSError, ValueError) as error:
            code = getattr(error, "code", None)
            problem = f"HTTP status {code}" if code else type(error).__name__
            LOGGER.warning("the answer to CloudFormation was not taken: %s", problem)
    raise AnswerError(
        f"CloudFormation did not take the answer in {len(PUT_PAUSES_SECONDS)} attempts: {problem}."
    )
