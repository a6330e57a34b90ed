"""What the client alone costs: a socket that sends HTTP/2 frames which were made before.

It reads no header and answers a put and a get as google-cloud-ndb asks for them; nothing that
serves the API can be faster.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from gae_pusher.emulator.datastore import messages

PREFACE_BYTES = 24
FRAME_BYTES = 9
GRPC_PREFIX_BYTES = 5
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
ACK = END_STREAM = 1
END_HEADERS = 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def header(name: bytes, value: bytes) -> bytes:
    """A literal that no table has to keep (RFC 7541, section 6.2.2)."""
    return b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value


# 0x88 is ":status: 200" in the static table.
HEAD = b"\x88" + header(b"content-type", b"application/grpc")
TRAILER = header(b"grpc-status", b"0")


class CannedServer:
    """One entity, the last that was put."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._entity: Any = None

    def run(self) -> None:
        """Accept clients; each has a thread."""
        while True:
            client, _ = self._socket.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        reader = client.makefile("rb")
        reader.read(PREFACE_BYTES)
        client.sendall(frame(SETTINGS, 0, 0))
        while head := reader.read(FRAME_BYTES):
            if reply := self._reply(head, reader):
                client.sendall(reply)

    def _reply(self, head: bytes, reader: BinaryIO) -> bytes:
        payload = reader.read(int.from_bytes(head[:3]))
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:])
        if kind in (SETTINGS, PING) and not flags & ACK:
            return frame(kind, ACK, 0, payload if kind == PING else b"")
        if kind != DATA:
            return b""
        message = self._answer(payload[GRPC_PREFIX_BYTES:])
        return (
            frame(HEADERS, END_HEADERS, stream, HEAD)
            + frame(DATA, 0, stream, b"\x00" + len(message).to_bytes(4) + message)
            + frame(HEADERS, END_HEADERS | END_STREAM, stream, TRAILER)
            + frame(WINDOW_UPDATE, 0, 0, len(payload).to_bytes(4))
        )

    def _answer(self, request: bytes) -> bytes:
        # A lookup has no mode: its number is another field's.
        commit = messages.CommitRequest.FromString(request)
        if commit.mode:
            self._entity = commit.mutations[0].upsert
            done = messages.CommitResponse(mutation_results=[messages.MutationResult()])
            return bytes(done.SerializeToString())
        found = messages.LookupResponse(found=[messages.EntityResult(entity=self._entity)])
        return bytes(found.SerializeToString())


@contextmanager
def running_canned_server() -> Iterator[CannedServer]:
    server = CannedServer()
    threading.Thread(target=server.run, daemon=True).start()
    yield server
