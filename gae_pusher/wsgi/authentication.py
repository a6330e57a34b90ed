"""UserAuthenticationApp: as which user a connection signs in (protocol section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from gae_pusher.errors import ConfigurationError
from gae_pusher.pusher import Pusher
from gae_pusher.wsgi.browser import BrowserEndpoint
from gae_pusher.wsgi.handlers import PusherSource, check_handler, settled
from gae_pusher.wsgi.http import Refusal
from gae_pusher.wsgi.request import Form, Request

__all__ = ["UserAuthenticationApp"]

H = TypeVar("H", bound=Callable[..., object])


class UserAuthenticationApp(BrowserEndpoint):
    """A WSGI app that answers `pusher.signin()`: `@app.user` says who is asking.

    `pusher` is the app whose key signs, or a function that returns it, called for each request.
    `allow_origins` names the other origins whose pages may ask, 'https://app.example'.
    Answers 200 with a token; 403 when the function knows no user, or when there is none; 400 for a
    bad or missing socket id; 405 unless POST; 413, 415 for what is no small form; 500 when the
    function raised.
    """

    def __init__(self, pusher: Pusher | PusherSource, *, allow_origins: Iterable[str] = ()) -> None:
        super().__init__(pusher, allow_origins=allow_origins)
        self._user: Callable[..., object] | None = None

    def user(self, function: H) -> H:
        """Ask the decorated function who the user is.

        It is called with the request (a BrowserRequest; under a framework the framework's own) and
        returns {"id": ..., "user_info": ..., "watchlist": [...]}, only `id` is required, or a false
        value to refuse. An NDB tasklet is waited for.
        Raises ConfigurationError for a second function.
        """
        check_handler(function)
        if self._user is not None:
            raise ConfigurationError("there is a user function already")
        self._user = function
        return function

    def token(self, request: Request, form: Form, socket_id: str) -> Mapping[str, Any]:
        user_data: Any = None
        if self._user is not None:
            user_data = settled(self._user(request.for_rule(form)))
        if not user_data:
            raise Refusal(403, "forbidden")
        if not isinstance(user_data, Mapping):
            raise TypeError(
                f"the user function returned {type(user_data).__name__}: "
                "return a dict with id, or nothing"
            )
        return self._pusher().authenticate_user(socket_id, user_data)
