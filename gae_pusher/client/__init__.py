"""A client of protocol 7 for programs and terminals, the subscribing side of Channels."""

from __future__ import annotations

from gae_pusher.client.authorizers import Authorize, by_endpoint, by_key
from gae_pusher.client.listener import Listener
from gae_pusher.client.session import (
    Connected,
    Disconnected,
    Event,
    Happening,
    Problem,
    Subscribed,
)

__all__ = [
    "Authorize",
    "Connected",
    "Disconnected",
    "Event",
    "Happening",
    "Listener",
    "Problem",
    "Subscribed",
    "by_endpoint",
    "by_key",
]
