"""Celery's messages as kombu stores them in Valkey: which of them are delayed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

HELD_SAMPLE, HELD_BYTES = 2_500, 4 * 2**20
"""The most messages of the unacknowledged ones to read, and the most bytes.

A serverless cache counts one ECPU for each KB. With the smallest limit in use, 5,000 ECPU a second, this read leaves most
of a second to the application.
"""

LIST_SAMPLE, LIST_BYTES = 500, 2**20
"""The same for each list. A worker takes delayed messages out of a list at once, so that few of them wait there."""

PAGE = 10
"""The messages of the first read of a hash, and of each read of a list: little even if each of them is large."""

PAGE_BYTES = 2**20
"""The size of one read from the unacknowledged messages, as far as the size of the messages is known."""


@dataclass
class Sample:
    """The messages that were read: all of them or a part, and how many of them are delayed."""

    read: int = 0
    delayed: int = 0

    def add(self, messages: Iterable[Any], now: datetime) -> None:
        """Count messages, each decoded or as JSON."""
        for message in messages:
            self.read += 1
            self.delayed += is_delayed(message, now)

    def delayed_of(self, total: int) -> int:
        """The delayed messages among ``total``: exactly if all were read, otherwise by their share."""
        if self.read >= total:
            return min(self.delayed, total)
        return round(total * self.delayed / self.read) if self.read else 0


def is_delayed(message: Any, now: datetime) -> bool:
    """Whether a message has a ``countdown`` or ``eta`` that has not passed.

    Version 2 of Celery's protocol, the default since Celery 4, keeps it in a header. What has no such header counts as
    work.
    """
    try:
        eta = datetime.fromisoformat(message["headers"]["eta"])
    except (KeyError, TypeError, ValueError):
        return False
    return (eta if eta.tzinfo else eta.replace(tzinfo=UTC)) > now


def decoded(text: bytes) -> Any:
    """The JSON of a message, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def sample_held(client: Any, key: str, now: datetime) -> Sample:
    """Read unacknowledged messages, which workers hold, within the limits.

    The order of a hash does not depend on the time of a message, so that a part of it is a random sample.
    """
    sample, seen, size, cursor, count = Sample(), set[bytes](), 0, 0, PAGE
    while True:
        cursor, page = client.hscan(key, cursor, count=count)
        # A hash that grows during the scan returns some of its fields twice.
        fresh = {tag: text for tag, text in page.items() if tag not in seen}
        seen.update(fresh)
        size += sum(map(len, fresh.values()))
        # kombu adds the exchange and the routing key.
        held = (decoded(text) for text in fresh.values())
        sample.add((each[0] if isinstance(each, list) and each else None for each in held), now)
        if not cursor or sample.read >= HELD_SAMPLE or size >= HELD_BYTES:
            return sample
        count = max(1, min(HELD_SAMPLE // 5, PAGE_BYTES * sample.read // max(size, 1)))


def sample_list(client: Any, key: str, length: int, now: datetime) -> Sample:
    """Read the messages of a list, or of a long list pages at equal distances."""
    sample, size = Sample(), 0
    pages = max(1, min(-(-length // PAGE), LIST_SAMPLE // PAGE))
    for number in range(pages):
        start = number * PAGE if length <= LIST_SAMPLE else number * length // pages
        page = client.lrange(key, start, start + PAGE - 1)
        size += sum(map(len, page))
        sample.add(map(decoded, page), now)
        if size >= LIST_BYTES:
            break
    return sample
