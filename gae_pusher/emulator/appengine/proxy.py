"""Hands a request from outside to the app and its answer back, as App Engine's front does."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from io import BytesIO
from typing import Final

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    web,
)
from multidict import CIMultiDict
from yarl import URL

from gae_pusher.emulator.appengine.entrypoint import ADDRESS
from gae_pusher.emulator.appengine.headers import from_cron, from_outside, to_outside
from gae_pusher.emulator.appengine.supervisor import Supervisor

__all__ = ["MESSAGE_BYTES", "Proxy"]

MESSAGE_BYTES: Final = 33_554_432  # 32 MB, App Engine's cap on a request and on an answer

_TRIES: Final = 3
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_AUTOMATIC_HEADERS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Proxy:
    """The connection to the app on one port."""

    def __init__(self, supervisor: Supervisor, port: int) -> None:
        self._supervisor = supervisor
        self._port = port
        self._session: ClientSession | None = None

    async def start(self) -> None:
        """Get ready; needs the running loop."""
        self._session = ClientSession(
            auto_decompress=False,
            connector=TCPConnector(force_close=True, limit=0),
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=_NO_AUTOMATIC_HEADERS,
        )

    async def stop(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def forward(self, request: web.Request, deadline_seconds: float) -> web.Response:
        """The app's answer. Waits while it starts; raises Crashed when it does not start.

        A request that broke off because the app was restarted is sent again when that is safe.
        """
        body = await request.read()
        for _ in range(_TRIES):
            await self._supervisor.ready()
            try:
                with self._supervisor.asking():
                    return await self._send(request, body, deadline_seconds)
            except TimeoutError:
                return _failure(504, f"The app did not answer within {deadline_seconds:g} s.")
            except ClientConnectionError as error:
                ended = await self._supervisor.has_ended()
                unsent = isinstance(error, ClientConnectorError)
                if not (ended and (unsent or request.method in _REPEATABLE)):
                    return _broken(error, ended)
            except ClientError as error:
                return _broken(error, ended=False)
        return _failure(503, "The app keeps ending while it handles this request.")

    async def warm_up(self) -> int | None:
        """GET /_ah/warmup, as App Engine does before an instance gets traffic; the status."""
        headers = {"Host": f"{ADDRESS}:{self._port}", "X-Appengine-Country": "ZZ"}
        try:
            async with self._open("GET", "/_ah/warmup", headers, None, 600) as answer:
                await answer.read()
                return answer.status
        except (ClientError, TimeoutError):
            return None

    async def ask_as_cron(self, path: str, deadline_seconds: float) -> int:
        """GET as App Engine's cron asks; the status. Waits while the app starts; raises Crashed.

        Also TimeoutError and ClientError: cron asks once.
        """
        await self._supervisor.ready()
        headers = CIMultiDict(from_cron(f"{ADDRESS}:{self._port}", _trace()))
        with self._supervisor.asking():
            async with self._open("GET", path, headers, None, deadline_seconds) as answer:
                await answer.read()
                return answer.status

    async def _send(self, request: web.Request, body: bytes, deadline: float) -> web.Response:
        peer = request.remote or ADDRESS
        headers = CIMultiDict(from_outside(request.headers.items(), peer, _trace()))
        content = body if body or request.method not in _REPEATABLE else None
        async with self._open(
            request.method, request.rel_url.raw_path_qs, headers, content, deadline
        ) as answer:
            received = await _read_capped(answer)
        if received is None:
            return _failure(500, f"The answer is larger than {MESSAGE_BYTES} bytes.")
        return _answer(request, answer, received)

    def _open(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> AbstractAsyncContextManager[ClientResponse]:
        assert self._session is not None
        return self._session.request(
            method,
            URL(f"http://{ADDRESS}:{self._port}{path}", encoded=True),
            headers=headers,
            data=BytesIO(body) if body else body,  # written in pieces, not in one go
            allow_redirects=False,
            timeout=ClientTimeout(total=seconds),
        )


def _trace() -> str:
    return f"{secrets.token_hex(16)}/{secrets.randbits(63)};o=1"


async def _read_capped(answer: ClientResponse) -> bytes | None:
    """The whole body, or None when it is larger than App Engine sends."""
    received = bytearray()
    async for chunk in answer.content.iter_chunked(65_536):
        received += chunk
        if len(received) > MESSAGE_BYTES:
            return None
    return bytes(received)


def _answer(request: web.Request, answer: ClientResponse, body: bytes) -> web.Response:
    headers = CIMultiDict(to_outside(answer.headers.items()))
    if request.method == "HEAD" and "Content-Length" in answer.headers:
        headers["Content-Length"] = answer.headers["Content-Length"]
    content = None if request.method == "HEAD" or answer.status in (204, 304) else body
    return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=content)


def _broken(error: Exception, ended: bool) -> web.Response:
    why = "ended or was restarted" if ended else "closed the connection"
    name = type(error).__name__
    return _failure(502, f"The app {why} while it handled this request ({name}).")


def _failure(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"gae-pusher dev: {text}\n")
