"""Queues in which nothing is taken: the next message of a queue stays the same from one run of the function to the next.

Celery's messages have no time, so that the age of a job is unknown. What a run saw is in the broker, beside the queues:
Lambda keeps no memory between runs for certain.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KEY = "queue-depth.heads"
"""The key, after Celery's prefix."""

LIFETIME_SECONDS = 24 * 3600
"""The key disappears after a day without the function."""


@dataclass(frozen=True)
class Seen:
    """The digest of the next message of each list of a queue that is not empty, and since when nothing is taken."""

    heads: Mapping[str, str]
    since: float


def digest(message: bytes) -> str:
    """A message in few characters. A message that a worker returns is marked as redelivered, and so is another one."""
    return hashlib.blake2b(message, digest_size=8).hexdigest()


def compare(
    before: Mapping[str, Seen], heads: Mapping[str, Mapping[str, str]], now: float
) -> dict[str, Seen]:
    """What is seen now, by queue, from the next messages by queue and list.

    A message was taken if a list that was not empty has another next message or none. A list that fills is no progress:
    kombu takes a message of the highest priority first, and one that arrives there does not mean that a worker takes it.
    """
    found = {}
    for queue, lists in heads.items():
        if not lists:
            continue
        last = before.get(queue)
        stalled = last is not None and all(
            lists.get(key) == head for key, head in last.heads.items()
        )
        found[queue] = Seen(lists, last.since if last and stalled else now)
    return found


def load(text: bytes | None) -> dict[str, Seen]:
    """What the run before stored; nothing if it stored nothing, or another version of the function did."""
    try:
        stored: Any = json.loads(text or b"{}")
        return {
            queue: Seen(dict(entry["heads"]), float(entry["since"]))
            for queue, entry in stored.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def dump(seen: Mapping[str, Seen]) -> str:
    """The text to store."""
    return json.dumps(
        {queue: {"heads": dict(each.heads), "since": each.since} for queue, each in seen.items()}
    )


def heads_of(
    queues: Sequence[str], lists: Sequence[Sequence[str]], messages: Sequence[bytes | None]
) -> dict[str, dict[str, str]]:
    """By queue, the digest of the next message of each of its lists; ``messages`` follows ``lists``, flat."""
    each = iter(messages)
    return {
        queue: {key: digest(message) for key in keys if (message := next(each)) is not None}
        for queue, keys in zip(queues, lists, strict=True)
    }
