"""One connection seen from the client: a frame in, happenings and frames out. No I/O, no clock.

Protocol sections 3.2 to 3.9 and 6.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gae_pusher.errors import DecryptionFailed, RemoteProtocolError
from gae_pusher.names import ChannelKind, check_channel
from gae_pusher.sansio.encryption import open_with_key

__all__ = [
    "Connected",
    "Disconnected",
    "Event",
    "Happening",
    "NeedsToken",
    "Problem",
    "Session",
    "Subscribed",
]


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has accepted the connection; it wants a ping after `activity_timeout` seconds."""

    socket_id: str
    activity_timeout: float


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone; `retry_seconds` is None when the server wants nobody back."""

    code: int | None
    reason: str
    retry_seconds: float | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A channel's events come from now on; `members` are the user ids of a presence channel."""

    channel: str
    members: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An event as a page would get it: `data` is JSON's value, or the text if it is no JSON."""

    channel: str | None
    event: str
    data: Any = field(repr=False)
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """The server, or the authorization endpoint, refused something."""

    message: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class NeedsToken:
    """A channel to authorize; answer with `Session.authorized`."""

    channel: str
    socket_id: str


Happening = Connected | Disconnected | Subscribed | Event | Problem

_MEMBER_EVENTS: Final = {
    "pusher_internal:member_added": "pusher:member_added",
    "pusher_internal:member_removed": "pusher:member_removed",
    "pusher_internal:subscription_count": "pusher:subscription_count",
}


class Session:
    """The client's side of one connection to a set of channels."""

    def __init__(self, channels: Iterable[str]) -> None:
        self.channels = tuple(check_channel(name) for name in channels)
        self.socket_id: str | None = None
        self._keys: dict[str, bytes] = {}

    def receive(self, text: str) -> tuple[list[Happening | NeedsToken], list[str]]:
        """What a frame means: happenings and channels to authorize, and frames to send.

        Raises RemoteProtocolError for what is no frame, and for anything else before the handshake.
        """
        frame = _parsed(text)
        name = frame["event"]
        if self.socket_id is None and name not in ("pusher:error", _ESTABLISHED):
            raise RemoteProtocolError(f"the server began with {name!r}: is this a Channels server?")
        return _HANDLERS.get(name, Session._event)(self, frame)

    def authorized(self, channel: str, answer: Mapping[str, Any]) -> list[str]:
        """The frame that subscribes with an authorization answer (section 5.2).

        Raises DecryptionFailed when the answer for an encrypted channel has no key.
        """
        if ChannelKind.of(channel) & ChannelKind.ENCRYPTED:
            self._keys[channel] = _key(channel, answer.get("shared_secret"))
        data = {"auth": answer["auth"], "channel": channel}
        if "channel_data" in answer:
            data["channel_data"] = answer["channel_data"]
        return [_frame("pusher:subscribe", data)]

    def _established(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        data = frame["data"] if isinstance(frame["data"], dict) else {}
        socket_id, timeout = data.get("socket_id"), data.get("activity_timeout")
        if not isinstance(socket_id, str) or not isinstance(timeout, (int, float)):
            raise RemoteProtocolError("the handshake has no socket_id or activity_timeout")
        self.socket_id = socket_id
        needs = [name for name in self.channels if ChannelKind.of(name).needs_authorization]
        frames = [
            _frame("pusher:subscribe", {"auth": "", "channel": name})
            for name in self.channels
            if name not in needs
        ]
        return [
            Connected(socket_id, timeout),
            *(NeedsToken(name, socket_id) for name in needs),
        ], frames

    def _subscribed(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        presence = frame["data"].get("presence") if isinstance(frame["data"], dict) else None
        members = None
        if isinstance(presence, dict):
            # Soketi leaves a member without user_info out of `hash`.
            members = tuple(presence.get("ids") or presence.get("hash") or ())
        return [Subscribed(str(frame.get("channel")), members)], []

    def _refused(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        """Soketi's answer to a wrong token; the service sends a pusher:error."""
        data = frame["data"] if isinstance(frame["data"], dict) else {}
        status = data.get("status")
        message = f"{frame.get('channel')}: {data.get('error') or 'the subscription is refused'}"
        return [Problem(message, status if isinstance(status, int) else None)], []

    def _ping(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        return [], [_frame("pusher:pong", {})]

    def _pong(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        return [], []

    def _error(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        data = frame["data"] if isinstance(frame["data"], dict) else {}
        code = data.get("code")
        message = str(data.get("message") or "the server reported an error")
        return [Problem(message, code if isinstance(code, int) else None)], []

    def _event(self, frame: dict[str, Any]) -> tuple[list[Any], list[str]]:
        channel, data = frame.get("channel"), frame["data"]
        name = _MEMBER_EVENTS.get(frame["event"], frame["event"])
        if channel in self._keys and not name.startswith("pusher"):
            try:
                data = _value(open_with_key(channel, json.dumps(data), self._keys[channel]))
            except DecryptionFailed as error:
                return [Problem(str(error))], []
        return [Event(channel, name, data, frame.get("user_id"))], []


_ESTABLISHED: Final = "pusher:connection_established"
_Handler = Callable[[Session, dict[str, Any]], tuple[list[Any], list[str]]]
_HANDLERS: Final[Mapping[str, _Handler]] = {
    _ESTABLISHED: Session._established,
    "pusher_internal:subscription_succeeded": Session._subscribed,
    "pusher:subscription_error": Session._refused,
    "pusher:ping": Session._ping,
    "pusher:pong": Session._pong,
    "pusher:error": Session._error,
}


def _key(channel: str, shared_secret: Any) -> bytes:
    try:
        return base64.b64decode(shared_secret, validate=True)
    except (TypeError, ValueError):
        raise DecryptionFailed(
            f"the authorization of {channel} has no shared_secret: has the app its master key?"
        ) from None


def ping() -> str:
    """The frame that asks whether the server is still there."""
    return _frame("pusher:ping", {})


def _frame(event: str, data: Mapping[str, Any]) -> str:
    return json.dumps({"event": event, "data": data}, separators=(",", ":"))


def _parsed(text: str) -> dict[str, Any]:
    """A frame with its `data` decoded once, when that is JSON inside a string."""
    frame = _value(text)
    if not isinstance(frame, dict) or not isinstance(frame.get("event"), str):
        raise RemoteProtocolError("the server sent something that is no frame")
    return frame | {"data": _value(frame.get("data"))}


def _value(data: Any) -> Any:
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data)
    except ValueError:
        return data
