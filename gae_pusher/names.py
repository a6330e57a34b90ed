"""Names on the wire: channels, events, users, socket ids, and what a channel's prefix means."""

from __future__ import annotations

import re
import warnings
from enum import Flag, auto
from typing import Final

from gae_pusher import limits
from gae_pusher.errors import (
    InvalidChannelName,
    InvalidEventName,
    InvalidRequest,
    InvalidSocketId,
    InvalidUserId,
)

__all__ = [
    "CLIENT_EVENT_PREFIX",
    "RESERVED_EVENT_PREFIXES",
    "SERVER_TO_USER_PREFIX",
    "ChannelKind",
    "check_authorizable_channel",
    "check_channel",
    "check_event",
    "check_path_segment",
    "check_socket_id",
    "check_user_id",
    "is_encrypted",
    "server_to_user_channel",
]

SERVER_TO_USER_PREFIX: Final = "#server-to-user-"
CLIENT_EVENT_PREFIX: Final = "client-"
RESERVED_EVENT_PREFIXES: Final = ("pusher:", "pusher_internal:")

_ENCRYPTED_PREFIX: Final = "private-encrypted-"
_ALPHABET: Final = "A-Z a-z 0-9 _ - = @ , . ;"
_NAME: Final = re.compile(r"[A-Za-z0-9_\-=@,.;]+")
_SOCKET_ID: Final = re.compile(r"[0-9]+\.[0-9]+")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class ChannelKind(Flag):
    """What the start of a channel's name says about it (protocol section 2)."""

    PUBLIC = 0
    PRIVATE = auto()
    PRESENCE = auto()
    ENCRYPTED = auto()
    CACHE = auto()
    SERVER_TO_USER = auto()

    @classmethod
    def of(cls, channel: str) -> ChannelKind:
        """The kind of a channel name, by its longest known prefix; PUBLIC when it has none."""
        for prefix, kind in _PREFIXES:
            if channel.startswith(prefix):
                return kind
        return cls.PUBLIC

    @property
    def needs_authorization(self) -> bool:
        """Whether a subscriber must bring a token: private, encrypted and presence channels."""
        return bool(self & (ChannelKind.PRIVATE | ChannelKind.PRESENCE))


# Longest first: the first match wins. `presence-encrypted-` and `cache-private-` mean nothing more
# than their first word.
_PREFIXES: Final = (
    (
        "private-encrypted-cache-",
        ChannelKind.PRIVATE | ChannelKind.ENCRYPTED | ChannelKind.CACHE,
    ),
    ("private-encrypted-", ChannelKind.PRIVATE | ChannelKind.ENCRYPTED),
    ("private-cache-", ChannelKind.PRIVATE | ChannelKind.CACHE),
    ("private-", ChannelKind.PRIVATE),
    ("presence-cache-", ChannelKind.PRESENCE | ChannelKind.CACHE),
    ("presence-", ChannelKind.PRESENCE),
    ("cache-", ChannelKind.CACHE),
    (SERVER_TO_USER_PREFIX, ChannelKind.SERVER_TO_USER),
)


def is_encrypted(channel: str) -> bool:
    """Whether a channel is end-to-end encrypted; every trigger asks, so it has to be quick."""
    return channel.startswith(_ENCRYPTED_PREFIX)


def check_channel(name: object) -> str:
    """Return a channel name that may be triggered to or asked about.

    Letters, digits and `_-=@,.;`, at most 200 characters, or `#server-to-user-` and a user id.
    Warns, once for each line that calls it, above the 164 characters that the service documents.
    Raises InvalidChannelName, and InvalidUserId for the user id.
    """
    text = _text(name, "channel name", InvalidChannelName)
    if text.startswith(SERVER_TO_USER_PREFIX):
        check_user_id(text.removeprefix(SERVER_TO_USER_PREFIX))
        return text
    _check(text, "channel name", limits.CHANNEL_NAME_LENGTH, InvalidChannelName)
    if len(text) > limits.CHANNEL_NAME_DOCUMENTED_LENGTH:
        # Without the name: Python remembers every text that it has warned of.
        warnings.warn(
            f"a channel name has more than {limits.CHANNEL_NAME_DOCUMENTED_LENGTH} characters, "
            "which is what the service documents",
            stacklevel=2,
        )
    return text


def check_authorizable_channel(name: object) -> str:
    """Return a name for which a token may be signed: a private or presence channel.

    Raises InvalidChannelName for every other kind: a public channel needs no token, and
    signing `#server-to-user-` would let one user read another's events (section 5.3).
    """
    channel = _text(name, "channel name", InvalidChannelName)
    if not ChannelKind.of(channel).needs_authorization:
        raise InvalidChannelName(
            f"channel {_shown(channel)} needs no authorization: only names that start with "
            "'private-' or 'presence-' do"
        )
    return check_channel(channel)


def check_event(name: object) -> str:
    """Return an event name: 1 to 200 characters, not the service's own. Raises InvalidEventName."""
    text = _text(name, "event name", InvalidEventName)
    if len(text) > limits.EVENT_NAME_LENGTH:
        raise _too_long(text, "event name", limits.EVENT_NAME_LENGTH, InvalidEventName)
    if not text.isascii() and _SURROGATE.search(text):
        raise InvalidEventName(f"event name {_shown(text)} has a lone surrogate and is no Unicode")
    if text.startswith(RESERVED_EVENT_PREFIXES):
        raise InvalidEventName(
            f"event name {_shown(text)} is reserved: "
            "'pusher:' and 'pusher_internal:' are the service's"
        )
    return text


def check_socket_id(socket_id: object) -> str:
    """Return a socket id, digits-dot-digits as the browser got it. Raises InvalidSocketId."""
    text = _text(socket_id, "socket id", InvalidSocketId)
    if not _SOCKET_ID.fullmatch(text):
        raise InvalidSocketId(
            f"socket id {_shown(text)} is not digits, a dot, digits: "
            "pass pusher.connection.socket_id of the page"
        )
    return text


def check_user_id(user_id: object) -> str:
    """Return a signed-in user's id: 1 to 200 of a channel's characters. Raises InvalidUserId."""
    text = _text(user_id, "user id", InvalidUserId)
    return _check(text, "user id", limits.USER_ID_LENGTH, InvalidUserId)


def check_path_segment(name: str, error: type[InvalidRequest]) -> str:
    """Return a checked name that can stand in a path: the signed path must be the sent one.

    Raises `error` for `.` and `..`, which every HTTP client resolves away.
    """
    if name in (".", ".."):
        raise error(f"{name!r} cannot stand in the path of a URL")
    return name


def server_to_user_channel(user_id: object) -> str:
    """The reserved channel that reaches every connection signed in as that user."""
    return SERVER_TO_USER_PREFIX + check_user_id(user_id)


def _text(value: object, what: str, error: type[InvalidRequest]) -> str:
    if not isinstance(value, str):
        raise error(f"{what} must be a str, not {type(value).__name__}")
    if not value:
        raise error(f"{what} is empty")
    return value


def _check(text: str, what: str, limit: int, error: type[InvalidRequest]) -> str:
    if len(text) > limit:
        raise _too_long(text, what, limit, error)
    if not _NAME.fullmatch(text):
        raise error(f"{what} {_shown(text)} has a character outside {_ALPHABET}")
    return text


def _too_long(text: str, what: str, limit: int, error: type[InvalidRequest]) -> InvalidRequest:
    return error(f"{what} {_shown(text)} has {len(text)} characters, the limit is {limit}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
