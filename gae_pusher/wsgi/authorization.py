"""ChannelAuthorizationApp: who may subscribe to which channel (protocol section 5)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from gae_pusher.errors import ConfigurationError, InvalidChannelName
from gae_pusher.names import check_authorizable_channel
from gae_pusher.pusher import Pusher
from gae_pusher.wsgi.browser import BrowserEndpoint, field
from gae_pusher.wsgi.handlers import PusherSource, check_handler, settled
from gae_pusher.wsgi.http import Refusal
from gae_pusher.wsgi.patterns import ChannelPattern, Converter
from gae_pusher.wsgi.request import Form, Request

__all__ = ["ChannelAuthorizationApp"]

logger = logging.getLogger(__name__)

H = TypeVar("H", bound=Callable[..., object])


class ChannelAuthorizationApp(BrowserEndpoint):
    """A WSGI app that authorizes channels by rules: `@app.authorize('private-order-{order_id}')`.

    `pusher` is the app whose key signs, or a function that returns it, called for each request.
    `allow_origins` names the other origins whose pages may ask, 'https://app.example'.
    Answers 200 with a token when the channel's rule says yes; 403 when it says no or when there is
    none; 400 for a bad or missing name; 405 unless POST; 413, 415 for what is no small form; 500
    when the rule raised.
    """

    def __init__(self, pusher: Pusher | PusherSource, *, allow_origins: Iterable[str] = ()) -> None:
        super().__init__(pusher, allow_origins=allow_origins)
        self._rules: list[tuple[ChannelPattern, Callable[..., object]]] = []

    def authorize(self, pattern: str, /, **converters: Converter) -> Callable[[H], H]:
        """Ask the decorated function about each channel whose whole name matches `pattern`.

        It is called with the request (a BrowserRequest; under a framework the framework's own) and
        the parameters by name, through `converters`. It returns True, a dict that identifies the
        member of a presence channel ({"user_id": ..., "user_info": ...}), or a false value to
        refuse. An NDB tasklet is waited for. Of several patterns that match, the first registered
        one decides alone; a ValueError or a None from its converter refuses.
        Raises ConfigurationError for a pattern that is malformed, taken, or public.
        """
        rule_pattern = ChannelPattern(pattern, converters)
        if not rule_pattern.kind.needs_authorization:
            raise ConfigurationError(
                f"pattern {pattern!r} must start with 'private-' or 'presence-': "
                "other channels need no authorization"
            )
        if any(other.shape == rule_pattern.shape for other, _ in self._rules):
            raise ConfigurationError(f"pattern {pattern!r} has a rule already")

        def register(rule: H) -> H:
            check_handler(rule)
            self._rules.append((rule_pattern, rule))
            return rule

        return register

    def token(self, request: Request, form: Form, socket_id: str) -> Mapping[str, Any]:
        try:
            channel = check_authorizable_channel(field(form, "channel_name"))
        except InvalidChannelName:
            raise Refusal(400, "channel_name is no private or presence channel") from None
        verdict = self._verdict(channel, request.for_rule(form))
        if not verdict:
            raise Refusal(403, "forbidden")
        custom_data = None if verdict is True else verdict
        return self._pusher().authenticate(channel, socket_id, custom_data)

    def _verdict(self, channel: str, asked: Any) -> Mapping[str, Any] | bool:
        for pattern, rule in self._rules:
            found = pattern.match(channel)
            if found is not None:
                values = pattern.convert(found)
                return False if values is None else _checked(settled(rule(asked, **values)))
        logger.warning("no rule matches channel %s: refused", channel)
        return False


def _checked(verdict: Any) -> Mapping[str, Any] | bool:
    """Only an explicit yes is one: an entity or a future would be true, too."""
    if not verdict or verdict is True or isinstance(verdict, Mapping):
        return verdict or False
    raise TypeError(
        f"a rule returned {type(verdict).__name__}: return True, a dict with user_id, or nothing"
    )
