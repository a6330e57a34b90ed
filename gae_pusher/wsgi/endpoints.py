"""Endpoints: the three of one app together, for a framework to route to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from gae_pusher.pusher import Pusher
from gae_pusher.wsgi.authentication import UserAuthenticationApp
from gae_pusher.wsgi.authorization import ChannelAuthorizationApp
from gae_pusher.wsgi.endpoint import Endpoint
from gae_pusher.wsgi.handlers import PusherSource
from gae_pusher.wsgi.patterns import Converter
from gae_pusher.wsgi.webhooks import WebhookApp

__all__ = ["Endpoints"]

H = TypeVar("H", bound=Callable[..., object])


class Endpoints:
    """Webhooks, channel authorization and user authentication of one `pusher`.

    `allow_origins` names the other origins whose pages may ask for tokens.
    """

    def __init__(self, pusher: Pusher | PusherSource, *, allow_origins: Iterable[str] = ()) -> None:
        origins = (allow_origins,) if isinstance(allow_origins, str) else tuple(allow_origins)
        self.webhooks = WebhookApp(pusher)
        self.channels = ChannelAuthorizationApp(pusher, allow_origins=origins)
        self.users = UserAuthenticationApp(pusher, allow_origins=origins)

    @property
    def by_path(self) -> dict[str, Endpoint]:
        """Each endpoint by the last part of its usual path: `auth` is pusher-js's /pusher/auth."""
        return {"auth": self.channels, "user-auth": self.users, "webhook": self.webhooks}

    def on(
        self,
        event: str | type[Any] | None = None,
        /,
        *,
        channel: str | None = None,
        **converters: Converter,
    ) -> Callable[[H], H]:
        """Call the decorated function with each such webhook event; see WebhookApp.on."""
        return self.webhooks.on(event, channel=channel, **converters)

    def authorize(self, pattern: str, /, **converters: Converter) -> Callable[[H], H]:
        """Ask the decorated function about such channels; see ChannelAuthorizationApp.authorize."""
        return self.channels.authorize(pattern, **converters)

    def user(self, function: H) -> H:
        """Ask the decorated function who the user is; see UserAuthenticationApp.user."""
        return self.users.user(function)
