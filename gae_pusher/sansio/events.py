"""The events that a webhook carries, as values (protocol section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final

__all__ = [
    "EVENT_TYPES",
    "CacheMiss",
    "ChannelOccupied",
    "ChannelVacated",
    "ClientEvent",
    "MemberAdded",
    "MemberRemoved",
    "SubscriptionCount",
    "UnknownEvent",
    "WebhookEvent",
    "event_from_fields",
]


@dataclass(frozen=True, slots=True)
class ChannelOccupied:
    """The first subscription to `channel`."""

    channel: str


@dataclass(frozen=True, slots=True)
class ChannelVacated:
    """The last subscription to `channel` ended, some three seconds ago."""

    channel: str


@dataclass(frozen=True, slots=True)
class MemberAdded:
    """The first connection of a user joined a presence channel."""

    channel: str
    user_id: str


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """The last connection of a user left a presence channel, some three seconds ago."""

    channel: str
    user_id: str


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """A browser triggered `event`; `data` is text, `user_id` is there on presence channels."""

    channel: str
    event: str
    data: str
    socket_id: str
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class CacheMiss:
    """Somebody subscribed to a cache channel that holds nothing: trigger the current state."""

    channel: str


@dataclass(frozen=True, slots=True)
class SubscriptionCount:
    """The number of connections subscribed to `channel` changed."""

    channel: str
    subscription_count: int


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that this version does not know, or not in this shape, with all its `fields`."""

    name: str
    fields: Mapping[str, Any]


WebhookEvent = (
    ChannelOccupied
    | ChannelVacated
    | MemberAdded
    | MemberRemoved
    | ClientEvent
    | CacheMiss
    | SubscriptionCount
    | UnknownEvent
)

EVENT_TYPES: Final[Mapping[str, type[Any]]] = {
    "channel_occupied": ChannelOccupied,
    "channel_vacated": ChannelVacated,
    "member_added": MemberAdded,
    "member_removed": MemberRemoved,
    "client_event": ClientEvent,
    "cache_miss": CacheMiss,
    "subscription_count": SubscriptionCount,
}


def event_from_fields(event: Mapping[str, Any]) -> WebhookEvent:
    """The typed event for one entry of a webhook; UnknownEvent when a field is missing or odd.

    A known event with a new field beside the documented ones keeps its type.
    """
    name = event.get("name")
    kind = EVENT_TYPES.get(name) if isinstance(name, str) else None
    if kind is not None:
        values = {field.name: event[field.name] for field in fields(kind) if field.name in event}
        if _fits(kind, values):
            known: WebhookEvent = kind(**values)
            return known
    return UnknownEvent(str(name), dict(event))


def _fits(kind: type[Any], values: Mapping[str, Any]) -> bool:
    required = {field.name for field in fields(kind) if field.default is MISSING}
    return required <= values.keys() and all(
        type(value) is (int if name == "subscription_count" else str)
        for name, value in values.items()
    )
