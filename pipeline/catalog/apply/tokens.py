"""Idempotency tokens: the same for the same thing, so that who publishes twice, or at once, makes it once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from pipeline.aws import code_of
from pipeline.errors import PipelineError

# How often, and how long in seconds, something new is looked for before it counts as gone.
WAITS = (0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 5.0)
# A product or version that is still being made is waited for; Service Catalog gives no bound, minutes are plenty.
LONGEST_CREATION = 300.0
_GONE_AT_MOST = 5
DUPLICATE = frozenset({"DuplicateResourceException"})
NOT_FOUND = frozenset({"ResourceNotFoundException"})


def token(*identity: str) -> str:
    """The token of a thing, derived from what it is and not from what it holds.

    Of two publishers that want different things under one name the second is answered with the first one's.
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
    """Create something and wait until it is there; returns its ID.

    ``create`` takes a token and returns an ID, ``read`` takes the ID and returns the status. Service Catalog answers a
    token that it knows with what it made then, also when that was deleted meanwhile; the token after that is derived
    from the dead ID, so that it too is the same for everybody. It refuses a known token with other ``content``: what
    ``find`` finds is then somebody else's of the same moment, and where it finds nothing what had the token is dead.
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
                f"Service Catalog could not make {' '.join(identity)} ({made}); delete it and publish again."
            )
        if status:
            return made
        parts.append(made)
    raise PipelineError(
        f"Service Catalog keeps answering with {' '.join(identity)} that were deleted; publish again tomorrow."
    )


def find_with_retry(find: Callable[[], str], waits: tuple[float, ...]) -> str:
    """What ``find`` finds, which may take a while to show; empty where it does not."""
    for wait in waits:
        if there := find():
            return there
        time.sleep(wait)
    return find()


def is_of_another_request(error: Exception) -> bool:
    """Whether a call was refused because its token came with another request before."""
    return code_of(error) == "InvalidParametersException" and "token" in str(error).lower()


def creation_status(read: Callable[[str], str], made: str, waits: tuple[float, ...]) -> str:
    """The status once creation has ended; empty where there is no such thing."""
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
