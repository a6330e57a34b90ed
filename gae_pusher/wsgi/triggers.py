"""What TaskApp does with the task of `trigger_later`: it triggers the event."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from gae_pusher.errors import (
    BadRequest,
    ConfigurationError,
    InvalidRequest,
    RequestTooLarge,
    TaskDropped,
)
from gae_pusher.sansio.encryption import NONCE_BYTES
from gae_pusher.sansio.verbs import Verbs
from gae_pusher.wsgi.handlers import PusherSource

__all__ = ["trigger_handler"]

# No retry makes these events better.
_REFUSED = (BadRequest, RequestTooLarge, InvalidRequest)


def trigger_handler(pusher: PusherSource) -> Callable[[Mapping[str, Any]], None]:
    """A handler that makes one attempt for the event of a payload; the queue has the others."""

    def trigger(payload: Mapping[str, Any]) -> None:
        sender: Any = pusher().sender
        if not hasattr(sender, "attempt"):
            raise ConfigurationError("TaskApp needs a Pusher whose channel_type is a blocking one")
        config, event = sender.config, payload["event"]
        if payload["app_id"] != config.app_id:
            raise ConfigurationError(
                f"an event for app {payload['app_id']!r}, and TaskApp has the Pusher of app "
                f"{config.app_id!r}"
            )
        verbs = Verbs(config, lambda: os.urandom(NONCE_BYTES))
        channel, name, data = event["channel"], event["name"], event["data"]
        try:
            sender.attempt(
                verbs.trigger(channel, name, data, event.get("socket_id"), already_encoded=True)
            )
        except _REFUSED as error:
            raise TaskDropped(
                f"event {name!r} on {channel!r} cannot be triggered: {error}"
            ) from error

    return trigger
