"""Clients of AWS, or of the endpoint in AWS_ENDPOINT_URL, and AWS errors as sentences."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from pipeline.errors import PipelineError

DEFAULT_REGION = "eu-north-1"
# botocore's variables of a session, as (name in the file, environment variable, default, conversion): no profile, no files.
_NO_FILES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class Connection:
    """The session of one set of credentials, which the clients of all regions share: a profile with MFA asks for a code once.

    The lock is held while a client is created, because boto3 does not create clients in parallel.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.session: Any = None


@dataclass
class Aws:
    """Clients for one region.

    ``environment`` overrides the endpoint and credentials that boto3 reads from the process. For the embedded AWS it holds
    AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    """

    region: str
    environment: Mapping[str, str] = field(default_factory=dict)
    connection: Connection = field(default_factory=Connection, repr=False, compare=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """The client of a service, created once.

        Raises PipelineError for a region that is in no partition of AWS, and for an endpoint that is not a URL.
        """
        with self.connection.lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
        return self._clients[service]

    def in_region(self, region: str) -> Aws:
        """The clients for another region, in the same session."""
        return self if region == self.region else replace(self, region=region, _clients={})

    @property
    def session(self) -> Any:
        """The session of boto3, created once for all regions."""
        with self.connection.lock:
            if self.connection.session is None:
                self.connection.session = self._new_session()
            return self.connection.session

    def _new_client(self, service: str) -> Any:
        require_region(self.region)
        try:
            return self.session.client(
                service,
                region_name=self.region,
                endpoint_url=self.environment.get("AWS_ENDPOINT_URL"),
                config=_config(self._endpoint),
            )
        except ValueError as error:
            raise PipelineError(
                f"Could not reach AWS: {error}; set AWS_ENDPOINT_URL to http://HOST:PORT, or unset it."
            ) from error

    @property
    def is_embedded(self) -> bool:
        """Whether the clients talk to an endpoint on this machine."""
        return _is_local(self.client("sts").meta.endpoint_url)

    def account(self) -> str:
        """The account that the credentials belong to."""
        with aws_errors("ask AWS for the account"):
            return str(self.client("sts").get_caller_identity()["Account"])

    @property
    def _endpoint(self) -> str:
        """The endpoint of every service, or an empty string for those of AWS."""
        return self.environment.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL", "")

    @property
    def _environment_has_keys(self) -> bool:
        return "AWS_ACCESS_KEY_ID" in self.environment or "AWS_ACCESS_KEY_ID" in os.environ

    def _new_session(self) -> Any:
        import boto3
        from botocore.session import Session

        # Keys for an endpoint on this machine need no profile: a missing one or a malformed file must not matter.
        isolated = _is_local(self._endpoint) and self._environment_has_keys
        session = Session(session_vars=_NO_FILES if isolated else None)
        session.register_component("data_loader", models())
        return boto3.Session(
            botocore_session=session,
            region_name=self.region,
            aws_access_key_id=self.environment.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self.environment.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=self.environment.get("AWS_SESSION_TOKEN"),
        )


@cache
def models() -> Any:
    """The models of the services, cached: reading one takes longer than most calls, and they depend on no account."""
    from botocore.loaders import create_loader

    return create_loader(os.environ.get("AWS_DATA_PATH"))


@cache
def _known_regions() -> frozenset[str]:
    """The regions of each partition, and a name such as aws-global for services that have none."""
    from botocore.loaders import Loader

    partitions = Loader().load_data("partitions")["partitions"]
    return frozenset(name for partition in partitions for name in partition["regions"])


def require_region(region: str) -> None:
    """Raise PipelineError for a region that is in no partition of AWS."""
    if region not in _known_regions() or region.endswith("-global"):
        raise PipelineError(f"AWS has no region {region!r}; use a region such as {DEFAULT_REGION}.")


def partition_of(region: str) -> str:
    """The partition of a region."""
    for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(prefix):
            return partition
    return "aws"


def _config(endpoint: str) -> Any:
    from botocore.config import Config

    if _is_local(endpoint):
        # It answers quickly or not at all, and a proxy does not reach it.
        local: dict[str, Any] = {"proxies": {}}
        attempts = 2
    else:
        local, attempts = {}, 6
    return Config(
        connect_timeout=5,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=32,
        **local,
    )


def _is_local(url: str) -> bool:
    return "//127.0.0.1:" in url or "//localhost:" in url


def token_pages(call: Callable[..., Any], key: str, **arguments: Any) -> Iterator[Any]:
    """Return the entries under ``key`` in every page of a Service Catalog operation with PageToken and NextPageToken."""
    token: str | None = None
    while True:
        answer = call(**arguments, **({"PageToken": token} if token else {}))
        entries: Sequence[Any] = answer.get(key, [])
        yield from entries
        token = answer.get("NextPageToken")
        if not token:
            return


def code_of(error: Exception) -> str:
    """The error code of a botocore ClientError."""
    response: Any = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Turn a botocore error into a PipelineError that says what failed, why, and what to do."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        CredentialRetrievalError,
        HTTPClientError,
        LoginError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
        TokenRetrievalError,
    )

    try:
        yield
    except (SSOError, LoginError, TokenRetrievalError, CredentialRetrievalError) as error:
        # botocore's texts name neither the profile nor, all of them, the command.
        command = "login" if isinstance(error, LoginError) else "sso login"
        raise PipelineError(
            f"Could not {doing}: {_one_line(error)}; sign in with `aws {command}{_profile_option()}`."
        ) from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise PipelineError(
            f"Could not {doing}: {str(error).rstrip('.')}; sign in, for example with `aws sso login`, or set AWS_PROFILE."
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        # Among them are time-outs, proxies that refuse and certificates that are not trusted.
        raise PipelineError(
            f"Could not {doing}: {_one_line(error)}; check the network and AWS_ENDPOINT_URL."
        ) from error
    except ClientError as error:
        raise PipelineError(f"Could not {doing}: {reason_of(error)}") from error
    except BotoCoreError as error:
        raise PipelineError(f"Could not {doing}: {_one_line(error)}.") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _profile_option() -> str:
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    return f" --profile {profile}" if profile else ""


_ADVICE: Mapping[str, str] = {
    "ExpiredToken": "sign in again",
    "ExpiredTokenException": "sign in again",
    "InvalidClientTokenId": "check the credentials",
    "UnrecognizedClientException": "check the credentials",
    "SignatureDoesNotMatch": "check the credentials",
    "AccessDenied": "use a role that has the permission",
    "AccessDeniedException": "use a role that has the permission",
}


def reason_of(error: Exception) -> str:
    """The service's message, with advice where the error code is known."""
    response: Any = getattr(error, "response", {})
    message = str(response.get("Error", {}).get("Message") or error).rstrip(".")
    advice = _ADVICE.get(code_of(error))
    return (
        f"{message} ({code_of(error)}); {advice}." if advice else f"{message} ({code_of(error)})."
    )


def ignore_errors(codes: frozenset[str], call: Callable[[], Any]) -> bool:
    """Make a call; returns False for one of these error codes, which mean that the change exists already."""
    from botocore.exceptions import ClientError

    try:
        call()
    except ClientError as error:
        if code_of(error) not in codes:
            raise
        return False
    return True
