"""Every frame that the server sends, encoded as protocol section 3.2 says.

`data` is a string that holds JSON in every frame but two: `pusher:error` and `pusher:pong` carry
an object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gae_pusher.emulator.channels.json_text import dumps

__all__ = [
    "cache_miss",
    "client_event",
    "connection_established",
    "error",
    "event",
    "member_added",
    "member_removed",
    "pong",
    "presence_succeeded",
    "signin_success",
    "subscription_count",
    "subscription_succeeded",
    "watchlist_events",
]


def connection_established(socket_id: str, activity_timeout_seconds: int) -> str:
    """The first frame of every connection (section 3.3)."""
    data = {"socket_id": socket_id, "activity_timeout": activity_timeout_seconds}
    return dumps({"event": "pusher:connection_established", "data": dumps(data)})


def error(message: str, code: int | None = None) -> str:
    """`pusher:error`; most of them have no code, literally null (section 3.5)."""
    return dumps({"event": "pusher:error", "data": {"code": code, "message": message}})


def pong() -> str:
    """The answer to a client's ping, which must be JSON: browsers hide protocol pongs."""
    return '{"event":"pusher:pong","data":{}}'


def event(channel: str, name: str, data: str) -> str:
    """An event from the HTTP API: `data` is that of the trigger, unchanged."""
    return dumps({"event": name, "channel": channel, "data": data})


def client_event(channel: str, name: str, data: str | None, user_id: str | None) -> str:
    """A relayed client event; `user_id` only on presence channels (section 3.8)."""
    frame: dict[str, str] = {"event": name, "channel": channel}
    if data is not None:
        frame["data"] = data
    if user_id is not None:
        frame["user_id"] = user_id
    return dumps(frame)


def subscription_succeeded(channel: str) -> str:
    """The answer to a subscription to any channel without presence."""
    return _internal("subscription_succeeded", channel, {})


def presence_succeeded(channel: str, members: Mapping[str, Any]) -> str:
    """The answer on a presence channel: user ids and their user_info, the new member included."""
    presence = {"count": len(members), "ids": list(members), "hash": dict(members)}
    return _internal("subscription_succeeded", channel, {"presence": presence})


def member_added(channel: str, user_id: str, user_info: Any) -> str:
    """For the others, when a user's first connection joins (section 3.6)."""
    return _internal("member_added", channel, {"user_id": user_id, "user_info": user_info})


def member_removed(channel: str, user_id: str) -> str:
    """For the others, when a user's last connection is gone."""
    return _internal("member_removed", channel, {"user_id": user_id})


def subscription_count(channel: str, count: int) -> str:
    """How many connections are subscribed now (section 3.7)."""
    return _internal("subscription_count", channel, {"subscription_count": count})


def cache_miss(channel: str) -> str:
    """A cache channel has nothing stored. The prefix is `pusher:`, not `pusher_internal:`."""
    return dumps({"event": "pusher:cache_miss", "channel": channel, "data": "{}"})


def signin_success(user_data: str) -> str:
    """`user_data` comes back as the very string that was signed (section 3.9)."""
    return dumps({"event": "pusher:signin_success", "data": dumps({"user_data": user_data})})


def watchlist_events(online: list[str], offline: list[str]) -> str:
    """Who of a watchlist is online and offline; an empty list is left out (section 3.10)."""
    lists = (("online", online), ("offline", offline))
    events = [{"name": name, "user_ids": ids} for name, ids in lists if ids]
    return dumps({"event": "pusher_internal:watchlist_events", "data": dumps({"events": events})})


def _internal(name: str, channel: str, data: object) -> str:
    return dumps({"event": f"pusher_internal:{name}", "channel": channel, "data": dumps(data)})
