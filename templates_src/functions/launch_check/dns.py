"""The name servers that public DNS has for a zone, asked of a resolver with the standard library.

Outside a VPC, a function asks the resolver of its execution environment, which sees public DNS. RFC 1035 defines the messages.
"""

import os
import secrets
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Server: TypeAlias = tuple[str, int]

RESOLVER_VARIABLE = "DNS_RESOLVER"
"""ADDRESS:PORT of the resolver to ask instead of that of the machine; no template sets it."""
SETTINGS = Path("/etc/resolv.conf")
PUBLIC_RESOLVERS: tuple[Server, ...] = (("1.1.1.1", 53), ("8.8.8.8", 53))
"""For a machine whose resolver can have zones of a private network."""

PORT, ROUNDS, TIMEOUT_SECONDS = 53, 2, 2.0
NS, IN = 2, 1
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
RECURSION_DESIRED, TRUNCATED, CODE = 0x0100, 0x0200, 0x000F
HEADER = struct.Struct("!6H")
# Of a name that refers to an earlier one.
POINTER, LARGEST_MESSAGE = 0xC0, 65_535


@dataclass(frozen=True)
class Answer:
    """The response code, and the name servers of exactly the name that was asked for, in lower case without a final dot."""

    code: int
    name_servers: frozenset[str]


def machine_resolvers() -> tuple[Server, ...]:
    """The resolvers of this machine; none where its settings cannot be read."""
    if chosen := os.environ.get(RESOLVER_VARIABLE):
        host, _, port = chosen.rpartition(":")
        return ((host, int(port)),)
    try:
        lines = SETTINGS.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    words = [line.split() for line in lines]
    return tuple((each[1], PORT) for each in words if len(each) > 1 and each[0] == "nameserver")


def name_servers(zone: str, resolvers: Sequence[Server]) -> frozenset[str] | None:
    """The name servers of a zone; empty if public DNS has none, or none that answers; None if no resolver can tell.

    A resolver reports a server failure for a zone whose name servers do not know it, as after a zone is created again. It counts
    only if the resolver answers another question.
    """
    failing = None
    for _ in range(ROUNDS):
        for resolver in resolvers:
            answer = ask(resolver, zone)
            if answer and answer.code in {NO_ERROR, NO_SUCH_NAME}:
                return answer.name_servers
            if answer and answer.code == SERVER_FAILURE:
                failing = resolver
    if failing:
        control = ask(failing, "")
        if control and control.code == NO_ERROR and control.name_servers:
            return frozenset()
    return None


def ask(resolver: Server, zone: str) -> Answer | None:
    """One question, over UDP and, if the answer does not fit, over TCP; None without a valid answer."""
    try:
        question = request(zone)
        answer = over_udp(resolver, question)
        if HEADER.unpack_from(answer)[1] & TRUNCATED:
            answer = over_tcp(resolver, question)
        return parse(answer, question)
    except (OSError, ValueError, IndexError, struct.error):
        return None


def request(zone: str) -> bytes:
    """The message that asks for the name servers of a zone; the empty name is the root. Raises ValueError for a name that DNS has not."""
    labels = [label.encode("ascii") for label in zone.rstrip(".").split(".") if label]
    if any(len(label) > 63 for label in labels):
        raise ValueError(zone)
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    header = HEADER.pack(secrets.randbelow(65_536), RECURSION_DESIRED, 1, 0, 0, 0)
    return header + name + struct.pack("!2H", NS, IN)


def over_udp(resolver: Server, question: bytes) -> bytes:
    """The answer to a question. A connected socket takes only messages of the resolver."""
    family = socket.AF_INET6 if ":" in resolver[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(resolver)
        connection.send(question)
        return connection.recv(LARGEST_MESSAGE)


def over_tcp(resolver: Server, question: bytes) -> bytes:
    """The answer to a question; over TCP, two bytes with the length precede each message."""
    with socket.create_connection(resolver, TIMEOUT_SECONDS) as connection:
        connection.sendall(struct.pack("!H", len(question)) + question)
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack("!H", stream.read(2))
            return stream.read(length)


def parse(answer: bytes, question: bytes) -> Answer:
    """The answer in a message. Raises ValueError for a message that does not answer the question."""
    identifier, flags, questions, records, _, _ = HEADER.unpack_from(answer)
    asked = question[HEADER.size :]
    sent = answer[HEADER.size : HEADER.size + len(asked)]
    if identifier != HEADER.unpack_from(question)[0] or questions != 1:
        raise ValueError("another answer")
    if sent.lower() != asked.lower():
        raise ValueError("another question")
    zone, _ = read_name(question, HEADER.size)
    found = found_servers(answer, HEADER.size + len(asked), records)
    return Answer(flags & CODE, frozenset(server for owner, server in found if owner == zone))


def found_servers(message: bytes, offset: int, records: int) -> Iterator[tuple[str, str]]:
    """The owner and the server of each record for a name server among the answers."""
    for _ in range(records):
        owner, offset = read_name(message, offset)
        kind, _, _, length = struct.unpack_from("!2HIH", message, offset)
        offset += 10
        if kind == NS:
            yield owner, read_name(message, offset)[0]
        offset += length


def read_name(message: bytes, offset: int) -> tuple[str, int]:
    """A name at an offset, in lower case, and the offset after it. Raises ValueError for a name that refers to itself."""
    labels: list[str] = []
    after = None
    for _ in range(128):
        length = message[offset]
        if length & POINTER == POINTER:
            after = after or offset + 2
            offset = struct.unpack_from("!H", message, offset)[0] & 0x3FFF
        elif length:
            labels.append(message[offset + 1 : offset + 1 + length].decode("ascii").lower())
            offset += 1 + length
        else:
            return ".".join(labels), after or offset + 1
    raise ValueError("a name without an end")
