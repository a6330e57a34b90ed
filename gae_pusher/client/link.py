"""One open WebSocket: reads frames, answers them, asks for life when it is silent."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Final

import aiohttp

from gae_pusher.client.authorizers import Authorize
from gae_pusher.client.session import (
    Connected,
    Disconnected,
    Happening,
    NeedsToken,
    Problem,
    Session,
    ping,
)
from gae_pusher.config import Config
from gae_pusher.errors import PusherError, RemoteProtocolError

__all__ = ["Link"]

_HANDSHAKE_SECONDS: Final = 30.0
_PONG_SECONDS: Final = 30.0
_MAX_FRAME_BYTES: Final = 1_048_576
_PROTOCOL_BROKEN: Final = 1002


class Link:
    """A connection from its opening to its end."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, channels: Iterable[str]) -> None:
        self._socket = socket
        self._session = Session(channels)
        self._patience = _HANDSHAKE_SECONDS

    @classmethod
    async def open(
        cls, http: aiohttp.ClientSession, url: str, config: Config, channels: Iterable[str]
    ) -> Link:
        """Connect. Raises aiohttp.ClientError or OSError."""
        trust = ssl.create_default_context(cafile=config.ca_certs)
        socket = await http.ws_connect(
            url, max_msg_size=_MAX_FRAME_BYTES, ssl=trust, proxy=config.http_proxy
        )
        return cls(socket, channels)

    async def __aenter__(self) -> Link:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def happenings(self, authorize: Authorize) -> AsyncIterator[Happening]:
        """What happens until the connection ends; the end is the last one."""
        while True:
            message = await self._receive()
            if message is None:
                yield Disconnected(None, "the server fell silent", None)
                return
            if message.type is not aiohttp.WSMsgType.TEXT:
                reason = message.extra if isinstance(message.extra, str) else ""
                yield Disconnected(self._socket.close_code, reason, None)
                return
            try:
                happened, frames = self._session.receive(message.data)
            except RemoteProtocolError as error:
                yield Disconnected(_PROTOCOL_BROKEN, str(error), None)
                return
            await self._send(frames)
            for entry in happened:
                happening = await self._settled(entry, authorize)
                if happening is not None:
                    yield happening

    async def _receive(self) -> aiohttp.WSMessage | None:
        """The next message; None when the server does not even answer a ping."""
        try:
            return await self._socket.receive(timeout=self._patience)
        except TimeoutError:
            if self._session.socket_id is None:
                return None
        await self._send([ping()])
        try:
            return await self._socket.receive(timeout=_PONG_SECONDS)
        except TimeoutError:
            return None

    async def _settled(
        self, entry: Happening | NeedsToken, authorize: Authorize
    ) -> Happening | None:
        """An entry to tell; a channel that needs a token is subscribed to on the way."""
        if isinstance(entry, Connected):
            self._patience = entry.activity_timeout
        if not isinstance(entry, NeedsToken):
            return entry
        try:
            answer = await authorize(entry.channel, entry.socket_id)
            frames = self._session.authorized(entry.channel, answer)
        except PusherError as error:
            return Problem(f"{entry.channel}: {error}")
        await self._send(frames)
        return None

    async def _send(self, frames: Iterable[str]) -> None:
        for frame in frames:
            await self._socket.send_str(frame)
