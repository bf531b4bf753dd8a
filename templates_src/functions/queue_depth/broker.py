"""The waiting and running jobs of a Celery application in Valkey."""

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import valkey
from valkey.crc import key_slot

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

PRIORITIES = (0, 3, 6, 9)
"""kombu.transport.redis.PRIORITY_STEPS, the default of priority_steps: each queue has one list per step."""

SEPARATOR = "\x06\x16"
"""kombu's default sep, between a queue's name and its priority; priority 0 is the bare name."""

UNACKED = "unacked"
"""kombu's default unacked_key: a hash with every message that a worker has not acknowledged, from all queues."""

BINDING = "_kombu.binding."
"""The prefix of the set that kombu writes at the first use of a queue."""

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


def queue_keys(prefix: str, queue: str) -> list[str]:
    """The lists of a queue, one a priority, as kombu names them under global_keyprefix."""
    return [
        f"{prefix}{queue}{SEPARATOR}{step}" if step else f"{prefix}{queue}" for step in PRIORITIES
    ]


def queue_depth(cache: Cache, prefix: str, queues: Sequence[str]) -> int:
    """Messages that wait in the queues and that workers have not acknowledged, at one moment. Raises BrokerError.

    It uses one transaction: otherwise a message that a worker takes between two commands would count twice or not at
    all.
    """
    lists = [key for queue in queues for key in queue_keys(prefix, queue)]
    try:
        with _client(cache, cache.host, cache.port) as client:
            if not cache.cluster_mode:
                lengths, known = _read(client, lists, prefix, queues)
            else:
                with _client(cache, *_owner(client, cache, lists[0])) as owner:
                    lengths, known = _read(owner, lists, prefix, queues)
    except (valkey.exceptions.ValkeyError, OSError) as error:
        raise BrokerError(f"The cache {cache} cannot be read: {_words(error)}") from error
    if known < len(queues):
        # A new environment looks like this, and so does a wrong prefix.
        LOGGER.warning(
            "%d of the queues %s under the prefix %s are known to the broker: no Celery has used the others yet",
            known,
            ", ".join(queues),
            prefix,
        )
    return lengths


def _read(
    client: valkey.Valkey, lists: Sequence[str], prefix: str, queues: Sequence[str]
) -> tuple[int, int]:
    """Messages, and the number of known queues."""
    transaction: Any = client.pipeline(transaction=True)
    with transaction:
        for key in lists:
            transaction.llen(key)
        transaction.hlen(f"{prefix}{UNACKED}")
        transaction.exists(*(f"{prefix}{BINDING}{queue}" for queue in queues))
        *lengths, known = transaction.execute()
    return sum(lengths), known


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
