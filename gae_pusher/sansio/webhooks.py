"""A webhook that arrived: verified first, parsed then (protocol section 4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gae_pusher import limits
from gae_pusher.errors import (
    DecryptionFailed,
    MalformedWebhook,
    MissingHeader,
    SignatureMismatch,
    StaleWebhook,
    UnknownKey,
    WebhookError,
)
from gae_pusher.names import ChannelKind
from gae_pusher.sansio.encryption import open_envelope
from gae_pusher.sansio.signing import signature_matches

if TYPE_CHECKING:
    from gae_pusher.sansio.events import WebhookEvent

__all__ = ["Webhook"]

_TIME_MS_LIMIT = 1 << 53  # what JSON numbers hold exactly everywhere


@dataclass(frozen=True, slots=True)
class Webhook:
    """One delivery: the raw `body`, and what the headers X-Pusher-Key and X-Pusher-Signature said.

    `keys` maps every live key to its secret; `now` is the time of arrival in unix seconds.
    Nothing of the body is parsed before its signature was found to hold.
    """

    body: bytes = field(repr=False)
    key: str | None
    signature: str | None = field(repr=False)
    keys: Mapping[str, str] = field(repr=False)
    now: float
    max_age_seconds: float = limits.WEBHOOK_MAX_AGE_SECONDS
    encryption_master_key: bytes | None = field(default=None, repr=False)
    decoder: type[json.JSONDecoder] = json.JSONDecoder

    def valid(self) -> bool:
        """Whether this is an authentic, recent and well-formed webhook of one of our apps."""
        try:
            self.verify()
        except WebhookError:
            return False
        return True

    def verify(self) -> dict[str, Any]:
        """The whole envelope, {"time_ms": ..., "events": [...]}, as the service sent it.

        Raises MissingHeader, UnknownKey, SignatureMismatch, MalformedWebhook, StaleWebhook.
        """
        self._check_signature()
        envelope = self._envelope()
        age = self.now - envelope["time_ms"] / 1000
        if abs(age) > self.max_age_seconds:
            away = "old" if age > 0 else "ahead of this clock"
            raise StaleWebhook(
                f"the webhook is {abs(age):.0f} seconds {away}, the window is "
                f"{self.max_age_seconds:.0f}: a replay, or a wrong clock",
                age_seconds=age,
            )
        return envelope

    def events(self) -> list[dict[str, Any]]:
        """The events as dicts, each with its `name`. Raises what `verify` raises."""
        return [self._decrypted(event) for event in self.verify()["events"]]

    def typed_events(self) -> list[WebhookEvent]:
        """The events as values: ChannelOccupied, MemberAdded... Raises what `verify` raises."""
        from gae_pusher.sansio.events import event_from_fields

        return [event_from_fields(event) for event in self.events()]

    def _check_signature(self) -> None:
        if not self.key:
            raise MissingHeader("the request has no X-Pusher-Key header", header="X-Pusher-Key")
        if not self.signature:
            raise MissingHeader(
                "the request has no X-Pusher-Signature header", header="X-Pusher-Signature"
            )
        secret = self.keys.get(self.key)
        if secret is None:
            raise UnknownKey("X-Pusher-Key names a key that this app does not have")
        if not signature_matches(secret, self.body, self.signature):
            raise SignatureMismatch("X-Pusher-Signature is not the signature of this body")

    def _envelope(self) -> dict[str, Any]:
        try:
            envelope = json.loads(self.body, cls=self.decoder)
        except (ValueError, RecursionError):
            raise MalformedWebhook("the webhook's body is no JSON") from None
        if not isinstance(envelope, dict):
            raise MalformedWebhook("the webhook's body is no JSON object")
        time_ms = envelope.get("time_ms")
        if type(time_ms) is not int or not 0 <= time_ms < _TIME_MS_LIMIT:
            raise MalformedWebhook("the webhook has no time_ms, unix milliseconds")
        events = envelope.get("events")
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise MalformedWebhook("the webhook has no list of events")
        return envelope

    def _decrypted(self, event: dict[str, Any]) -> dict[str, Any]:
        """Only a client event has data; one that is no envelope of ours stays as it came."""
        channel, data = event.get("channel"), event.get("data")
        if self.encryption_master_key is None or event.get("name") != "client_event":
            return event
        if not isinstance(channel, str) or not isinstance(data, str):
            return event
        if not ChannelKind.of(channel) & ChannelKind.ENCRYPTED:
            return event
        try:
            return {**event, "data": open_envelope(channel, data, self.encryption_master_key)}
        except DecryptionFailed:
            return event
