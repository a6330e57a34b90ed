"""Pages of other origins: which may ask, and what their browsers want to hear (Fetch standard)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gae_pusher.errors import ConfigurationError
from gae_pusher.wsgi.http import Header, Refusal, Response
from gae_pusher.wsgi.request import Request

__all__ = ["AllowedOrigins"]

PREFLIGHT_SECONDS: Final = 600  # how long a browser may remember the answer

_ORIGIN: Final = re.compile(r"https?://[^/\s*?#]+")
_HEADER_NAMES: Final = re.compile(r"[A-Za-z0-9_\-, ]{1,1000}")
_VARY: Final = ("Vary", "Origin")


class AllowedOrigins:
    """The origins whose pages may read the answers of an endpoint, 'https://app.example' each.

    Cookies never come along: pusher-js sends none to another origin, so such pages identify their
    user with a header. Raises ConfigurationError for what is no origin.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset([origins] if isinstance(origins, str) else origins)
        for origin in self._origins:
            if not _ORIGIN.fullmatch(origin):
                raise ConfigurationError(
                    f"allow_origins has {origin!r}: write scheme and host, such as "
                    "'https://app.example', without a path"
                )

    def __bool__(self) -> bool:
        return bool(self._origins)

    def shared(self, request: Request, response: Response) -> Response:
        """The answer, made readable for the page if its origin is allowed."""
        if not self:
            return response
        return response.with_headers(_VARY, *self._allow(request))

    def preflight(self, request: Request) -> Response:
        """The answer to OPTIONS. Raises Refusal, 403, for an origin that is not allowed."""
        if not self._allow(request):
            raise Refusal(403, "this origin is not allowed")
        headers = [
            ("Access-Control-Allow-Methods", "POST"),
            ("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)),
        ]
        wanted = request.header("Access-Control-Request-Headers") or ""
        if _HEADER_NAMES.fullmatch(wanted):
            headers.append(("Access-Control-Allow-Headers", wanted))
        return Response(204, headers=tuple(headers))

    def _allow(self, request: Request) -> tuple[Header, ...]:
        origin = request.header("Origin")
        if origin not in self._origins or origin is None:
            return ()
        return (("Access-Control-Allow-Origin", origin),)
