"""The drill of docs/recovery.md: a document that was deleted, and one that was overwritten."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.server import EmbeddedAws
from pipeline.release.assemble import Release
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.launches.tree import Tree
from tests.recovery.page import Shell, blocks

STEPS = blocks("A document")
SEE, DELETED, OVERWRITTEN = STEPS.values()
KEY = "offers/7.pdf"


@pytest.fixture(scope="module")
def running() -> Any:
    """Without a database host: the documents need none."""
    with EmbeddedAws.start(region=REGION) as aws:
        yield aws


@pytest.fixture(scope="module")
def environment(running: EmbeddedAws, release: Release) -> Environment:
    launched = Environment(running, release, "dev")
    assert launched.launch().succeeded
    return launched


@pytest.fixture(scope="module")
def shell(running: EmbeddedAws, environment: Environment, tree: Tree) -> Shell:
    assert environment
    return Shell(running, tree, NAME="dev")


@pytest.fixture
def bucket(environment: Environment) -> str:
    """The documents, with two versions of one and a neighbour whose key begins alike."""
    bucket = environment.physical_id("Data.DocumentsBucket")
    s3 = environment.client("s3")
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key=KEY, Body=body)
    s3.put_object(Bucket=bucket, Key=f"{KEY}.txt", Body=b"neighbour")
    s3.delete_object(Bucket=bucket, Key=f"{KEY}.txt")
    return bucket


def content(environment: Environment, bucket: str, key: str = KEY) -> bytes:
    body: bytes = environment.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_a_deleted_document_comes_back(environment: Environment, shell: Shell, bucket: str) -> None:
    environment.client("s3").delete_object(Bucket=bucket, Key=KEY)
    with pytest.raises(ClientError, match="NoSuchKey"):
        content(environment, bucket)

    versions = shell.run(*SEE)
    shell.run(*DELETED)

    assert "Markers" in versions
    assert content(environment, bucket) == b"second"
    with pytest.raises(ClientError, match="NoSuchKey"):
        content(environment, bucket, f"{KEY}.txt")


def test_an_overwritten_document_comes_back(
    environment: Environment, shell: Shell, bucket: str
) -> None:
    shell.run(*SEE)
    shell.run(*OVERWRITTEN)

    assert content(environment, bucket) == b"first"
