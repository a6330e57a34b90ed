"""One accepted WebSocket as the server holds it: writes in order, bounded, and an orderly end."""

from __future__ import annotations

import asyncio
from asyncio import Transport
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp.web import WebSocketResponse

from gae_pusher.emulator.channels.keepalive import Keepalive
from gae_pusher.emulator.channels.service import Service

__all__ = ["PING", "Link", "pong_frame", "text_frame"]

PING: Final = b"\x89\x00"
CLOSE_SECONDS: Final = 2.0


def text_frame(text: str) -> bytes:
    """A whole text message as a server writes it: unmasked, uncompressed (RFC 6455 section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 65_536:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a protocol ping: its payload, at most 125 bytes, comes back."""
    return bytes((0x8A, len(payload))) + payload


class Link:
    """A socket and its transport.

    Frames go straight to the transport, encoded once for all receivers of a broadcast. The closing
    handshake is aiohttp's, which writes whole frames to the same transport.
    """

    def __init__(
        self,
        socket_id: str,
        service: Service,
        socket: WebSocketResponse,
        transport: Transport,
        keepalive: Keepalive,
        client: Mapping[str, str],
    ) -> None:
        self.socket_id = socket_id
        self.service = service
        self.keepalive = keepalive
        self.client = client
        self.closing = False
        self._socket = socket
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    @property
    def unsent_bytes(self) -> int:
        """What the peer has not taken yet."""
        return self._transport.get_write_buffer_size()

    def write(self, frame: bytes) -> None:
        """Write one encoded frame."""
        if not self._transport.is_closing():
            self._transport.write(frame)

    def look_again(self, wait_seconds: float, look: Callable[[Link], None]) -> None:
        """Call `look` with this link later, in place of any earlier arrangement."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_seconds, look, self)

    async def close(self, code: int, reason: str) -> None:
        """Close with a code; a peer that does not take it in time is cut off."""
        message = reason.encode()[:123].decode(errors="ignore").encode()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=code, message=message)
        except (TimeoutError, ConnectionError):
            self._transport.abort()
