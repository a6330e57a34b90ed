"""AsyncioChannel: verbs are awaited, aiohttp sends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from gae_pusher.channels.awaiting import AwaitingSender
from gae_pusher.channels.base import Channel
from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.base import CONNECTIONS
from gae_pusher.engines.connections import trusted_certificates
from gae_pusher.errors import ConfigurationError, PusherError
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request, Response

__all__ = ["AsyncioChannel", "AsyncioSender"]

_CHUNK_BYTES = 65_536
_Scope = AsyncGenerator[aiohttp.ClientSession, None]


class AsyncioSender(AwaitingSender):
    """One session for each event loop, with up to `connections` connections.

    It is closed when the loop is shut down as asyncio.run does, or by `await pusher.close()`.
    """

    def __init__(self, config: Config, connections: int = CONNECTIONS, **options: Any) -> None:
        super().__init__(config, **options)
        self._connections = connections
        self._sessions: dict[asyncio.AbstractEventLoop, tuple[_Scope, aiohttp.ClientSession]] = {}

    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop. Raises ConfigurationError outside of one."""
        try:
            return asyncio.get_running_loop()
        except RuntimeError as error:
            raise ConfigurationError(
                "AsyncioChannel needs a running event loop: call its verbs in a coroutine"
            ) from error

    async def send(self, request: Request, timeout: float) -> Response:
        """See AwaitingSender."""
        session = await self._session()
        progress = SimpleNamespace(sent=False)
        try:
            async with session.request(
                request.method,
                URL(request.url, encoded=True),  # the signature is over this very query
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                proxy=self.config.http_proxy,
                timeout=aiohttp.ClientTimeout(total=timeout),
                trace_request_ctx=progress,
            ) as answer:
                body = await _read(answer, request)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status, body, headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # aiohttp's text for an answer that is no HTTP repeats the signed URL.
            cause = error.__cause__ if isinstance(error, aiohttp.ClientResponseError) else error
            raise _translated(error, progress.sent, request, timeout) from cause

    async def close(self) -> None:
        """Close the running loop's session; a later verb opens a new one."""
        scope, _ = self._sessions.get(asyncio.get_running_loop(), (None, None))
        if scope is not None:
            await scope.aclose()

    async def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if loop not in self._sessions:
            scope = self._open(loop)
            self._sessions[loop] = (scope, await anext(scope))
        return self._sessions[loop][1]

    async def _open(self, loop: asyncio.AbstractEventLoop) -> _Scope:
        """A generator, because a loop that is shut down closes the generators begun on it."""
        session = _new_session(self.config, self._connections)
        try:
            yield session
        finally:
            del self._sessions[loop]
            await session.close()


class AsyncioChannel(Channel):
    """The channel type for asyncio: a verb is awaited, or left to run."""

    sender_type = AsyncioSender


def _new_session(config: Config, connections: int) -> aiohttp.ClientSession:
    context = (
        ssl.create_default_context(cafile=trusted_certificates(config)) if config.ssl else True
    )
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_sent)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=context),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
    )


async def _note_sent(_session: object, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.sent = True


async def _read(answer: aiohttp.ClientResponse, request: Request) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > RESPONSE_BYTES:
            raise failures.too_large(request)
    return bytes(body)


def _translated(error: Exception, sent: bool, request: Request, timeout: float) -> PusherError:
    if isinstance(error, TimeoutError):
        return (failures.timeout if sent else failures.connect_timeout)(request, timeout)
    if not sent:
        return failures.unconnected(request, error)
    if isinstance(error, aiohttp.ClientResponseError):
        return failures.no_http(request)
    return failures.broken(request, str(error) or type(error).__name__)
