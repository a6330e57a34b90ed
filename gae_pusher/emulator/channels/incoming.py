"""Reading what a client sent: a frame, and the tokens and names inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gae_pusher.emulator.channels.json_text import dumps, loads
from gae_pusher.emulator.channels.presence import Member
from gae_pusher.emulator.channels.refusal import Refusal
from gae_pusher.errors import InvalidRequest
from gae_pusher.names import check_user_id

__all__ = ["Frame", "SignedInUser", "parse_frame", "parse_user_data"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a client. `data` is any JSON value; `has_data` tells null from nothing."""

    event: str
    channel: Any
    data: Any
    has_data: bool

    def text(self, field: str) -> str | None:
        """A string inside `data`, or None. Raises Refusal when it is something else."""
        value = self.data.get(field) if isinstance(self.data, dict) else None
        if value is not None and not isinstance(value, str):
            raise Refusal(f"{self.event}: {field} must be a string")
        return value

    def required(self, field: str) -> str:
        """A string inside `data`. Raises Refusal when there is none."""
        value = self.text(field)
        if value is None:
            raise Refusal(f"{self.event}: {field} is missing")
        return value

    def data_text(self) -> str | None:
        """`data` as other clients get it: a string as it is, everything else as its JSON."""
        if not self.has_data:
            return None
        return self.data if isinstance(self.data, str) else dumps(self.data)


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """What a verified user_data says."""

    member: Member
    watchlist: tuple[str, ...]


def parse_frame(text: str) -> Frame:
    """The frame in a text message. Raises Refusal."""
    try:
        value = loads(text)
    except ValueError:
        raise Refusal("Received invalid JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        raise Refusal('A frame must be a JSON object with an "event" string')
    return Frame(value["event"], value.get("channel"), value.get("data"), "data" in value)


def parse_user_data(user_data: str) -> SignedInUser:
    """The user that signs in and whom they watch, each id once. Raises Refusal."""
    try:
        value = loads(user_data)
    except ValueError:
        raise Refusal("user_data is not JSON") from None
    if not isinstance(value, dict):
        raise Refusal("user_data must be a JSON object")
    try:
        user_id = check_user_id(value.get("id"))
    except InvalidRequest as error:
        raise Refusal(f"user_data: {error}") from None
    watchlist = value.get("watchlist") or []
    if not isinstance(watchlist, list) or not all(isinstance(user, str) for user in watchlist):
        raise Refusal("user_data: watchlist must be an array of user ids")
    return SignedInUser(Member(user_id, value.get("user_info")), tuple(dict.fromkeys(watchlist)))
