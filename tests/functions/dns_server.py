"""A DNS resolver on loopback, over UDP and TCP, that gives the name servers that a test sets."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HEADER = struct.Struct("!6H")
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 2, 3, 5
TRUNCATED = 0x0200


@dataclass
class Resolver:
    """``zones`` are the name servers by zone, or a response code; the root always has one.

    ``noise`` is sent in the place of an answer, a ``long`` answer over TCP only; ``owner`` is the name of the records, instead of the one
    in the question. ``asked`` are the names.
    """

    zones: dict[str, list[str] | int] = field(default_factory=dict)
    noise: bytes | None = None
    long: bool = False
    owner: str = ""
    asked: list[str] = field(default_factory=list)
    address: tuple[str, int] = ("127.0.0.1", 0)

    def answer(self, message: bytes, *, stream: bool) -> bytes:
        """The answer to a question."""
        if self.noise is not None:
            return self.noise
        end = message.index(b"\0", HEADER.size) + 5
        question = message[HEADER.size : end]
        name = text(question)
        self.asked.append(name)
        found = self.zones.get(name, NO_SUCH_NAME) if name else ["a.root-servers.net"]
        code, servers = (found, []) if isinstance(found, int) else (NO_ERROR, found)
        flags = 0x8180 | code
        if self.long and not stream:
            flags, servers = flags | TRUNCATED, []
        owner = wire(self.owner) if self.owner else b"\xc0\x0c"
        records = b"".join(
            owner + struct.pack("!2HIH", 2, 1, 60, len(wire(each))) + wire(each) for each in servers
        )
        identifier = HEADER.unpack_from(message)[0]
        return HEADER.pack(identifier, flags, 1, len(servers), 0, 0) + question + records


def text(question: bytes) -> str:
    """The name in a question."""
    labels, offset = [], 0
    while length := question[offset]:
        labels.append(question[offset + 1 : offset + 1 + length].decode())
        offset += 1 + length
    return ".".join(labels)


def wire(name: str) -> bytes:
    """A name as DNS sends it."""
    return b"".join(bytes([len(each)]) + each.encode() for each in name.split(".")) + b"\0"


@contextmanager
def resolving(**settings: object) -> Iterator[Resolver]:
    """A running resolver."""
    resolver = Resolver(**settings)  # type: ignore[arg-type]

    class OverUdp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            message, connection = self.request
            connection.sendto(resolver.answer(message, stream=False), self.client_address)

    class OverTcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            answer = resolver.answer(self.rfile.read(length), stream=True)
            self.wfile.write(struct.pack("!H", len(answer)) + answer)

    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), OverTcp) as tcp,
        socketserver.ThreadingUDPServer(tcp.server_address, OverUdp) as udp,
    ):
        resolver.address = tcp.server_address[:2]  # type: ignore[assignment]
        for server in (tcp, udp):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield resolver
        tcp.shutdown()
        udp.shutdown()
