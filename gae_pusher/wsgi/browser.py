"""BrowserEndpoint: a form from pusher-js in, a token out (protocol section 5)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gae_pusher import limits
from gae_pusher.errors import InvalidSocketId
from gae_pusher.names import check_socket_id
from gae_pusher.pusher import Pusher
from gae_pusher.wsgi.cors import AllowedOrigins
from gae_pusher.wsgi.endpoint import Endpoint, check_method
from gae_pusher.wsgi.handlers import PusherSource, source
from gae_pusher.wsgi.http import Refusal, Response, json_response
from gae_pusher.wsgi.request import Form, Request

__all__ = ["BrowserEndpoint", "field"]

_PRIVATE: Final = ("Cache-Control", "no-store")


class BrowserEndpoint(Endpoint):
    """What both token endpoints share.

    Another site may make a visitor's browser send the form, but not read the answer, and asking
    has no effect: so there is no CSRF token to check. The JSONP transport of pusher-js is not
    served, because its answer is readable from every site.
    """

    def __init__(self, pusher: Pusher | PusherSource, *, allow_origins: Iterable[str] = ()) -> None:
        self._pusher = source(pusher)
        self._origins = AllowedOrigins(allow_origins)

    @abstractmethod
    def token(self, request: Request, form: Form, socket_id: str) -> Mapping[str, Any]:
        """The JSON to answer with. Raises Refusal."""

    def respond(self, request: Request) -> Response:
        response = super().respond(request).with_headers(_PRIVATE)
        return self._origins.shared(request, response)

    def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS" and self._origins:
            return self._origins.preflight(request)
        check_method(request, "POST")
        form = request.form(limits.AUTH_FORM_BYTES)
        try:
            socket_id = check_socket_id(field(form, "socket_id"))
        except InvalidSocketId:
            raise Refusal(400, "socket_id is no socket id") from None
        return json_response(self.token(request, form, socket_id))


def field(form: Form, name: str) -> str:
    """The field of that name. Raises Refusal, 400, unless there is exactly one.

    Of two, the app's own code might look at one while the token is made for the other.
    """
    values = [value for key, value in form if key == name]
    if len(values) != 1:
        raise Refusal(400, f"send one {name}")
    return values[0]
