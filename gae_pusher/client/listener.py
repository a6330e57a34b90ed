"""The rim of the client: a connection that is kept open, and opened again when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from urllib.parse import quote

import aiohttp

from gae_pusher.client.authorizers import Authorize
from gae_pusher.client.link import Link
from gae_pusher.client.reconnect import retry_seconds, unreachable_seconds
from gae_pusher.client.session import Connected, Disconnected, Happening
from gae_pusher.config import Config
from gae_pusher.version import __version__

__all__ = ["Listener", "websocket_url"]


def websocket_url(config: Config) -> str:
    """Where browsers connect for an app (protocol section 3.1)."""
    scheme = "wss" if config.ssl else "ws"
    if config.cluster:
        origin = f"{scheme}://ws-{config.cluster}.pusher.com"
    else:
        origin = config.base_url.replace(config.scheme, scheme, 1)
    query = f"protocol=7&client=gae_pusher&version={__version__}&flash=false"
    return f"{origin}/app/{quote(config.key, safe='')}?{query}"


class Listener:
    """Subscribes to channels and tells what happens: `async for happening in Listener(...)`.

    `authorize` gives the tokens of private and presence channels. A broken connection is opened
    again as protocol section 3.12 says; the iteration ends after a close code that means no.
    """

    def __init__(self, config: Config, channels: Iterable[str], authorize: Authorize) -> None:
        self._config = config
        self._channels = tuple(channels)
        self._authorize = authorize

    async def __aiter__(self) -> AsyncIterator[Happening]:
        """Happenings in their order; every Disconnected says when the next try is."""
        failures = 0
        async with aiohttp.ClientSession() as http:
            while True:
                failures += 1
                async for happening in self._connection(http):
                    if isinstance(happening, Connected):
                        failures = 0
                    if not isinstance(happening, Disconnected):
                        yield happening
                        continue
                    ended = replace(happening, retry_seconds=_wait(happening.code, failures))
                    yield ended
                if ended.retry_seconds is None:
                    return
                await asyncio.sleep(ended.retry_seconds)

    async def _connection(self, http: aiohttp.ClientSession) -> AsyncIterator[Happening]:
        """One connection's happenings; the last one is its end."""
        try:
            link = await Link.open(http, websocket_url(self._config), self._config, self._channels)
        except (aiohttp.ClientError, OSError) as error:
            # aiohttp's own text of a failed connection is a dump of its objects.
            cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
            yield Disconnected(None, f"no connection: {cause}", None)
            return
        async with link:
            try:
                async for happening in link.happenings(self._authorize):
                    yield happening
            except (aiohttp.ClientError, OSError) as error:  # it broke while we wrote
                yield Disconnected(None, str(error), None)


def _wait(code: int | None, failures: int) -> float | None:
    wait = retry_seconds(code)
    return unreachable_seconds(failures) if failures and wait is not None else wait
