"""The requests that ask: channels, a channel, its users (protocol sections 1.4 to 1.6, 1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gae_pusher.emulator.channels.gate import ApiError
from gae_pusher.emulator.channels.rules import check_channel_name
from gae_pusher.emulator.channels.service import Service
from gae_pusher.names import ChannelKind

__all__ = ["channel", "channels", "counts", "parse_info", "stats", "users"]

_COUNTS = ("user_count", "subscription_count")


def parse_info(service: Service, info: object, known: tuple[str, ...] = _COUNTS) -> tuple[str, ...]:
    """The attributes of a comma-separated list; in strict mode they must all be known."""
    if info is None:
        return ()
    if not isinstance(info, str):
        raise ApiError(400, "Invalid parameter info: a comma-separated string is wanted")
    names = tuple(part for part in (piece.strip() for piece in info.split(",")) if part)
    unknown = [name for name in names if name not in known]
    if unknown and service.settings.strict:
        raise ApiError(400, f"Unknown info attribute: {unknown[0]}")
    return names


def counts(service: Service, name: str, info: tuple[str, ...]) -> dict[str, int]:
    """The counts of a channel among those asked for that apply to it."""
    occupied = service.hub.get(name)
    is_presence = bool(ChannelKind.of(name) & ChannelKind.PRESENCE)
    found = {}
    if "user_count" in info and is_presence:
        found["user_count"] = len(occupied.members) if occupied else 0
    if "subscription_count" in info and _is_counted(service, name):
        found["subscription_count"] = len(occupied.sockets) if occupied else 0
    return found


def channels(service: Service, params: Mapping[str, str]) -> object:
    """`GET /channels`: the occupied channels, server-to-user channels left out."""
    prefix = params.get("filter_by_prefix", "")
    info = parse_info(service, params.get("info"), ("user_count",))
    if "user_count" in info and not prefix.startswith("presence-"):
        # "begining" is how the service spells it.
        raise ApiError(
            400,
            "user_count may only be requested for presence channels - please supply "
            "filter_by_prefix begining with presence-",
        )
    names = [
        occupied.name
        for occupied in service.hub
        if occupied.name.startswith(prefix) and not occupied.kind & ChannelKind.SERVER_TO_USER
    ]
    return {"channels": {name: counts(service, name, info) for name in names}}


def channel(service: Service, params: Mapping[str, str], name: str, now: float) -> object:
    """`GET /channels/<channel>`: never a 404, an empty channel is just not occupied."""
    check_channel_name(name, strict=service.settings.strict)
    info = parse_info(service, params.get("info"), (*_COUNTS, "cache"))
    kind = ChannelKind.of(name)
    if "user_count" in info and not kind & ChannelKind.PRESENCE:
        raise ApiError(
            400, "Cannot retrieve the user count unless the channel is a presence channel"
        )
    if service.settings.strict and "subscription_count" in info and not _is_counted(service, name):
        raise ApiError(400, "Cannot retrieve the subscription count of this channel")
    answer: dict[str, Any] = {"occupied": service.hub.get(name) is not None}
    answer.update(counts(service, name, info))
    if "cache" in info:
        answer["cache"] = _cached(service, name, now)
    return answer


def users(service: Service, name: str) -> object:
    """`GET /channels/<channel>/users`: every user once."""
    if not ChannelKind.of(name) & ChannelKind.PRESENCE:
        raise ApiError(400, "Users can only be retrieved for presence channels")
    occupied = service.hub.get(name)
    members = occupied.members.infos() if occupied else {}
    return {"users": [{"id": user_id} for user_id in members]}


def stats(service: Service, name: str) -> object:
    """`GET /channels/<channel>/stats`, the older shape of `channel`."""
    occupied = service.hub.get(name)
    answer: dict[str, Any] = {
        "occupied": occupied is not None,
        "connection_count": len(occupied.sockets) if occupied else 0,
    }
    return {**answer, **counts(service, name, ("user_count",))}


def _cached(service: Service, name: str, now: float) -> object:
    if not ChannelKind.of(name) & ChannelKind.CACHE:
        raise ApiError(400, "Cannot retrieve the cache unless the channel is a cache channel")
    event = service.hub.cache.get(name, now)
    return None if event is None else {"data": event.data, "ttl": event.ttl(now)}


def _is_counted(service: Service, name: str) -> bool:
    # The documentation's tables exclude presence channels, its examples show them.
    on = service.app.features.subscription_counting
    return on and not (service.settings.strict and ChannelKind.of(name) & ChannelKind.PRESENCE)
