"""What the functions' tests share: the AWS that they call, and CloudFormation's ear."""

from collections.abc import Iterator
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


@pytest.fixture
def client(lambda_environment: EmbeddedAws) -> Any:
    """A factory of boto3 clients of the embedded AWS."""
    del lambda_environment
    return boto3.client


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
