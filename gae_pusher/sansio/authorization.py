"""Tokens for browsers: authorize a channel, authenticate a user (protocol section 5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from gae_pusher import limits, names
from gae_pusher.config import Config
from gae_pusher.errors import InvalidRequest, InvalidUserId
from gae_pusher.names import ChannelKind
from gae_pusher.sansio import encryption, messages
from gae_pusher.sansio.signing import sign

__all__ = ["ChannelAuthorization", "UserAuthentication", "authenticate_user", "authorize_channel"]


class _Token(TypedDict):
    auth: str


class ChannelAuthorization(_Token, total=False):
    """The answer of a channel-authorization endpoint; every value is a str."""

    channel_data: str
    shared_secret: str


class UserAuthentication(_Token):
    """The answer of a user-authentication endpoint; `user_data` is the text that was signed."""

    user_data: str


def authorize_channel(
    config: Config, channel: str, socket_id: str, custom_data: Mapping[str, Any] | str | None = None
) -> ChannelAuthorization:
    """The token with which one connection may subscribe to one channel.

    `custom_data` identifies the member of a presence channel, {"user_id": ..., "user_info": ...};
    leave it out for a connection that has signed in. A str is signed as it stands.
    Raises InvalidChannelName, InvalidSocketId, InvalidUserId, PayloadTooLarge, MissingMasterKey.
    """
    names.check_authorizable_channel(channel)
    signed = f"{names.check_socket_id(socket_id)}:{channel}"
    answer: ChannelAuthorization = {"auth": ""}
    kind = ChannelKind.of(channel)
    if custom_data is not None:
        answer["channel_data"] = _channel_data(config, kind, custom_data)
        signed += ":" + answer["channel_data"]
    if kind & ChannelKind.ENCRYPTED:
        answer["shared_secret"] = encryption.shared_secret(channel, config.encryption_master_key)
    answer["auth"] = _token(config, signed)
    return answer


def authenticate_user(
    config: Config, socket_id: str, user_data: Mapping[str, Any] | str
) -> UserAuthentication:
    """The token with which one connection signs in as a user.

    `user_data` is {"id": ..., "user_info": ..., "watchlist": [...]}; only `id` is required.
    Raises InvalidSocketId, InvalidUserId, and InvalidRequest for a watchlist of over 100 ids.
    """
    names.check_socket_id(socket_id)
    text = _with_text_id(config, user_data, "id", "user_data", _check_user)
    messages.utf8_size(text, "user_data")
    return {"auth": _token(config, f"{socket_id}::user::{text}"), "user_data": text}


def _token(config: Config, signed: str) -> str:
    return f"{config.key}:{sign(config.secret, signed)}"


def _channel_data(config: Config, kind: ChannelKind, data: Mapping[str, Any] | str) -> str:
    if not kind & ChannelKind.PRESENCE:
        text = messages.to_text(data, messages.dumper(config.json_encoder), "custom_data")
        messages.utf8_size(text, "custom_data")
        return text
    text = _with_text_id(config, data, "user_id", "custom_data", _check_member)
    limit = config.limits.channel_data_bytes
    messages.check_size(text, limit, "custom_data", "put less into user_info")
    return text


def _with_text_id(
    config: Config,
    data: Mapping[str, Any] | str,
    id_name: str,
    what: str,
    check: Callable[[Mapping[str, Any]], None],
) -> str:
    """The JSON to sign. An int as id becomes text: every client library expects a str."""
    fields = _parsed(data, what) if isinstance(data, str) else data
    if not isinstance(fields, Mapping) or id_name not in fields:
        raise InvalidUserId(f"{what} must be a dict with {id_name!r}")
    value = fields[id_name]
    if isinstance(value, int) and not isinstance(value, bool) and not isinstance(data, str):
        fields = {**fields, id_name: str(value)}
    check(fields)
    if isinstance(data, str):
        return data
    return messages.to_text(dict(fields), messages.dumper(config.json_encoder), what)


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"{what} is a str that holds no JSON") from None


def _check_member(fields: Mapping[str, Any]) -> None:
    user_id = fields["user_id"]
    if not isinstance(user_id, str) or not user_id:
        raise InvalidUserId("user_id of custom_data must be a non-empty str")
    if len(user_id) > limits.PRESENCE_USER_ID_LENGTH:
        raise InvalidUserId(
            f"user_id of custom_data has {len(user_id)} characters, "
            f"the limit is {limits.PRESENCE_USER_ID_LENGTH}"
        )


def _check_user(fields: Mapping[str, Any]) -> None:
    names.check_user_id(fields["id"])
    watchlist = fields.get("watchlist", ())
    if not isinstance(watchlist, (list, tuple)) or not all(isinstance(id, str) for id in watchlist):
        raise InvalidRequest("watchlist of user_data must be a list of str")
    if len(watchlist) > limits.WATCHLIST_LENGTH:
        raise InvalidRequest(
            f"watchlist of user_data has {len(watchlist)} ids, "
            f"the limit is {limits.WATCHLIST_LENGTH}"
        )
