"""The function that checks the application's own settings, against S3 and Secrets Manager of the embedded AWS."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from templates_src.functions import stack_status
from templates_src.functions.application_settings import handler as function
from tests.functions.cloudformation import STACK, Answers
from tests.functions.databases import AMPLE


@pytest.fixture
def check(client: Any, store: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Check a file and a secret in a status of the stack; return the answer."""
    bucket = f"settings-{uuid4()}"
    client("s3").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
    )

    def answer(
        file: bytes | None,
        secret: str = "{}",  # noqa: S107 - an empty JSON object
        kind: str = "Create",
        status: str = "UPDATE_IN_PROGRESS",
        root: str = "UPDATE_IN_PROGRESS",
    ) -> dict[str, Any]:
        stacks = {
            STACK: {"StackStatus": status, "RootId": "root"},
            "root": {"StackStatus": root},
        }
        monkeypatch.setattr(stack_status, "describe_stack", stacks.__getitem__)
        if file is not None:
            client("s3").put_object(Bucket=bucket, Key="settings/1.env", Body=file)
        properties = {
            "Bucket": bucket,
            "Key": "settings/1.env",
            "SecretArn": store(secret),
            "Reserved": ["DATABASE_URL", "APPLICATION_SECRETS"],
        }
        function.handler(answers.event(kind, properties), AMPLE)
        return answers.taken[-1]

    return answer


def test_settings_with_own_names_are_accepted(check: Any) -> None:
    file = b"# comment\n\nSTRIPE_MODE=live\nEMPTY=\nWITH=a=b\n"

    assert check(file, json.dumps({"STRIPE_KEY": "hidden"}))["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("file", "secret", "reason"),
    [
        (None, "{}", "settings/1.env cannot be read (NoSuchKey)"),
        (b"DATABASE_URL=hidden", "{}", "DATABASE_URL in s3://"),
        (b"A=1\nAPPLICATION_SECRETS=hidden", "{}", "APPLICATION_SECRETS in s3://"),
        (b"AWS_ACCESS_KEY_ID=hidden", "{}", "AWS_ACCESS_KEY_ID in s3://"),
        (b"ECS_AGENT_URI=hidden", "{}", "ECS_AGENT_URI in s3://"),
        (b"A=1\nhidden value", "{}", "Line 2 of s3://"),
        (b" A=hidden", "{}", "Line 1 of s3://"),
        (b"export A=hidden", "{}", "Line 1 of s3://"),
        (b"A=\xff", "{}", "is not UTF-8 text"),
        (b"A=" + b"x" * 70_000, "{}", "is larger than 65536 bytes"),
        (b"", '{"DATABASE_URL": "hidden"}', "DATABASE_URL in the application's secret"),
        (b"", "hidden", "must be a JSON object of texts"),
        (b"", '["hidden"]', "must be a JSON object of texts"),
        (b"", '{"A": {"hidden": 1}}', "must be a JSON object of texts"),
    ],
)
def test_wrong_settings_fail_in_words(
    check: Any, file: bytes | None, secret: str, reason: str
) -> None:
    answer = check(file, secret)

    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert "hidden" not in answer["Reason"]


@pytest.mark.parametrize(
    ("kind", "status", "root"),
    [
        ("Delete", "DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS"),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_IN_PROGRESS"),
        ("Update", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
    ],
)
def test_rollback_and_deletion_check_nothing(check: Any, kind: str, status: str, root: str) -> None:
    assert check(None, kind=kind, status=status, root=root)["Status"] == "SUCCESS"


def test_unknown_status_refuses_nothing(
    check: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rollback must succeed, and without the status it looks like an update."""

    def refuse(_stack: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    check(b"")
    monkeypatch.setattr(stack_status, "describe_stack", refuse)
    properties = {"Bucket": "absent", "Key": "settings/1.env", "SecretArn": "", "Reserved": []}
    function.handler(answers.event("Update", properties), AMPLE)

    assert answers.taken[-1]["Status"] == "SUCCESS"
