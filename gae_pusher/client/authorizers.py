"""Where tokens come from: the app's own secret, or an authorization endpoint."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp

from gae_pusher.config import Config
from gae_pusher.errors import TransportError, UnexpectedStatus
from gae_pusher.names import ChannelKind
from gae_pusher.sansio.authorization import authorize_channel

__all__ = ["Authorize", "by_endpoint", "by_key"]

# From a channel and a socket id to an authorization answer (protocol section 5.2).
Authorize = Callable[[str, str], Awaitable[Mapping[str, Any]]]

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


def by_key(config: Config, user_id: str) -> Authorize:
    """Tokens signed here with the app's secret; `user_id` is the member of presence channels."""

    async def authorize(channel: str, socket_id: str) -> Mapping[str, Any]:
        presence = ChannelKind.of(channel) & ChannelKind.PRESENCE
        custom_data = {"user_id": user_id} if presence else None
        return authorize_channel(config, channel, socket_id, custom_data)

    return authorize


def by_endpoint(url: str, headers: Mapping[str, str]) -> Authorize:
    """Tokens from an endpoint, asked as pusher-js asks it; `headers` may carry a session.

    Raises UnexpectedStatus when it answers anything but 200 and JSON, and TransportError.
    """

    async def authorize(channel: str, socket_id: str) -> Mapping[str, Any]:
        form = {"socket_id": socket_id, "channel_name": channel}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(url, data=form, headers=headers, allow_redirects=False) as answer,
            ):
                return _answer(url, channel, answer.status, await answer.text())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TransportError(f"{url} does not answer: {type(error).__name__}") from error

    return authorize


def _answer(url: str, channel: str, status: int, text: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if status != 200 or not isinstance(answer, dict) or not isinstance(answer.get("auth"), str):
        raise UnexpectedStatus(
            f"{url} answered {status} and no token for {channel}: may this session join it?",
            status=status,
        )
    return answer
