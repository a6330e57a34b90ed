"""Endpoint: from a request to an answer, whatever goes wrong; and a WSGI app."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gae_pusher.wsgi.http import Refusal, Response, text_response
from gae_pusher.wsgi.request import Request, WsgiRequest

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["Endpoint", "check_method"]

logger = logging.getLogger(__name__)


class Endpoint(ABC):
    """One place that answers requests, mounted at any path.

    The object itself is the WSGI app. The frameworks call `respond` with a request of theirs.
    """

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """The answer to a request. Raises Refusal for any other than the good one."""

    def respond(self, request: Request) -> Response:
        """The answer, never an exception: what nobody expected is logged and becomes a 500."""
        try:
            return self.answer(request)
        except Exception as error:
            refusal = request.refusal(error)
            if refusal is not None:
                return refusal.response
            logger.exception("%s could not answer", type(self).__name__)
            return text_response(500, "something went wrong, the log says what")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI app."""
        return self.respond(WsgiRequest(environ)).send(environ, start_response)


def check_method(request: Request, *allowed: str) -> None:
    """Raises Refusal, a 405 with Allow, for every other method."""
    if request.method not in allowed:
        raise Refusal(405, "method not allowed", ("Allow", ", ".join(allowed)))
