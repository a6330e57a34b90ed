"""One libcurl handle, used for one exchange after the other."""

from __future__ import annotations

import io
import os
import select
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final

import pycurl

from gae_pusher.config import Config
from gae_pusher.engines import failures
from gae_pusher.engines.connections import trusted_certificates
from gae_pusher.errors import PusherError
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request, Response

__all__ = ["Transfer"]

_NO_HTTP: Final = frozenset(
    {
        pycurl.E_UNSUPPORTED_PROTOCOL,  # how libcurl calls an answer without a status line
        pycurl.E_FTP_WEIRD_SERVER_REPLY,  # "weird server reply", HTTP's too
        pycurl.E_BAD_CONTENT_ENCODING,
        pycurl.E_OUT_OF_MEMORY,  # how older versions call endless headers
        100,  # CURLE_TOO_LARGE, how newer ones do
    }
)


class Transfer:
    """A handle with a connection of its own, everything set that stays the same for one app."""

    def __init__(self, config: Config) -> None:
        self.curl = curl = pycurl.Curl()
        curl.setopt(pycurl.NOSIGNAL, 1)  # signals and threads do not mix
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        share = pycurl.CurlShare()
        share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_CONNECT)
        curl.setopt(pycurl.SHARE, share)  # else the handles of a multi interface have one pool
        curl.setopt(pycurl.MAXCONNECTS, 1)
        curl.setopt(pycurl.PROXY, config.http_proxy or "")
        curl.setopt(pycurl.NOPROXY, "")
        curl.setopt(pycurl.WRITEFUNCTION, self._write)
        if config.ssl:
            curl.setopt(pycurl.CAINFO, trusted_certificates(config))
        self._set_headers: Mapping[str, str] | None = None
        self._fresh = False

    def prepare(self, request: Request, timeout: float) -> None:
        """Make the handle ready for one request, `timeout` seconds for all of it."""
        self._request, self._timeout = request, timeout
        self._lines: list[bytes] = []
        self._chunks: list[bytes] = []
        self._size = 0
        curl = self.curl
        curl.setopt(pycurl.URL, request.url)
        curl.setopt(pycurl.TIMEOUT_MS, int(timeout * 1000) or 1)
        curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        if self._stale() is not self._fresh:
            self._fresh = not self._fresh
            curl.setopt(pycurl.FRESH_CONNECT, self._fresh)
        if request.headers is not self._set_headers:
            self._change_kind(request)
        if request.body is not None:
            # Given as a callback that cannot rewind: libcurl sends a body that it has as a
            # string again, on its own, when a kept connection breaks before the answer.
            curl.setopt(pycurl.POSTFIELDSIZE, len(request.body))
            curl.setopt(pycurl.READFUNCTION, io.BytesIO(request.body).read)

    def response(self) -> Response:
        """The answer, after a success."""
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        return Response(status, b"".join(self._chunks), _Headers(self._lines))

    def failure(self, code: int, reason: str) -> PusherError:
        """What an error of libcurl means. Its texts name hosts and never the query."""
        sent = self.curl.getinfo(pycurl.REQUEST_SIZE) > 0
        if code == pycurl.E_OPERATION_TIMEDOUT:
            tell = failures.timeout if sent else failures.connect_timeout
            return tell(self._request, self._timeout)
        if not sent:
            return failures.unconnected(self._request, reason)
        if code == pycurl.E_WRITE_ERROR:
            return failures.too_large(self._request)
        if code in _NO_HTTP:
            return failures.no_http(self._request)
        return failures.broken(self._request, reason)

    def disconnect(self, nowhere: int) -> None:
        """Let the connection's file descriptor mean `nowhere` in this process."""
        sock = self.curl.getinfo(pycurl.ACTIVESOCKET)
        if sock >= 0:
            os.dup2(nowhere, sock)

    def _stale(self) -> bool:
        """Whether the service closed the connection: libcurl asks only after a second of rest."""
        sock = self.curl.getinfo(pycurl.ACTIVESOCKET)
        return sock >= 0 and _readable(sock)

    def _change_kind(self, request: Request) -> None:
        """Between the two kinds of request, with a body and without; without `Expect`."""
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        self.curl.setopt(pycurl.HTTPHEADER, [*lines, "Expect:"])
        self.curl.setopt(pycurl.HTTPGET if request.body is None else pycurl.POST, 1)
        self._set_headers = request.headers

    def _write(self, data: bytes) -> int | None:
        self._chunks.append(data)
        self._size += len(data)
        return -1 if self._size > RESPONSE_BYTES else None


def _readable(sock: int) -> bool:
    """An idle connection has nothing to read but its end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class _Headers(Mapping[str, str]):
    """Those of the last answer, read when somebody asks: hardly anybody does."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @cached_property
    def _values(self) -> dict[str, str]:
        """The ones of a proxy's tunnel and of a 100 come before."""
        values: dict[str, str] = {}
        for line in self._lines:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                values[name.lower()] = value.strip()
            elif name.startswith("HTTP/"):
                values.clear()
        return values
