"""The cache's URL and the key prefix: what the contract asks for, and what happens without it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import redis

from tests.contract.application import Stack

pytestmark = pytest.mark.xdist_group("contract-interruptions")

serverless = pytest.mark.parametrize("stack", ["serverless"], indirect=True)


@pytest.fixture
def url(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL as ECS injects it, in a process that trusts the server's authority as an image trusts Amazon's."""
    monkeypatch.setenv("SSL_CERT_FILE", stack.machine.trusted["SSL_CERT_FILE"])
    return stack.secrets("api")["CELERY_BROKER_URL"]


def test_redis_py_takes_the_url(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        assert client.ping()
        options = client.connection_pool.connection_kwargs
    assert options["db"] == 0
    assert options["ssl_cert_reqs"] == "required"


def test_another_authority_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with (
        redis.Redis.from_url(url) as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()


def test_another_host_name_is_refused(url: str) -> None:
    with (
        redis.Redis.from_url(url.replace("@localhost:", "@127.0.0.1:")) as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()


@serverless
def test_a_cluster_has_no_other_database(url: str) -> None:
    assert urlsplit(url).path == "/0"

    with (
        redis.Redis.from_url(url.replace("/0?", "/1?")) as client,
        pytest.raises(redis.ResponseError),
    ):
        client.ping()


@serverless
def test_a_serverless_cache_refuses_celery_without_the_prefix(stack: Stack) -> None:
    """Its keys fall into many hash slots then, and Celery asks for several at once."""
    worker = stack.worker(CELERY_KEY_PREFIX="")

    worker.wait_for_words("ClusterCrossSlotError")
