"""TornadoChannel: verbs return futures of Tornado, its AsyncHTTPClient sends."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.ioloop import IOLoop
from tornado.simple_httpclient import HTTPTimeoutError, SimpleAsyncHTTPClient

from gae_pusher.channels.awaiting import AwaitingSender
from gae_pusher.channels.base import Channel
from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.base import CONNECTIONS
from gae_pusher.engines.connections import trusted_certificates
from gae_pusher.errors import ConfigurationError, PusherError
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request, Response

__all__ = ["TornadoChannel", "TornadoSender"]

_CURL_UNSENT: Final = frozenset({5, 6, 7, 35, 60, 97})  # unresolvable, refused, untrusted, proxy
_CURL_TIMEOUT: Final = 28


class TornadoSender(AwaitingSender):
    """Sends with `client`, yours or one of our own for each IOLoop.

    Ours is Tornado's simple client, which opens a connection for each request; with `http_proxy`
    it is Tornado's client on pycurl, the only one that knows proxies.
    """

    def __init__(
        self,
        config: Config,
        client: AsyncHTTPClient | None = None,
        connections: int = CONNECTIONS,
        **options: Any,
    ) -> None:
        super().__init__(config, **options)
        self._given = client
        self._connections = connections
        self._clients: WeakKeyDictionary[IOLoop, AsyncHTTPClient] = WeakKeyDictionary()
        self._proxy = _proxy_options(config.http_proxy)

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the current IOLoop, which may be started later."""
        loop: asyncio.AbstractEventLoop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]
        return loop

    async def send(self, request: Request, timeout: float) -> Response:
        """See AwaitingSender."""
        outgoing = HTTPRequest(
            request.url,
            request.method,
            dict(request.headers),
            request.body,
            connect_timeout=timeout,
            request_timeout=timeout,
            follow_redirects=False,
            decompress_response=False,
            ca_certs=trusted_certificates(self.config),
            **self._proxy,
        )
        try:
            answer = await self._client().fetch(outgoing, raise_error=False)
        except (HTTPClientError, OSError) as error:
            raise _translated(error, request, timeout) from error
        if len(answer.body) > RESPONSE_BYTES:
            raise failures.too_large(request)
        headers = {name.lower(): value for name, value in answer.headers.get_all()}
        return Response(answer.code, answer.body, headers)

    def close(self) -> None:
        """Close our own clients; a later verb makes a new one."""
        while self._clients:
            self._clients.popitem()[1].close()

    def _client(self) -> AsyncHTTPClient:
        if self._given is not None:
            return self._given
        loop = IOLoop.current()
        if loop not in self._clients:
            self._clients[loop] = self._new_client()
        return self._clients[loop]

    def _new_client(self) -> AsyncHTTPClient:
        if self._proxy:
            from tornado.curl_httpclient import CurlAsyncHTTPClient

            return CurlAsyncHTTPClient(force_instance=True, max_clients=self._connections)
        return SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=self._connections,
            max_body_size=RESPONSE_BYTES,
            max_buffer_size=RESPONSE_BYTES,
        )


class TornadoChannel(Channel):
    """The channel type for Tornado: a verb returns a future, to be yielded or awaited."""

    sender_type = TornadoSender


def _proxy_options(url: str | None) -> dict[str, Any]:
    if url is None:
        return {}
    if find_spec("pycurl") is None:
        raise ConfigurationError(
            "Tornado needs pycurl for http_proxy: pip install 'gae-pusher[fast,tornado]'"
        )
    parts = urlsplit(url)
    return {
        "proxy_host": parts.hostname,
        "proxy_port": parts.port or 80,
        "proxy_username": parts.username,
        "proxy_password": parts.password,
    }


def _translated(error: Exception, request: Request, timeout: float) -> PusherError:
    reason = str(error) or type(error).__name__
    code = getattr(error, "errno", None) if isinstance(error, HTTPClientError) else None
    if isinstance(error, HTTPTimeoutError) or code == _CURL_TIMEOUT:
        sent = code is not None or "during request" in reason
        return (failures.timeout if sent else failures.connect_timeout)(request, timeout)
    cut_off = isinstance(error, (ConnectionResetError, BrokenPipeError))
    if code in _CURL_UNSENT or (isinstance(error, OSError) and not cut_off):
        return failures.unconnected(request, reason)
    return failures.broken(request, reason)
