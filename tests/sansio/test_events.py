"""Webhook events become values, and what we do not know is kept whole."""

from __future__ import annotations

from typing import Any

import pytest

from gae_pusher.sansio import events
from gae_pusher.sansio.events import event_from_fields


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "channel_occupied", "channel": "c"}, events.ChannelOccupied("c")),
        ({"name": "channel_vacated", "channel": "c"}, events.ChannelVacated("c")),
        (
            {"name": "member_added", "channel": "presence-c", "user_id": "u"},
            events.MemberAdded("presence-c", "u"),
        ),
        (
            {"name": "member_removed", "channel": "presence-c", "user_id": "u"},
            events.MemberRemoved("presence-c", "u"),
        ),
        (
            {
                "name": "client_event",
                "channel": "private-c",
                "event": "client-e",
                "data": "{}",
                "socket_id": "1.2",
            },
            events.ClientEvent("private-c", "client-e", "{}", "1.2"),
        ),
        (
            {
                "name": "client_event",
                "channel": "presence-c",
                "event": "client-e",
                "data": "{}",
                "socket_id": "1.2",
                "user_id": "u",
            },
            events.ClientEvent("presence-c", "client-e", "{}", "1.2", "u"),
        ),
        ({"name": "cache_miss", "channel": "cache-c"}, events.CacheMiss("cache-c")),
        (
            {"name": "subscription_count", "channel": "c", "subscription_count": 3},
            events.SubscriptionCount("c", 3),
        ),
        ({"name": "cache_miss", "channel": "c", "new": 1}, events.CacheMiss("c")),
    ],
)
def test_a_known_event_has_its_type(fields: dict[str, Any], expected: object) -> None:
    """All seven documented events have a type of their own; a further field changes nothing."""
    assert event_from_fields(fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "brand_new", "channel": "c", "depth": [1]},
        {"name": "member_added", "channel": "c"},
        {"name": "subscription_count", "channel": "c", "subscription_count": "3"},
        {"name": "subscription_count", "channel": "c", "subscription_count": True},
        {"name": "channel_occupied", "channel": 5},
        {"name": 7},
        {"name": ["x"]},
        {},
    ],
)
def test_an_unknown_event_loses_nothing(fields: dict[str, Any]) -> None:
    """A new name, a missing field or an odd value gives UnknownEvent with every field."""
    event = event_from_fields(fields)
    assert event == events.UnknownEvent(str(fields.get("name")), fields)


def test_every_type_is_known_by_its_name_on_the_wire() -> None:
    """The table that handlers are registered by holds the seven documented names."""
    assert sorted(events.EVENT_TYPES) == [
        "cache_miss",
        "channel_occupied",
        "channel_vacated",
        "client_event",
        "member_added",
        "member_removed",
        "subscription_count",
    ]
