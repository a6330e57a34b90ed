"""Flask: the app's config to a Pusher, and the endpoints as a blueprint.

realtime = FlaskEndpoints()

app.config.update(PUSHER_APP_ID="1", PUSHER_KEY="...", PUSHER_SECRET="...")
realtime.init_app(app)                        # /pusher/auth, /pusher/user-auth, /pusher/webhook
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask
from werkzeug.exceptions import HTTPException

from gae_pusher.pusher import Pusher
from gae_pusher.wsgi.body import require_length
from gae_pusher.wsgi.endpoint import Endpoint
from gae_pusher.wsgi.endpoints import Endpoints
from gae_pusher.wsgi.http import Refusal
from gae_pusher.wsgi.request import FORM_TYPE, Form, Request

__all__ = ["FlaskEndpoints"]

_EXTENSION = "gae_pusher"


class FlaskEndpoints(Endpoints):
    """The endpoints of the current Flask app's Pusher; rules are given the flask.Request.

    `allow_origins` names the other origins whose pages may ask for tokens.
    In a rule, `abort()` with a status of 400 to 499 refuses.
    """

    def __init__(self, *, allow_origins: Iterable[str] = ()) -> None:
        super().__init__(lambda: self.pusher, allow_origins=allow_origins)
        self.blueprint = flask.Blueprint("pusher", __name__)
        for name, endpoint in self.by_path.items():
            self.blueprint.add_url_rule(
                f"/{name}",
                name,
                _view(endpoint),
                methods=["POST", "OPTIONS"],
                provide_automatic_options=False,
            )

    @property
    def pusher(self) -> Pusher:
        """The Pusher of the current app."""
        pusher: Pusher = flask.current_app.extensions[_EXTENSION]
        return pusher

    def init_app(
        self, app: flask.Flask, pusher: Pusher | None = None, url_prefix: str = "/pusher"
    ) -> None:
        """Serve the endpoints below `url_prefix`, with `pusher` or the one of the app's config.

        The config has the names of the environment: PUSHER_URL, or PUSHER_APP_ID, PUSHER_KEY,
        PUSHER_SECRET, PUSHER_CLUSTER...; without PUSHER_URL and PUSHER_APP_ID the environment
        itself says. Raises ConfigurationError.
        """
        app.extensions[_EXTENSION] = pusher or _configured(app.config)
        app.register_blueprint(self.blueprint, url_prefix=url_prefix)


class _FlaskRequest(Request):
    def __init__(self, request: flask.Request) -> None:
        self._request = request
        self.method = request.method

    def header(self, name: str) -> str | None:
        return self._request.headers.get(name)

    def body(self, limit: int) -> bytes:
        require_length(self._request.headers.get("Content-Length"), limit)
        return self._request.get_data()

    def form(self, limit: int) -> Form:
        if self._request.mimetype != FORM_TYPE:
            raise Refusal(415, f"send {FORM_TYPE}")
        require_length(self._request.headers.get("Content-Length"), limit)
        return tuple(self._request.form.items(multi=True))

    def for_rule(self, form: Form) -> flask.Request:
        return self._request

    def refusal(self, error: Exception) -> Refusal | None:
        if isinstance(error, HTTPException) and 400 <= (error.code or 0) < 500:
            return Refusal(error.code or 400, "refused")
        return super().refusal(error)


def _view(endpoint: Endpoint) -> Callable[[], flask.Response]:
    def view() -> flask.Response:
        response = endpoint.respond(_FlaskRequest(flask.request))
        return flask.Response(response.body, response.status, list(response.headers))

    return view


def _configured(config: dict[str, Any]) -> Pusher:
    own = {
        name: str(value) for name, value in config.items() if name.startswith("PUSHER_") and value
    }
    if own.keys() & {"PUSHER_URL", "PUSHER_APP_ID"}:
        return Pusher.from_env(environ=own)
    return Pusher.from_env()
