"""WebhookApp: Pusher's webhooks, verified, to the functions that asked for them (section 4)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gae_pusher import limits
from gae_pusher.errors import ConfigurationError, MalformedWebhook, WebhookError
from gae_pusher.pusher import Pusher
from gae_pusher.sansio.events import EVENT_TYPES, UnknownEvent, WebhookEvent
from gae_pusher.wsgi.endpoint import Endpoint, check_method
from gae_pusher.wsgi.handlers import PusherSource, check_handler, settled, source
from gae_pusher.wsgi.http import Refusal, Response, text_response
from gae_pusher.wsgi.patterns import ChannelPattern, Converter
from gae_pusher.wsgi.request import Request

__all__ = ["WebhookApp"]

logger = logging.getLogger(__name__)

H = TypeVar("H", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class _Handler:
    function: Callable[..., object]
    kind: type[Any] | None
    name: str | None
    pattern: ChannelPattern | None

    def parameters(self, event: WebhookEvent) -> dict[str, Any] | None:
        """The channel's parameters; None when the event is none of this handler's."""
        if self.kind is not None and type(event) is not self.kind:
            return None
        if self.name is not None and _name(event) != self.name:
            return None
        if self.pattern is None:
            return {}
        found = self.pattern.match(_channel(event))
        return None if found is None else self.pattern.convert(found)


class WebhookApp(Endpoint):
    """A WSGI app that receives webhooks: `@webhooks.on(ChannelOccupied)`.

    `pusher` is the app whose keys sign, or a function that returns it, called for each request.
    Answers 200 after every handler returned; 401 unless key, signature and age are right; 413 for
    a body over 1 MiB, unread; 400 for a malformed one; 405 unless POST; 500 when a handler raised.
    """

    def __init__(self, pusher: Pusher | PusherSource) -> None:
        self._pusher = source(pusher)
        self._handlers: list[_Handler] = []

    def on(
        self,
        event: str | type[Any] | None = None,
        /,
        *,
        channel: str | None = None,
        **converters: Converter,
    ) -> Callable[[H], H]:
        """Call the decorated function with each such event, as the typed value that it is.

        `event` is a class such as ChannelOccupied or its name 'channel_occupied'; the name of an
        event that this version does not know, which comes as UnknownEvent; or nothing, for all.
        `channel` is a pattern, 'presence-board-{board_id}': only events of channels that match
        are for this function, and the parameters are passed by name, through `converters`.
        An NDB tasklet is waited for. Raises ConfigurationError.
        """
        kind, name = _wanted(event)
        if converters and channel is None:
            raise ConfigurationError("converters need channel=, a pattern with their parameters")
        pattern = None if channel is None else ChannelPattern(channel, converters)

        def register(handler: H) -> H:
            check_handler(handler)
            self._handlers.append(_Handler(handler, kind, name, pattern))
            return handler

        return register

    def answer(self, request: Request) -> Response:
        check_method(request, "POST")
        body = request.body(limits.WEBHOOK_BODY_BYTES)
        events = self._events(request, body)
        failed = sum(not self._handled(event) for event in events)
        if failed:
            return text_response(500, f"{failed} of {len(events)} events failed, try again")
        return text_response(200, "OK")

    def _events(self, request: Request, body: bytes) -> list[WebhookEvent]:
        key, signature = request.header("X-Pusher-Key"), request.header("X-Pusher-Signature")
        try:
            return self._pusher().webhook(body, key, signature).typed_events()
        except MalformedWebhook as error:
            logger.warning("refused a webhook: %s", error)
            raise Refusal(400, "malformed webhook") from None
        except WebhookError as error:
            logger.warning("refused a webhook: %s", error)
            raise Refusal(401, "not an authentic webhook") from None

    def _handled(self, event: WebhookEvent) -> bool:
        """Whether every handler of the event returned; one that fails does not stop the others."""
        return not [handler for handler in self._handlers if not self._called(handler, event)]

    def _called(self, handler: _Handler, event: WebhookEvent) -> bool:
        try:
            parameters = handler.parameters(event)
            if parameters is not None:
                settled(handler.function(event, **parameters))
        except Exception:
            logger.exception("a handler of the webhook event %r failed", _name(event))
            return False
        return True


def _wanted(event: str | type[Any] | None) -> tuple[type[Any] | None, str | None]:
    """The class and the name that events are compared with; None compares with nothing."""
    if event is None:
        return None, None
    if isinstance(event, str):
        known = EVENT_TYPES.get(event)
        return (known, None) if known else (UnknownEvent, event)
    if event in (*EVENT_TYPES.values(), UnknownEvent):
        return event, None
    raise ConfigurationError(f"{event!r} is no webhook event, nor the name of one")


def _name(event: WebhookEvent) -> str:
    if isinstance(event, UnknownEvent):
        return event.name
    return next(name for name, kind in EVENT_TYPES.items() if kind is type(event))


def _channel(event: WebhookEvent) -> str:
    return (
        str(event.fields.get("channel", "")) if isinstance(event, UnknownEvent) else event.channel
    )
