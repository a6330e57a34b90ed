"""RequestsChannel: the default type, on a requests.Session."""

from __future__ import annotations

import http.client
import os
from typing import Any

import requests
import urllib3
from requests.utils import get_environ_proxies
from requests_toolbelt.adapters.socket_options import TCPKeepAliveAdapter
from requests_toolbelt.utils.user_agent import user_agent
from urllib3.connection import HTTPConnection, HTTPSConnection

from gae_pusher.channels.blocking import BlockingChannel, BlockingSender
from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.base import CONNECTIONS
from gae_pusher.engines.connections import BoundedAnswer
from gae_pusher.engines.processes import PerProcess
from gae_pusher.errors import PusherError
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request, Response
from gae_pusher.version import __version__

__all__ = ["RequestsChannel", "RequestsSender"]

_FOREIGN = (requests.RequestException, urllib3.exceptions.HTTPError)
_UNSENT = (
    requests.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
)
_TIMEOUT = (requests.Timeout, urllib3.exceptions.TimeoutError)


class RequestsSender(BlockingSender):
    """Sends with `session`, yours or one of our own that keeps connections alive.

    A session of our own is made at the first request, and again after a fork; it honours the
    environment's proxies and certificates as they are then. With yours, `timeout` bounds the
    connection and each wait for bytes, not the whole answer.
    """

    def __init__(
        self, config: Config, session: requests.Session | None = None, **options: Any
    ) -> None:
        super().__init__(config, **options)
        self._given = session
        self._own = PerProcess(lambda: _new_session(config))

    def send(self, request: Request, timeout: float) -> Response:
        """See BlockingSender."""
        session = self._given or self._own.get()
        try:
            with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                timeout=urllib3.Timeout(total=timeout),  # type: ignore[arg-type]
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = _read(answer, request)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, body, headers)
        except _FOREIGN as error:
            cause = _innermost(error)
            raise _translated(error, cause, request, timeout) from cause

    def close(self) -> None:
        """Close our own session's connections; a later verb opens new ones."""
        session = self._own.pop()
        if session is not None:
            session.close()


class RequestsChannel(BlockingChannel):
    """The default channel type: blocks until the answer is there."""

    sender_type = RequestsSender


def _new_session(config: Config) -> requests.Session:
    """What the environment says is read once: to read it takes longer than to sign a request."""
    session = _Session()
    adapter = _Adapter(pool_maxsize=CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = user_agent("gae_pusher", __version__)
    session.trust_env = False
    if config.http_proxy:
        session.proxies = {"http": config.http_proxy, "https": config.http_proxy}
    else:
        session.proxies = get_environ_proxies(config.base_url, no_proxy=None)
    environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    session.verify = config.ca_certs or environment or True
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even unfollowed ones are prepared otherwise, and their answers read whole."""


class _Connection(HTTPConnection):
    response_class = BoundedAnswer


class _EncryptedConnection(HTTPSConnection):
    response_class = BoundedAnswer

    def connect(self) -> None:
        """Tell a timeout of the handshake from one of the answer: nothing was sent."""
        try:
            super().connect()
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(self, "the handshake") from error


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _EncryptedPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _EncryptedConnection


class _Adapter(TCPKeepAliveAdapter):  # type: ignore[misc]
    """Keeps connections alive, and bounds the whole answer by the timeout."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_our_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        _use_our_pools(manager)
        return manager


def _use_our_pools(manager: Any) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _EncryptedPool}


def _read(answer: requests.Response, request: Request) -> bytes:
    body: bytes = answer.raw.read(RESPONSE_BYTES + 1, decode_content=True)
    if answer.is_redirect and not body:
        body = answer.content  # a session that follows redirects has read it already
    if len(body) > RESPONSE_BYTES:
        raise failures.too_large(request)
    if answer.raw.length_remaining:
        raise failures.broken(request, "the answer ended early")
    return body


def _translated(
    error: Exception, cause: BaseException, request: Request, timeout: float
) -> PusherError:
    unsent = isinstance(error, _UNSENT) or isinstance(cause, urllib3.exceptions.NewConnectionError)
    if isinstance(error, _TIMEOUT):
        return (failures.connect_timeout if unsent else failures.timeout)(request, timeout)
    reason = _without_address(str(cause)) or type(cause).__name__
    if unsent:
        return failures.unconnected(request, reason)
    if _is_garbage(cause):
        return failures.no_http(request)
    return failures.broken(request, reason)


def _is_garbage(cause: BaseException) -> bool:
    cut_off = (ConnectionError, http.client.IncompleteRead)
    return isinstance(cause, http.client.HTTPException) and not isinstance(cause, cut_off)


def _innermost(error: BaseException) -> BaseException:
    """The cause at the root: the texts above it repeat the URL, which is signed."""
    while True:
        inner = getattr(error, "reason", None) or (error.args[-1] if error.args else None)
        if not isinstance(inner, BaseException):
            return error
        error = inner


def _without_address(text: str) -> str:
    """urllib3 puts its connection's repr or name before the reason."""
    return text.rpartition("> ")[2].rpartition("): ")[2]
