"""A browser's part in a few lines: connects, subscribes, waits for events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from gae_pusher import Pusher

WAIT_SECONDS = 15


class Listener:
    """One connection to the service that a Pusher talks to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, socket_id: str) -> None:
        self._socket = socket
        self.socket_id = socket_id

    async def subscribe(self, channel: str, answer: Mapping[str, str] | None = None) -> None:
        """Subscribe with an authorization endpoint's answer, and wait until that succeeded."""
        token = {key: value for key, value in (answer or {}).items() if key != "shared_secret"}
        await self._send("pusher:subscribe", {"auth": "", **token, "channel": channel})
        await self.event("pusher_internal:subscription_succeeded")

    async def sign_in(self, answer: Mapping[str, str], user_id: str) -> None:
        """Sign in with an authentication endpoint's answer, and listen to the user's channel."""
        await self._send("pusher:signin", answer)
        await self.event("pusher:signin_success")
        await self.subscribe(f"#server-to-user-{user_id}")

    async def event(self, name: str) -> dict[str, Any]:
        """The next frame of that name; its `data` stays the text that was sent."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                frame: dict[str, Any] = await self._socket.receive_json()
                assert frame["event"] != "pusher:error", frame
                if frame["event"] == name:
                    return frame

    async def closed(self) -> int:
        """The close code, once the service has closed the connection."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not self._socket.closed:
                await self._socket.receive()
        return self._socket.close_code or 0

    async def _send(self, event: str, data: Any) -> None:
        await self._socket.send_json({"event": event, "data": data})


@asynccontextmanager
async def listening(pusher: Pusher) -> AsyncIterator[Listener]:
    """Connect for the duration of an `async with` block."""
    async with aiohttp.ClientSession() as session, session.ws_connect(_url(pusher)) as socket:
        first = await socket.receive_json(timeout=WAIT_SECONDS)
        assert first["event"] == "pusher:connection_established", first
        yield Listener(socket, json.loads(first["data"])["socket_id"])


def _url(pusher: Pusher) -> str:
    config = pusher.config
    scheme = "wss" if config.ssl else "ws"
    host = f"ws-{config.cluster}.pusher.com" if config.cluster else config.host
    return (
        f"{scheme}://{host}:{config.port}{config.path_prefix}"
        f"/app/{config.key}?protocol=7&client=gae_pusher-tests&version=1.0"
    )
