"""Which names are accepted, leniently as the service is seen to, or strictly as documented."""

from __future__ import annotations

from gae_pusher import limits
from gae_pusher.errors import InvalidChannelName, InvalidEventName
from gae_pusher.names import CLIENT_EVENT_PREFIX, check_channel, check_event

__all__ = ["check_channel_name", "check_triggered_event"]


def check_channel_name(name: object, *, strict: bool) -> str:
    """Return a channel's name; strict keeps to the documented length. Raises InvalidChannelName."""
    channel = check_channel(name)
    if strict and len(channel) > limits.CHANNEL_NAME_DOCUMENTED_LENGTH:
        raise InvalidChannelName(
            f"channel name has {len(channel)} characters, the documented limit is "
            f"{limits.CHANNEL_NAME_DOCUMENTED_LENGTH}"
        )
    return channel


def check_triggered_event(name: object, *, strict: bool) -> str:
    """Return the name of an event from the HTTP API; strict leaves `client-` to clients.

    Raises InvalidEventName.
    """
    event = check_event(name)
    if strict and event.startswith(CLIENT_EVENT_PREFIX):
        raise InvalidEventName(f"event name {event!r}: 'client-' is for events that clients send")
    return event
