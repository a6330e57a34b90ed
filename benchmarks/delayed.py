"""A server that answers every request with `{}` after a delay, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def delayed_server(seconds: float) -> Iterator[int]:
    """The port of the server."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(listener, seconds), daemon=True)
    process.start()
    try:
        yield listener.getsockname()[1]
    finally:
        process.terminate()
        process.join()
        listener.close()


def _serve(listener: socket.socket, seconds: float) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(seconds), sock=listener)
        await server.serve_forever()

    asyncio.run(serve())


class _Connection(asyncio.Protocol):
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            _, _, length = head.partition(b"content-length:")
            size = end + 4 + int(length.partition(b"\r\n")[0] or 0)
            if len(self._got) < size:
                return
            self._got = self._got[size:]
            asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)
