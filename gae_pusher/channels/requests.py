"""RequestsChannel: the default type, on a requests.Session."""

from __future__ import annotations

import os
import time
from typing import Any

import requests
from requests_toolbelt.adapters.socket_options import TCPKeepAliveAdapter
from requests_toolbelt.utils.user_agent import user_agent
from urllib3.exceptions import NewConnectionError

from gae_pusher.channels.base import BlockingSender, Channel
from gae_pusher.config import Config
from gae_pusher.errors import (
    ConnectionFailed,
    RemoteProtocolError,
    TransportError,
    TransportTimeout,
)
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request, Response
from gae_pusher.version import __version__

__all__ = ["RequestsChannel", "RequestsSender"]

_CHUNK_BYTES = 65_536


class RequestsSender(BlockingSender):
    """Sends with `session`, yours or one of our own that keeps connections alive.

    A session of our own is made at the first request, and again after a fork.
    """

    def __init__(
        self, config: Config, session: requests.Session | None = None, **options: Any
    ) -> None:
        super().__init__(config, **options)
        self._given = session
        self._own: tuple[int, requests.Session] | None = None

    def send(self, request: Request, timeout: float) -> Response:
        """Send one request; `timeout` bounds the connection, each wait, and the whole answer."""
        deadline = time.monotonic() + timeout
        try:
            with self._session().request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as answer:
                body = _read(answer, deadline)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, body, headers)
        except requests.RequestException as error:
            raise _translated(error, request, timeout) from error

    def _session(self) -> requests.Session:
        if self._given is not None:
            return self._given
        if self._own is None or self._own[0] != os.getpid():
            self._own = (os.getpid(), _new_session(self.config))
        return self._own[1]


class RequestsChannel(Channel):
    """The default channel type: blocks until the answer is there."""

    sender_type = RequestsSender


def _new_session(config: Config) -> requests.Session:
    session = requests.Session()
    adapter = TCPKeepAliveAdapter(pool_maxsize=16)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers["User-Agent"] = user_agent("gae_pusher", __version__)
    if config.http_proxy:
        session.trust_env = False
        session.proxies = {"http": config.http_proxy, "https": config.http_proxy}
    if config.ca_certs:
        session.verify = config.ca_certs
    return session


def _read(answer: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > RESPONSE_BYTES:
            raise RemoteProtocolError(f"the answer is larger than {RESPONSE_BYTES} bytes")
        if time.monotonic() > deadline:
            raise TransportTimeout("the answer was still coming when the time was up", sent=True)
    return bytes(body)


def _translated(
    error: requests.RequestException, request: Request, timeout: float
) -> TransportError:
    where = request.base_url
    if isinstance(error, requests.ConnectTimeout):
        return TransportTimeout(f"no connection to {where} within {timeout:g} seconds", sent=False)
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return TransportTimeout(f"no answer from {where} within {timeout:g} seconds")
    unsent = isinstance(error, (requests.exceptions.SSLError, requests.exceptions.ProxyError))
    if unsent or _refused(error):
        return ConnectionFailed(f"no connection to {where}: {_reason(error)}", sent=False)
    return ConnectionFailed(f"the connection to {where} broke: {_reason(error)}")


def _refused(error: BaseException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _reason(error: requests.RequestException) -> str:
    """The innermost cause: requests' own text repeats the URL, which is signed."""
    cause: Any = error
    while cause.args and isinstance(getattr(cause.args[0], "reason", cause.args[0]), BaseException):
        cause = getattr(cause.args[0], "reason", cause.args[0])
    return type(cause).__name__ if "/apps/" in str(cause) else str(cause).rpartition("> ")[2]
