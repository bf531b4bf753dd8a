"""Fixtures of the functions' tests: the embedded AWS, and a listener for responses to CloudFormation."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
import pytest

from embedded_aws.server import EmbeddedAws
from tests.engines.rds import Rds
from tests.functions.cloudformation import Answers
from tests.functions.databases import NEXT_PASSWORD, PASSWORDS, USER, USER_PASSWORD, Stack, Store


@pytest.fixture
def lambda_environment(running_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The variables that Lambda sets, with the AWS APIs at the embedded AWS."""
    for name, value in running_aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", running_aws.region)
    return running_aws


@cache
def _client(aws: EmbeddedAws, service: str) -> Any:
    """Created once per run, because creating a client takes longer than most calls."""
    return boto3.client(
        service,
        region_name=aws.region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=aws.access_key,
        aws_secret_access_key=aws.secret_key,
    )


@pytest.fixture
def client(lambda_environment: EmbeddedAws) -> Any:
    """A factory of boto3 clients of the embedded AWS."""
    return lambda service: _client(lambda_environment, service)


@pytest.fixture
def store(client: Any) -> Any:
    """Create a secret with a text; return its ARN."""

    def put(text: str) -> str:
        secret = client("secretsmanager").create_secret(Name=f"s/{uuid4()}/x", SecretString=text)
        return str(secret["ARN"])

    return put


@pytest.fixture
def answers() -> Iterator[Answers]:
    with Answers() as listener:
        yield listener


@pytest.fixture
def database(rds: Rds, lambda_environment: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Rds:
    """An empty database, trusted by the function through DATABASE_CA_FILE."""
    del lambda_environment
    monkeypatch.setenv("DATABASE_CA_FILE", str(rds.identity.root))
    return rds


@pytest.fixture
def secret(database: Rds, store: Any) -> str:
    """The master user's secret after a SecretTargetAttachment."""
    return str(
        store(
            json.dumps(
                {
                    "username": database.user,
                    "password": database.password,
                    "engine": "postgres",
                    "host": database.host,
                    "port": database.port,
                    "dbname": database.database,
                    "dbInstanceIdentifier": "data-database",
                }
            )
        )
    )


@pytest.fixture
def user_secret(store: Any) -> str:
    """The application user's secret."""
    return str(store(json.dumps({"username": USER, "password": USER_PASSWORD})))


@pytest.fixture
def stack(
    database: Rds, secret: str, store: Store, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> Stack:
    secrets = {
        user: store(json.dumps({"username": user, "password": password}))
        for user, password in PASSWORDS.items()
    }
    return Stack(database, secret, secrets, answers, monkeypatch)


@pytest.fixture
def no_password_in_sight(
    answers: Answers, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], rds: Rds
) -> Iterator[None]:
    """In every test, no password is in a response, in the function's log or in the server's log, which has every statement."""
    caplog.set_level("DEBUG", "templates_src.functions")
    mark = rds.log.stat().st_size
    yield
    printed = capfd.readouterr()
    # Not caplog.text, which after the test has the log of the teardown.
    logged = "".join(record.getMessage() for record in caplog.get_records("call"))
    said = json.dumps(answers.taken) + logged + printed.out + printed.err
    server = rds.log.read_bytes()[mark:].decode(errors="replace")
    for password in (Rds.password, USER_PASSWORD, NEXT_PASSWORD):
        assert password not in said + server
    assert "X-Amz-Signature" not in logged
