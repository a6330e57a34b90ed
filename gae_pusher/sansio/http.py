"""One HTTP request and its answer, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from gae_pusher.sansio.signing import Params
from gae_pusher.version import __version__

__all__ = ["LIBRARY", "Request", "Response"]

LIBRARY = f"gae_pusher {__version__}"

_UNRESERVED = re.compile("[A-Za-z0-9_.~-]*")
_NO_BODY_HEADERS: Mapping[str, str] = {"X-Pusher-Library": LIBRARY}
_BODY_HEADERS: Mapping[str, str] = {
    "Content-Type": "application/json",
    "X-Pusher-Library": LIBRARY,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A signed request, ready to send. Its query and body stay out of the repr.

    `base_url` is what stands before `path`; `params` are raw and get percent-encoded in `url`.
    """

    method: str
    base_url: str
    path: str
    params: Params = field(repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The whole URL, its query percent-encoded: a signature is over the raw values."""
        params = self.params
        if not _UNRESERVED.fullmatch("".join([key + value for key, value in params])):
            params = tuple((quote(key, safe=""), quote(value, safe="")) for key, value in params)
        query = "&".join([f"{key}={value}" for key, value in params])
        return f"{self.base_url}{self.path}?{query}"

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of protocol section 1.11. A fresh copy is yours to make."""
        return _NO_BODY_HEADERS if self.body is None else _BODY_HEADERS


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `status`, `body` in bytes, `headers` with lower-case names."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
