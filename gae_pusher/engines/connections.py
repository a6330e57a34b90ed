"""urllib3's connections, with one time limit for the whole exchange."""

from __future__ import annotations

import functools
import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from gae_pusher.config import Config
from gae_pusher.errors import ConfigurationError

__all__ = [
    "BoundedAnswer",
    "Connection",
    "connector",
    "proxy_headers",
    "remaining",
    "trusted_certificates",
]

Connection = HTTPConnection
_LEAST_SECONDS = 0.001  # 0 would mean "do not wait at all" to a socket


def remaining(deadline: float) -> float:
    """The seconds left until a `time.monotonic()`, for a socket's timeout."""
    return max(deadline - time.monotonic(), _LEAST_SECONDS)


def trusted_certificates(config: Config) -> str:
    """The file with the certificates to trust: the configured one, else Mozilla's as of certifi."""
    import certifi

    return config.ca_certs or certifi.where()


def connector(config: Config) -> Callable[[], Connection]:
    """A function that makes unconnected connections to the app's host, through its proxy if any."""
    kind: Any = _Encrypted if config.ssl else _Plain
    options: dict[str, Any] = {}
    host, port, tunnel = config.host, config.port, None
    if config.http_proxy:
        proxy = _proxy(config.http_proxy)
        host, port = proxy.host, proxy.port or 80
        tunnel = (config.host, config.port, proxy_headers(config))
    context = functools.cache(_context)

    def connect() -> Connection:
        if config.ssl:
            options["ssl_context"] = context(trusted_certificates(config))
        connection: Connection = kind(host, port, **options)
        if tunnel and config.ssl:
            connection.set_tunnel(*tunnel)
        return connection

    return connect


def proxy_headers(config: Config) -> dict[str, str]:
    """The headers for the proxy itself: who we are, when its URL says so."""
    auth = _proxy(config.http_proxy).auth if config.http_proxy else None
    return dict(make_headers(proxy_basic_auth=auth)) if auth else {}


def _context(ca_certs: str) -> ssl.SSLContext:
    """urllib3's own: its older versions check the host's name themselves, after the handshake."""
    context = create_urllib3_context()
    context.load_verify_locations(ca_certs)
    return context


def _proxy(url: str) -> Any:
    proxy = parse_url(url)
    if proxy.scheme != "http" or not proxy.host:
        raise ConfigurationError("http_proxy must look like http://[USER:PASSWORD@]HOST[:PORT]")
    return proxy


class BoundedAnswer(http.client.HTTPResponse):
    """An answer for which the socket's timeout bounds all of its bytes, not each wait for some."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Bounded(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Bounded(io.RawIOBase):
    """What an HTTPResponse needs of a socket, and the file that it gets."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._raw = self._sock.makefile("rb", buffering=0)  # outlives the connection's own close
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(remaining(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Within:
    """Connects and reads within `timeout`, whatever the number of the host's addresses."""

    host: str
    port: int
    timeout: float

    response_class = BoundedAnswer  # of a proxy that is asked for a tunnel

    def _new_conn(self) -> socket.socket:
        return _dial(self.host, self.port, self.timeout)


class _Plain(_Within, HTTPConnection):  # type: ignore[misc]
    pass


class _Encrypted(_Within, HTTPSConnection):  # type: ignore[misc]
    assert_hostname = None  # urllib3 1.26 expects its pools to set it


def _dial(host: str, port: int, timeout: float) -> socket.socket:
    deadline = time.monotonic() + timeout
    addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    for family, kind, protocol, _, address in addresses[:-1]:
        with suppress(OSError):
            return _dial_one(family, kind, protocol, address, deadline)
    family, kind, protocol, _, address = addresses[-1]
    return _dial_one(family, kind, protocol, address, deadline)


def _dial_one(
    family: int, kind: int, protocol: int, address: Any, deadline: float
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(remaining(deadline))
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(remaining(deadline))
    except BaseException:
        sock.close()
        raise
    return sock
