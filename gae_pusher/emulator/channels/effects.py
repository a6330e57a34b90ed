"""What the core asks for. It does nothing by itself: the rim sends, closes and delivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Arrived",
    "Close",
    "Effect",
    "Effects",
    "Left",
    "Notify",
    "Send",
    "Triggered",
    "WebhookEvent",
]

WebhookEvent: TypeAlias = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Send:
    """Write one frame to each of these connections."""

    sockets: tuple[str, ...]
    frame: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close these connections with a WebSocket close code."""

    sockets: tuple[str, ...]
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Triggered:
    """An event was accepted: from the HTTP API, or from the client with this socket id."""

    channel: str
    event: str
    data: str | None
    receivers: int
    socket_id: str | None = None


@dataclass(frozen=True, slots=True)
class Notify:
    """A webhook event that is certain: a client event, a cache miss, a subscription count."""

    event: WebhookEvent


@dataclass(frozen=True, slots=True)
class Arrived:
    """A channel got its first subscription or, with a user id, its first of that member."""

    channel: str
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A channel lost its last subscription or, with a user id, its last of that member."""

    channel: str
    user_id: str | None = None


Effect: TypeAlias = Send | Close | Triggered | Notify | Arrived | Left
Effects: TypeAlias = list[Effect]
