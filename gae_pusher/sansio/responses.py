"""What an answer of the HTTP API means: a value, or one of our errors (protocol section 1.1)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final, TypedDict

from gae_pusher.errors import (
    AuthenticationError,
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    RemoteProtocolError,
    RequestTooLarge,
    ResponseError,
    ServerError,
    UnexpectedStatus,
)
from gae_pusher.sansio.http import Response

__all__ = [
    "CacheInfo",
    "ChannelInfo",
    "ChannelsInfo",
    "UserInfo",
    "UsersInfo",
    "error_for",
    "json_object",
    "too_large",
]


class CacheInfo(TypedDict):
    """The last event of a cache channel: its data as triggered, and whole seconds left."""

    data: str
    ttl: int


class ChannelInfo(TypedDict, total=False):
    """What the service says about one channel; attributes that do not apply are absent."""

    occupied: bool
    user_count: int
    subscription_count: int
    cache: CacheInfo | None


class ChannelsInfo(TypedDict):
    """The occupied channels by name."""

    channels: dict[str, ChannelInfo]


class UserInfo(TypedDict):
    """One user of a presence channel."""

    id: str


class UsersInfo(TypedDict):
    """The distinct users of a presence channel."""

    users: list[UserInfo]


_ERRORS: Final[dict[int, tuple[type[ResponseError], str]]] = {
    400: (BadRequest, "to send it again would not help"),
    401: (AuthenticationError, "check the secret, and this machine's clock"),
    403: (Forbidden, "the app is disabled or over its message quota"),
    404: (NotFound, "check the host and the app id"),
    429: (RateLimited, "slow down"),
}
_UNKNOWN_KEY: Final = "Unknown auth_key"  # a 400, where other services have a 401
_SHOWN_CHARACTERS: Final = 300


def json_object(response: Response, decoder: type[json.JSONDecoder]) -> dict[str, Any]:
    """The JSON object of a successful answer; an empty body counts as an empty object.

    Raises the ResponseError that belongs to the status, and RemoteProtocolError when a success
    does not hold a JSON object: whether the request had its effect is then unknown.
    """
    if not 200 <= response.status < 300:
        raise error_for(response)
    if not response.body:
        return {}
    try:
        value = _load(response.body.decode(), decoder)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RemoteProtocolError(
            f"the service answered {response.status} with {len(response.body)} bytes that are "
            "no JSON object: is this a Channels API?"
        )
    if value.keys() == {"error", "code"} and isinstance(value["code"], int):
        # Soketi refuses with status 200; the one that it means stands in the body.
        raise error_for(replace(response, status=value["code"]))
    return value


def _load(text: str, decoder: type[json.JSONDecoder]) -> Any:
    """Python keeps one decoder for who names none, and makes another for each text otherwise."""
    return json.loads(text) if decoder is json.JSONDecoder else json.loads(text, cls=decoder)


def error_for(response: Response) -> ResponseError:
    """The error that a status stands for, with the service's own words in it."""
    kind, hint = _kind(response.status)
    body = _text(response)
    if response.status == 400 and _UNKNOWN_KEY in body:
        hint = "a wrong key, or a wrong cluster"
    return kind(_told(response.status, body, hint), status=response.status, body=body)


def too_large(response: Response, size: int, limit: int) -> RequestTooLarge:
    """The error of a 413: what was sent, in bytes, and what we thought an event's data may have."""
    hint = (
        f"the request has {size} bytes, the configured limit for an event's data is {limit}: send "
        "less, or a reference to it, and set limits= to the service's own"
    )
    body = _text(response)
    told = _told(response.status, body, hint)
    return RequestTooLarge(told, status=response.status, body=body, size=size, limit=limit)


def _text(response: Response) -> str:
    return response.body.decode("utf-8", "replace").strip()


def _told(status: int, body: str, hint: str) -> str:
    said = f": {_shortened(body)}" if body else ""
    return f"the service answered {status}{said} ({hint})"


def _kind(status: int) -> tuple[type[ResponseError], str]:
    if status in _ERRORS:
        return _ERRORS[status]
    if status >= 500:
        return ServerError, "trouble at the service, try again later"
    if 300 <= status < 400:
        return UnexpectedStatus, "redirects are not followed: configure the host it points to"
    return UnexpectedStatus, "not a status of the Channels API"


def _shortened(text: str) -> str:
    """Without the second half of a 401's text: it quotes the signature that we sent."""
    text = text.partition(", but you sent")[0]
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
