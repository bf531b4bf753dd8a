"""The response to CloudFormation: once, in every case, and in time."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from templates_src.functions.custom_resource import (
    AnswerError,
    MalformedEventError,
    ProvisioningError,
    Request,
    Result,
    serve,
)
from tests.functions.cloudformation import STACK, Answers, Context

AMPLE = Context(60)


def done(request: Request) -> Result:
    del request
    return Result("made", {"Name": "value"})


def refused(request: Request) -> Result:
    raise ProvisioningError(f"{request.type} is not possible today.")


def broken(request: Request) -> Result:
    raise RuntimeError(request.properties["Password"])


def test_successful_response_repeats_the_request_fields(answers: Answers) -> None:
    serve(answers.event("Create", {}), AMPLE, done, "fallback")

    assert answers.only == {
        "Status": "SUCCESS",
        "PhysicalResourceId": "made",
        "Data": {"Name": "value"},
        "StackId": STACK,
        "RequestId": "7f2c",
        "LogicalResourceId": "Resource",
    }


def test_the_signed_url_gets_no_content_type(answers: Answers) -> None:
    serve(answers.event("Create", {}), AMPLE, done, "fallback")

    assert answers.headers["Content-Type"] == ""


def test_failure_is_answered_with_its_reason(answers: Answers) -> None:
    serve(answers.event("Create", {}), AMPLE, refused, "fallback")

    assert answers.only["Status"] == "FAILED"
    assert answers.only["Reason"] == "Create is not possible today."
    assert answers.only["PhysicalResourceId"] == "fallback"


def test_a_failed_update_keeps_the_physical_id(answers: Answers) -> None:
    serve(answers.event("Update", {}, PhysicalResourceId="arn:x"), AMPLE, refused, "fallback")

    assert answers.only["PhysicalResourceId"] == "arn:x"


def test_an_unforeseen_failure_shows_its_type_and_not_its_message(
    answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    serve(answers.event("Create", {"Password": "hunter2"}), AMPLE, broken, "fallback")

    assert "unforeseen RuntimeError" in answers.only["Reason"]
    assert "in broken" in caplog.text
    assert "hunter2" not in answers.only["Reason"] + caplog.text


def test_a_long_reason_fits_into_the_answer(answers: Answers) -> None:
    def verbose(request: Request) -> Result:
        raise ProvisioningError("é€😀" * 2000 + request.type)

    serve(answers.event("Create", {}), AMPLE, verbose, "fallback")

    assert answers.only["Reason"].startswith("é€😀")
    assert int(answers.headers["Content-Length"]) <= 4096


def test_the_work_sees_its_request(answers: Answers) -> None:
    seen: list[Request] = []

    def look(request: Request) -> Result:
        seen.append(request)
        return Result("made")

    properties = {"ServiceToken": "arn", "ServiceTimeout": "360", "Size": "2"}
    serve(answers.event("Update", properties, PhysicalResourceId="made"), AMPLE, look, "fallback")

    (request,) = seen
    assert (request.type, request.physical_id) == ("Update", "made")
    assert request.properties == {"Size": "2"}
    assert 45 < request.deadline.remaining() <= 50


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"RequestType": "Replace"}, "RequestType must be one of Create, Update, Delete."),
        ({"RequestType": None}, "RequestType must be one of Create, Update, Delete."),
        ({"ResourceProperties": "text"}, "The event has no ResourceProperties."),
        ({"ResourceProperties": None}, "The event has no ResourceProperties."),
    ],
)
def test_a_malformed_event_is_answered(
    answers: Answers, change: dict[str, Any], reason: str
) -> None:
    serve({**answers.event("Create", {}), **change}, AMPLE, done, "fallback")

    assert answers.only["Status"] == "FAILED"
    assert answers.only["Reason"] == reason


@pytest.mark.parametrize("url", [None, 7, "", "file:///etc/passwd", "answer"])
def test_an_event_without_a_usable_url_is_logged_and_raised(
    answers: Answers, caplog: pytest.LogCaptureFixture, url: object
) -> None:
    event = {**answers.event("Create", {}), "ResponseURL": url}

    with pytest.raises(MalformedEventError, match="no ResponseURL"):
        serve(event, AMPLE, done, "fallback")

    assert "cannot be answered" in caplog.text


def test_event_that_is_not_an_object_raises() -> None:
    with pytest.raises(MalformedEventError):
        serve([], AMPLE, done, "fallback")  # type: ignore[arg-type]


def test_refused_response_is_sent_again(answers: Answers, caplog: pytest.LogCaptureFixture) -> None:
    answers.refusals = 2

    serve(answers.event("Create", {}), AMPLE, done, "fallback")

    assert answers.only["Status"] == "SUCCESS"
    assert caplog.text.count("HTTP status 503") == 2


def test_undeliverable_response_raises_without_its_url(
    answers: Answers, caplog: pytest.LogCaptureFixture
) -> None:
    answers.refusals = 100

    with pytest.raises(AnswerError, match="HTTP status 503") as error:
        serve(answers.event("Create", {}), AMPLE, done, "fallback")

    assert "Signature" not in str(error.value) + caplog.text


@pytest.mark.parametrize("ending", [done, refused, broken])
def test_hanging_work_is_answered_before_lambda_ends_the_function(
    answers: Answers, ending: Callable[[Request], Result]
) -> None:
    patience = time.monotonic() + 5

    def hang(request: Request) -> Result:
        while not answers.taken and time.monotonic() < patience:
            time.sleep(0.02)
        return ending(request)

    # The watchdog fires 8 s before the end; the work ends only then.
    serve(answers.event("Create", {}), Context(8.3), hang, "fallback")

    assert answers.only["Status"] == "FAILED"
    assert "time ran out" in answers.only["Reason"]


def test_work_that_ends_in_time_leaves_no_watchdog(answers: Answers) -> None:
    serve(answers.event("Create", {}), AMPLE, done, "fallback")

    waiting = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    assert all(timer.finished.is_set() for timer in waiting)


def test_the_log_says_why_it_failed(answers: Answers, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        serve(answers.event("Create", {}), AMPLE, refused, "fallback")

    assert "answering FAILED: Create is not possible today." in caplog.text
