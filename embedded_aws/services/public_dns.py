"""Public DNS for the functions: a resolver on loopback that knows the public hosted zones of every account.

A zone whose parent zone is hosted here too needs the delegation: a record with its name servers in the parent. Other zones count as
registered domains, with the name servers of the first zone of the name.
"""

from __future__ import annotations

import os
import socketserver
import struct
import threading
from collections.abc import Iterator
from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.settings import HOST, RESOLVER_VARIABLE

_NS, _IN = 2, 1
_RECURSIVE_ANSWER, _NO_SUCH_NAME, _NOT_IMPLEMENTED = 0x8180, 3, 4
_HEADER = struct.Struct("!6H")
# Refers to the name in the question.
_OWNER = b"\xc0\x0c"
_TTL = 60


def install() -> None:
    """Start the resolver, and give its address to the functions."""
    server = socketserver.ThreadingUDPServer((HOST, 0), _Question)
    server.daemon_threads = True
    os.environ[RESOLVER_VARIABLE] = f"{HOST}:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Question(socketserver.BaseRequestHandler):
    """One question; a message that is none gets no answer."""

    def handle(self) -> None:
        message, connection = self.request
        connection.sendto(_answer(message), self.client_address)


def _answer(message: bytes) -> bytes:
    identifier = _HEADER.unpack_from(message)[0]
    labels, offset = [], _HEADER.size
    while length := message[offset]:
        labels.append(message[offset + 1 : offset + 1 + length].decode("ascii").lower())
        offset += 1 + length
    kind, _ = struct.unpack_from("!2H", message, offset + 1)
    question = message[_HEADER.size : offset + 5]
    found = name_servers(".".join(labels)) if kind == _NS else None
    code = _NOT_IMPLEMENTED if kind != _NS else 0 if found is not None else _NO_SUCH_NAME
    records = [_record(server) for server in found or ()]
    header = _HEADER.pack(identifier, _RECURSIVE_ANSWER | code, 1, len(records), 0, 0)
    return header + question + b"".join(records)


def _record(server: str) -> bytes:
    labels = server.rstrip(".").split(".")
    name = b"".join(bytes([len(label)]) + label.encode("ascii") for label in labels) + b"\0"
    return _OWNER + struct.pack("!2HIH", _NS, _IN, _TTL, len(name)) + name


def name_servers(name: str) -> list[str] | None:
    """The name servers of a zone, none for another name in a zone, and None for a name that does not exist."""
    zones = dict(reversed(list(_public_zones())))
    above = [zone for zone in zones if name.endswith(f".{zone}")]
    own = zones.get(name)
    if above:
        return _servers(zones[max(above, key=len)], name)
    return None if own is None else _servers(own, name)


def _public_zones() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name and records of each zone."""
    records = dict(tables.RECORD_SETS.everywhere())
    for key, zone in tables.HOSTED_ZONES.everywhere():
        if not zone["private"]:
            yield zone["name"].rstrip("."), records.get(key, [])


def _servers(records: list[dict[str, Any]], name: str) -> list[str]:
    return [
        str(value)
        for record in records
        if record["Type"] == "NS" and record["Name"].rstrip(".") == name
        for value in record.get("ResourceRecords", ())
    ]
