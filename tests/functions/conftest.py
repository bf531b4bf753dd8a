"""What the functions' tests share: the AWS that they call, and CloudFormation's ear."""

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
import pytest

from embedded_aws.server import EmbeddedAws
from tests.functions.cloudformation import Answers


@pytest.fixture
def lambda_environment(running_aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> EmbeddedAws:
    """The variables that Lambda sets, with the AWS APIs at the embedded AWS."""
    for name, value in running_aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", running_aws.region)
    return running_aws


@cache
def _client(aws: EmbeddedAws, service: str) -> Any:
    """Made once a run: making a client takes longer than most of what it is used for."""
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
    """Put a text into a new secret; return its ARN."""

    def put(text: str) -> str:
        secret = client("secretsmanager").create_secret(Name=f"s/{uuid4()}/x", SecretString=text)
        return str(secret["ARN"])

    return put


@pytest.fixture
def answers() -> Iterator[Answers]:
    with Answers() as listener:
        yield listener
