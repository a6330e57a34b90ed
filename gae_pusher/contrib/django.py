"""Django: settings to a Pusher, and the endpoints as views.

# settings.py
PUSHER = {"app_id": "1", "key": "...", "secret": "...", "cluster": "eu"}

# urls.py
urlpatterns = [path("pusher/", include(realtime.urls))]   # realtime = DjangoEndpoints()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import setting_changed
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from gae_pusher.errors import ConfigurationError
from gae_pusher.pusher import Pusher
from gae_pusher.wsgi.body import require_length
from gae_pusher.wsgi.endpoint import Endpoint
from gae_pusher.wsgi.endpoints import Endpoints
from gae_pusher.wsgi.http import Refusal
from gae_pusher.wsgi.request import FORM_TYPE, Form, Request

__all__ = ["DjangoEndpoints", "get_pusher"]


@lru_cache(maxsize=1)
def get_pusher() -> Pusher:
    """The Pusher of the settings, the same one each time.

    `PUSHER` is a dict of arguments of Pusher, or `PUSHER_URL` its URL; without both the
    environment says. Data may hold what DjangoJSONEncoder knows, unless the dict names another
    `json_encoder`, or `encoder`. Raises ConfigurationError.
    """
    options = getattr(settings, "PUSHER", None)
    url = getattr(settings, "PUSHER_URL", None)
    if options is None:
        make = Pusher.from_url if url else Pusher.from_env
        return make(*([url] if url else []), json_encoder=DjangoJSONEncoder)
    if not isinstance(options, dict):
        raise ConfigurationError("the setting PUSHER must be a dict of arguments of Pusher")
    return Pusher(**({"encoder": DjangoJSONEncoder} | options))


class DjangoEndpoints(Endpoints):
    """The endpoints of the Pusher of the settings, as views; rules are given the HttpRequest.

    `allow_origins` names the other origins whose pages may ask for tokens.
    In a rule, Http404 and PermissionDenied refuse.
    """

    def __init__(self, *, allow_origins: Iterable[str] = ()) -> None:
        super().__init__(get_pusher, allow_origins=allow_origins)

    @property
    def urls(self) -> list[URLPattern]:
        """`auth`, `user-auth` and `webhook`, named `pusher-auth` and so on, for include()."""
        return [
            path(name, _view(endpoint), name=f"pusher-{name}")
            for name, endpoint in self.by_path.items()
        ]


class _DjangoRequest(Request):
    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.method = request.method

    def header(self, name: str) -> str | None:
        value: str | None = self._request.headers.get(name)
        return value

    def body(self, limit: int) -> bytes:
        require_length(self._request.META.get("CONTENT_LENGTH"), limit)
        body: bytes = self._request.body
        return body

    def form(self, limit: int) -> Form:
        if self._request.content_type != FORM_TYPE:
            raise Refusal(415, f"send {FORM_TYPE}")
        self.body(limit)
        fields = self._request.POST.lists()
        return tuple((name, value) for name, values in fields for value in values)

    def for_rule(self, form: Form) -> HttpRequest:
        return self._request

    def refusal(self, error: Exception) -> Refusal | None:
        for kinds, status in _STATUSES:
            if isinstance(error, kinds):
                return Refusal(status, "refused")
        return super().refusal(error)


# In this order: the first is one of the second.
_STATUSES: tuple[tuple[Any, int], ...] = (
    (RequestDataTooBig, 413),
    ((SuspiciousOperation, BadRequest, UnreadablePostError), 400),
    ((PermissionDenied, Http404), 403),
)


def _view(endpoint: Endpoint) -> Callable[[HttpRequest], HttpResponse]:
    """The endpoint as a view; a signature or a socket id stands in for the CSRF token."""

    def view(request: HttpRequest) -> HttpResponse:
        response = endpoint.respond(_DjangoRequest(request))
        return HttpResponse(response.body, status=response.status, headers=dict(response.headers))

    exempt: Callable[[HttpRequest], HttpResponse] = csrf_exempt(view)
    return exempt


def _forget(*, setting: str, **_: Any) -> None:
    """A test that overrides the settings gets a Pusher of its own."""
    if setting in ("PUSHER", "PUSHER_URL"):
        get_pusher.cache_clear()


setting_changed.connect(_forget)
