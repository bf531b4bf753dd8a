"""Idempotency tokens: the same resource always has the same token, so that two publications create it once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from pipeline.aws import code_of
from pipeline.errors import PipelineError

# Number and interval (in seconds) of the attempts to find a new resource before it counts as missing.
WAITS = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
# Longest wait for the creation of a product or version. Service Catalog documents no bound; minutes are plenty.
LONGEST_CREATION = 300.0
_GONE_AT_MOST = 5
DUPLICATE = frozenset({"DuplicateResourceException"})
NOT_FOUND = frozenset({"ResourceNotFoundException"})


def token(*identity: str) -> str:
    """The token of a resource, derived from its identity and not from its content.

    If two publishers want different content under one name, Service Catalog answers the second with the resource of the first.
    """
    return hashlib.sha256("\0".join(identity).encode()).hexdigest()[:40]


def create_once(
    create: Callable[[str], str],
    read: Callable[[str], str],
    *identity: str,
    find: Callable[[], str],
    content: str,
    waits: tuple[float, ...] = WAITS,
) -> str:
    """Create a resource and wait until it exists; returns its ID.

    ``create`` receives a token and returns an ID, ``read`` receives the ID and returns the status. Service Catalog
    answers a known token with the resource that it created then, even if that was deleted in the meantime. The next token
    is derived from the deleted ID, so that every publisher derives the same one. Service Catalog rejects a known token
    with other ``content``: a resource that ``find`` finds was then created by another publisher in the same moment; if
    ``find`` finds nothing, the resource of the token was deleted.
    """
    from botocore.exceptions import ClientError

    parts = list(identity)
    for _ in range(_GONE_AT_MOST):
        try:
            made = create(token(*parts))
        except ClientError as error:
            if not is_of_another_request(error):
                raise
            if there := find_with_retry(find, waits):
                return there
            parts.append(content)
            continue
        status = creation_status(read, made, waits)
        if status == "FAILED":
            raise PipelineError(
                f"Service Catalog could not create {' '.join(identity)} ({made}); delete it and publish again."
            )
        if status:
            return made
        parts.append(made)
    raise PipelineError(
        f"Service Catalog keeps returning deleted resources for {' '.join(identity)}; publish again tomorrow."
    )


def find_with_retry(find: Callable[[], str], waits: tuple[float, ...]) -> str:
    """The result of ``find``, which can take a while to appear; empty if it does not."""
    for wait in waits:
        if there := find():
            return there
        time.sleep(wait)
    return find()


def is_of_another_request(error: Exception) -> bool:
    """Whether a call was rejected because another request has used its token."""
    return code_of(error) == "InvalidParametersException" and "token" in str(error).lower()


def creation_status(read: Callable[[str], str], made: str, waits: tuple[float, ...]) -> str:
    """The status when creation has ended; empty if the resource does not exist."""
    from botocore.exceptions import ClientError

    began = time.monotonic()
    left = list(waits)
    while True:
        try:
            status = read(made)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            if not left:
                return ""
        else:
            if status != "CREATING" or time.monotonic() - began > LONGEST_CREATION:
                return status
            left = left or [waits[-1]]
        time.sleep(left.pop(0))
