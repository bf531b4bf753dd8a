"""The jobs of a Celery application in Valkey: those that can be done now, and the delayed ones."""

import logging
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import valkey
from valkey.crc import key_slot

from . import progress
from .messages import sample_held, sample_list

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PRIORITIES = range(10)
"""Every priority that kombu's transport knows. Each queue has one list per step of ``priority_steps``, which contains some
of them: by default 0, 3, 6 and 9. A step without a list reads as an empty list."""

SEPARATOR = "\x06\x16"
"""kombu's default sep, between a queue's name and its priority; priority 0 is the bare name."""

UNACKED = "unacked"
"""kombu's default unacked_key: a hash with every message that a worker has not acknowledged, from all queues."""

BINDING = "_kombu.binding."
"""The prefix of the set that kombu writes at the first use of a queue. Its members contain the separator."""

BEAT_ALIVE, WORKERS_ALIVE = "alive.beat", "alive.workers"
"""The signs of life of the container contract: the time of beat's last round, and a sorted set of workers with their times."""

WORKER_SILENT_SECONDS = 120
"""A worker shows a sign every 30 seconds."""

SECONDS = 3.0
"""The time-out to connect, and for each response. The cache is in the same network, so a longer time is a failure."""


class BrokerError(Exception):
    """The queues could not be read; the message says why, without the password."""


@dataclass(frozen=True)
class Cache:
    """The address of the broker.

    `cluster_mode`: it shards, as ElastiCache Serverless always does. `ca_file`: a PEM file of roots beside the system's.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    cluster_mode: bool
    ca_file: str | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port} as {self.user}"


@dataclass(frozen=True)
class Jobs:
    """The jobs of all queues: ``due`` can be done now or are in work, ``delayed`` have a time that has not come.

    ``stalled``: for each queue with messages, the seconds since a worker last took one. ``beat_silent`` are the seconds since
    beat's last sign of life and ``workers`` the workers with a recent one; None if the application shows none.
    """

    due: int
    delayed: int
    stalled: Mapping[str, float]
    beat_silent: float | None
    workers: int | None


def queue_keys(prefix: str, queue: str) -> list[str]:
    """The lists of a queue, one a priority, as kombu names them under global_keyprefix."""
    return [
        f"{prefix}{queue}{SEPARATOR}{step}" if step else f"{prefix}{queue}" for step in PRIORITIES
    ]


def read_jobs(cache: Cache, prefix: str, queues: Sequence[str]) -> Jobs:
    """The messages that wait in the queues and that workers have not acknowledged. Raises BrokerError."""
    try:
        with _client(cache, cache.host, cache.port) as client:
            if not cache.cluster_mode:
                return _read(client, prefix, queues)
            # The hash tag of the prefix keeps all keys in one slot.
            first = queue_keys(prefix, queues[0])[0]
            with _client(cache, *_owner(client, cache, first)) as owner:
                return _read(owner, prefix, queues)
    except (valkey.exceptions.ValkeyError, OSError) as error:
        raise BrokerError(f"The cache {cache} cannot be read: {_words(error)}") from error


def _read(client: valkey.Valkey, prefix: str, queues: Sequence[str]) -> Jobs:
    """Count in one transaction: otherwise a message that a worker takes between two commands would count twice or not at
    all. Then look for the delayed ones."""
    keys = [queue_keys(prefix, queue) for queue in queues]
    lists = [key for of_queue in keys for key in of_queue]
    transaction: Any = client.pipeline(transaction=True)
    with transaction:
        for key in lists:
            transaction.llen(key)
        for key in lists:
            transaction.lindex(key, -1)
        for queue in queues:
            transaction.srandmember(f"{prefix}{BINDING}{queue}")
        transaction.hlen(f"{prefix}{UNACKED}")
        transaction.get(f"{prefix}{progress.KEY}")
        transaction.get(f"{prefix}{BEAT_ALIVE}")
        transaction.exists(f"{prefix}{WORKERS_ALIVE}")
        transaction.zcount(f"{prefix}{WORKERS_ALIVE}", time.time() - WORKER_SILENT_SECONDS, "+inf")
        *answers, held, stored, beat, shown, workers = transaction.execute()
    lengths = dict(zip(lists, answers, strict=False))
    heads, bindings = answers[len(lists) : 2 * len(lists)], answers[2 * len(lists) :]
    _check_bindings(prefix, queues, bindings)
    now = time.time()
    seen = progress.compare(progress.load(stored), progress.heads_of(queues, keys, heads), now)
    client.set(f"{prefix}{progress.KEY}", progress.dump(seen), ex=progress.LIFETIME_SECONDS)
    delayed = _delayed(client, prefix, held, lengths, datetime.fromtimestamp(now, UTC))
    total = sum(lengths.values()) + held
    return Jobs(
        total - delayed,
        delayed,
        {queue: now - each.since for queue, each in seen.items()},
        beat_silent=max(0.0, now - float(beat)) if beat else None,
        workers=workers if shown else None,
    )


def _delayed(
    client: valkey.Valkey, prefix: str, held: int, lengths: Mapping[str, int], now: datetime
) -> int:
    """The delayed messages in workers and in lists. Workers take a delayed message at once and hold it until its time."""
    key = f"{prefix}{UNACKED}"
    found = sample_held(client, key, now).delayed_of(held) if held else 0
    return found + sum(
        sample_list(client, key, length, now).delayed_of(length)
        for key, length in lengths.items()
        if length
    )


def _check_bindings(prefix: str, queues: Sequence[str], bindings: Sequence[bytes | None]) -> None:
    """Warn of queues that the broker does not know. Raises BrokerError if Celery uses another separator."""
    for queue, binding in zip(queues, bindings, strict=True):
        if binding is not None and SEPARATOR.encode() not in binding:
            raise BrokerError(
                f"Celery uses another separator than kombu's default in the queue {queue}, so that its priorities cannot "
                "be read: remove `sep` from broker_transport_options."
            )
    unknown = [queue for queue, binding in zip(queues, bindings, strict=True) if binding is None]
    if unknown:
        # A new environment looks like this, and so does a wrong prefix.
        LOGGER.warning(
            "The broker does not know the queues %s under the prefix %s: no Celery has used them yet",
            ", ".join(unknown),
            prefix,
        )


def _owner(client: Any, cache: Cache, key: str) -> tuple[str, int]:
    """Host and port of the node with the key's slot.

    This module reads the slots itself, because valkey.ValkeyCluster 6.2.0 ignores ssl_check_hostname and
    ssl_min_version and accepts the certificate of any host.
    """
    slot = key_slot(key.encode())
    for first, last, (host, port, *_), *_ in client.execute_command("CLUSTER", "SLOTS"):
        if first <= slot <= last:
            # An empty name means the connected node.
            return host.decode() if host else cache.host, int(port)
    raise BrokerError(f"The cache {cache} cannot be read: no node holds slot {slot}")


def _client(cache: Cache, host: str, port: int) -> valkey.Valkey:
    """A client of one node, with TLS 1.2 or later and verification of chain and name."""
    return valkey.Valkey(
        host=host,
        port=port,
        username=cache.user,
        password=cache.password,
        ssl=True,
        ssl_cert_reqs="required",
        ssl_check_hostname=True,  # not the default
        ssl_min_version=ssl.TLSVersion.TLSv1_2,
        ssl_ca_certs=cache.ca_file,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
    )


def _words(error: BaseException) -> str:
    """The error of the server or the system. Neither Valkey nor the client includes a password in its errors."""
    return str(error) or type(error).__name__
