"""GoogleAppEngineChannel: urlfetch where the bundled services are on, else an engine.

The only module that imports google.appengine.api.urlfetch. An app that does not import the
bundled services itself does not get them imported here either.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from gae_pusher.channels.blocking import BlockingChannel, BlockingSender
from gae_pusher.config import Config
from gae_pusher.engines import Engine, failures, new_engine
from gae_pusher.engines.base import CONNECTIONS
from gae_pusher.errors import ConfigurationError, PusherError
from gae_pusher.limits import RESPONSE_BYTES
from gae_pusher.sansio.http import Request, Response

__all__ = [
    "GoogleAppEngineChannel",
    "GoogleAppEngineSender",
    "urlfetch_arguments",
    "urlfetch_error",
    "urlfetch_response",
]

NO_API_PROXY = (
    "urlfetch needs App Engine's bundled services and there is no API proxy: set "
    "app_engine_apis: true in app.yaml and wrap the app with "
    "google.appengine.api.wrap_wsgi_app(app), or leave out urlfetch=True to do without them"
)


class GoogleAppEngineSender(BlockingSender):
    """Sends through urlfetch or an engine.

    `urlfetch`: None takes it when the app has an API proxy for it, True insists, False does
    without. It has the platform's own certificates and no proxy: with `ca_certs` or `http_proxy`
    the engine sends. `engine` is 'urllib3' or 'pycurl', None the fastest that is installed;
    `connections` the most that it keeps open.
    """

    def __init__(
        self,
        config: Config,
        urlfetch: bool | None = None,
        engine: str | None = None,
        connections: int = CONNECTIONS,
        **options: Any,
    ) -> None:
        super().__init__(config, **options)
        own_route = bool(config.ca_certs or config.http_proxy)
        if urlfetch and own_route:
            raise ConfigurationError("urlfetch cannot use ca_certs or http_proxy: leave it out")
        self._urlfetch = False if own_route else urlfetch
        self.engine: Engine = new_engine(config, engine, connections)

    def send(self, request: Request, timeout: float) -> Response:
        """See BlockingSender. Raises ConfigurationError when urlfetch=True has no API proxy."""
        if self._takes_urlfetch():
            return _fetch(request, timeout)
        return self.engine.send(request, timeout)

    def close(self) -> None:
        """Close the idle connections; a later verb opens new ones."""
        self.engine.close()

    def require_urlfetch(self) -> None:
        """Raise ConfigurationError when there is no API proxy for urlfetch."""
        if not _has_api_proxy():
            raise ConfigurationError(NO_API_PROXY)

    def _takes_urlfetch(self) -> bool:
        if self._urlfetch:
            self.require_urlfetch()
            return True
        return self._urlfetch is None and _has_api_proxy()


class GoogleAppEngineChannel(BlockingChannel):
    """The channel type for App Engine; blocks until the answer is there."""

    sender_type: ClassVar[type[GoogleAppEngineSender]] = GoogleAppEngineSender


def urlfetch_arguments(request: Request, timeout: float) -> dict[str, Any]:
    """The keyword arguments that urlfetch and the context of bundled NDB have in common."""
    return {
        "url": request.url,
        "payload": request.body,
        "method": request.method,
        "headers": request.headers,
        "follow_redirects": False,
        "deadline": timeout,
        "validate_certificate": True,
    }


def urlfetch_response(request: Request, result: Any) -> Response:
    """The answer out of urlfetch's own. Raises RemoteProtocolError when it is too large."""
    if len(result.content) > RESPONSE_BYTES:
        raise failures.too_large(request)
    headers: Mapping[str, str] = result.headers
    return Response(
        result.status_code, result.content, {name.lower(): value for name, value in headers.items()}
    )


def urlfetch_error(error: Exception, request: Request, timeout: float) -> PusherError:
    """What an error of urlfetch or the API proxy means. Their own texts repeat the signed URL."""
    name = type(error).__name__
    if name == "DeadlineExceededError":
        return failures.timeout(request, timeout)
    if name in ("DNSLookupFailedError", "SSLCertificateError", "InvalidURLError"):
        return failures.unconnected(request, f"urlfetch raised {name}")
    if name == "MalformedReplyError":
        return failures.no_http(request)
    if name == "ResponseTooLargeError":
        return failures.too_large(request)
    if name == "RPCFailedError":
        return ConfigurationError(NO_API_PROXY)
    return failures.broken(request, f"urlfetch raised {name}")


def _has_api_proxy() -> bool:
    """Whether the app imported the bundled services and something answers for urlfetch."""
    api = sys.modules.get("google.appengine.api.apiproxy_stub_map")
    return api is not None and bool(api.apiproxy.GetStub("urlfetch"))


def _fetch(request: Request, timeout: float) -> Response:
    from google.appengine.api import urlfetch
    from google.appengine.runtime import apiproxy_errors

    try:
        result = urlfetch.fetch(**urlfetch_arguments(request, timeout))
    except (urlfetch.Error, apiproxy_errors.Error) as error:
        raise urlfetch_error(error, request, timeout) from None
    return urlfetch_response(request, result)
