"""Verifying the tokens inside frames: of a channel and of a user (protocol section 5.4)."""

from __future__ import annotations

from gae_pusher.emulator.channels.refusal import Refusal
from gae_pusher.emulator.channels.settings import App
from gae_pusher.sansio.signing import signature_matches

__all__ = ["check_channel_token", "check_user_token"]


def check_channel_token(
    app: App, auth: str, socket_id: str, channel: str, channel_data: str | None
) -> None:
    """Accept `key:signature` over the socket, the channel and exactly this channel_data, or raise
    Refusal."""
    parts = (socket_id, channel) if channel_data is None else (socket_id, channel, channel_data)
    _check(app, auth, ":".join(parts))


def check_user_token(app: App, auth: str, socket_id: str, user_data: str) -> None:
    """Accept `key:signature` over the socket and exactly this user_data, or raise Refusal."""
    _check(app, auth, f"{socket_id}::user::{user_data}")


def _check(app: App, auth: str, text: str) -> None:
    key, _, signature = auth.partition(":")
    secret = app.secret_of(key)
    if secret is None:
        raise Refusal(f"Invalid key in subscription auth data: '{key}'")
    if not signature_matches(secret, text, signature):
        raise Refusal(
            f"Invalid signature: Expected HMAC SHA256 hex digest of {text}, but got {signature}"
        )
