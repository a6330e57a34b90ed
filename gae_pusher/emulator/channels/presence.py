"""Who is on a presence channel: members are users, not connections (protocol section 3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gae_pusher.emulator.channels.json_text import loads, utf8_length
from gae_pusher.emulator.channels.refusal import Refusal
from gae_pusher.emulator.channels.settings import AppLimits

__all__ = ["Member", "Members", "parse_member"]


@dataclass(frozen=True, slots=True)
class Member:
    """A user id and whatever JSON value the application said about the user."""

    user_id: str
    user_info: Any = None


@dataclass(slots=True)
class _Presence:
    user_info: Any
    sockets: set[str] = field(default_factory=set)


class Members:
    """The members of one channel in order of arrival, each with the sockets that brought them."""

    def __init__(self) -> None:
        self._users: dict[str, _Presence] = {}
        self._user_of: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._users)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._users

    def infos(self) -> Mapping[str, Any]:
        """user_info by user id."""
        return {user_id: presence.user_info for user_id, presence in self._users.items()}

    def user_of(self, socket_id: str) -> str | None:
        """The member that a socket stands for."""
        return self._user_of.get(socket_id)

    def join(self, socket_id: str, member: Member) -> bool:
        """Add a socket; True when it is the user's first. The first user_info stays."""
        first = member.user_id not in self._users
        presence = self._users.setdefault(member.user_id, _Presence(member.user_info))
        presence.sockets.add(socket_id)
        self._user_of[socket_id] = member.user_id
        return first

    def leave(self, socket_id: str) -> str | None:
        """Remove a socket; the user id when it was the user's last."""
        user_id = self._user_of.pop(socket_id, None)
        if user_id is None:
            return None
        presence = self._users[user_id]
        presence.sockets.remove(socket_id)
        if presence.sockets:
            return None
        del self._users[user_id]
        return user_id


def parse_member(channel_data: str, limits: AppLimits) -> Member:
    """The member that a verified channel_data names. Raises Refusal.

    A number as user_id becomes a string, as it has to be one everywhere else on the wire.
    """
    size = utf8_length(channel_data)
    if size > limits.presence_channel_data_bytes:
        raise Refusal(
            f"channel_data has {size} bytes, the limit is {limits.presence_channel_data_bytes}"
        )
    user_id, user_info = _member_fields(channel_data)
    if len(user_id) > limits.presence_user_id_length:
        raise Refusal(
            f"user_id has {len(user_id)} characters, the limit is {limits.presence_user_id_length}"
        )
    return Member(user_id, user_info)


def _member_fields(channel_data: str) -> tuple[str, Any]:
    try:
        value = loads(channel_data)
    except ValueError:
        raise Refusal("channel_data is not JSON") from None
    user_id = value.get("user_id") if isinstance(value, dict) else None
    if isinstance(user_id, int) and not isinstance(user_id, bool):
        user_id = str(user_id)
    if not isinstance(user_id, str) or not user_id:
        raise Refusal('channel_data must be a JSON object with a "user_id" string')
    return user_id, value.get("user_info")
