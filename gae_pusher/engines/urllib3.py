"""The default engine: urllib3's connections, kept by ourselves. Cloud NDB imports urllib3 anyway.

urllib3's pools are not used: they log the signed query, and cannot say whether a request that
failed had been sent.
"""

from __future__ import annotations

import http.client
import time
import weakref
from concurrent.futures import Future
from typing import Any

from urllib3.exceptions import HTTPError
from urllib3.util.connection import is_connection_dropped

from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.base import Engine
from gae_pusher.engines.connections import (
    BoundedAnswer,
    Connection,
    connector,
    proxy_headers,
    remaining,
)
from gae_pusher.engines.processes import PerProcess
from gae_pusher.engines.slots import Slots
from gae_pusher.engines.workers import Workers
from gae_pusher.errors import PusherError
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import LIBRARY, Request, Response

__all__ = ["Urllib3Engine"]

_FOREIGN = (OSError, HTTPError, http.client.HTTPException)


class Urllib3Engine(Engine):
    """Blocking connections; `submit` uses a thread for each of them."""

    def __init__(self, config: Config, connections: int) -> None:
        self._connect = connector(config)
        self._state = PerProcess(lambda: _State(connections))
        self._exchange = _Exchange(config)
        weakref.finalize(self, _close, self._state)

    def send(self, request: Request, timeout: float) -> Response:
        """See Engine. Resolving the host's name is not bounded: the system does it."""
        return self._send(self._state.get(), request, timeout)

    def submit(self, request: Request, timeout: float) -> Future[Response]:
        """See Engine."""
        state = self._state.get()
        return state.workers.submit(lambda: self._send(state, request, timeout))

    def close(self) -> None:
        """See Engine."""
        _close(self._state)

    def _send(self, state: _State, request: Request, timeout: float) -> Response:
        connection, left = state.slots.take(timeout)
        deadline = time.monotonic() + left
        try:
            if connection is None or is_connection_dropped(connection):
                _discard(connection)
                connection = self._connected(request, timeout, deadline)
            return self._exchange(connection, request, deadline)
        except _FOREIGN as error:
            _discard(connection)
            raise _translated(error, request, timeout) from error
        except PusherError:
            _discard(connection)
            raise
        finally:
            state.give(connection)

    def _connected(self, request: Request, timeout: float, deadline: float) -> Connection:
        connection = self._connect()
        try:
            connection.timeout = remaining(deadline)
            connection.connect()
        except (*_FOREIGN, ValueError) as error:  # urllib3 1.26 refuses a wrong host with the last
            connection.close()
            if isinstance(error, TimeoutError):
                raise failures.connect_timeout(request, timeout) from error
            raise failures.unconnected(request, error) from error
        return connection


class _State:
    """What one process owns: its connections and its threads."""

    def __init__(self, limit: int) -> None:
        self.workers = Workers(limit)
        self.slots: Slots[Connection] = Slots(limit)
        self._closed = False

    def give(self, connection: Connection | None) -> None:
        """Take a connection back; one that was closed meanwhile leaves its place to a new one."""
        if self._closed:
            _discard(connection)
        self.slots.give(connection if connection and connection.sock else None)

    def close(self) -> None:
        """Close what is idle now, and what is given back later."""
        self._closed = True
        self.workers.close()
        while self.slots.idle:
            self.slots.idle.pop().close()


class _Exchange:
    """One request and its answer on a connection.

    The request goes out in one piece: http.client sends head and body apart, and would wake the
    server for each.
    """

    def __init__(self, config: Config) -> None:
        forwarded = config.http_proxy and not config.ssl
        server = config.base_url.removesuffix(config.path_prefix)
        host = server.removeprefix(f"{config.scheme}://")
        own = {"Host": host, "Accept-Encoding": "identity", "User-Agent": LIBRARY}
        self._headers = own | (proxy_headers(config) if forwarded else {})
        # A forwarding proxy gets the whole URL, everybody else what stands after the host.
        self._skip = 0 if forwarded else len(server)

    def __call__(self, connection: Connection, request: Request, deadline: float) -> Response:
        sock: Any = connection.sock
        sock.settimeout(remaining(deadline))
        sock.sendall(self._message(request))
        sock.settimeout(remaining(deadline))
        with BoundedAnswer(sock, method=request.method) as answer:
            answer.begin()
            body = answer.read(RESPONSE_BYTES + 1)
        if len(body) > RESPONSE_BYTES:
            raise failures.too_large(request)
        if answer.length:
            raise failures.broken(request, "the answer ended early")
        if answer.will_close:
            connection.close()
        return Response(answer.status, body, {k.lower(): v for k, v in answer.getheaders()})

    def _message(self, request: Request) -> bytes:
        body = request.body or b""
        headers = {**self._headers, **request.headers}
        if request.body is not None:
            headers["Content-Length"] = str(len(body))
        lines = [f"{request.method} {request.url[self._skip :]} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _translated(error: Exception, request: Request, timeout: float) -> PusherError:
    if isinstance(error, TimeoutError):
        return failures.timeout(request, timeout)
    if isinstance(error, (OSError, http.client.IncompleteRead)):
        return failures.broken(request, str(error) or type(error).__name__)
    return failures.no_http(request)


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        connection.close()


def _close(state: PerProcess[_State]) -> None:
    own = state.pop()
    if own is not None:
        own.close()
