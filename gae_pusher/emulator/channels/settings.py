"""What a local Channels server serves: apps with switches and limits, and its own timing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gae_pusher import limits
from gae_pusher.errors import ConfigurationError
from gae_pusher.sansio.signing import Credentials

__all__ = [
    "ALL_WEBHOOK_EVENTS",
    "DEVELOPMENT_APP",
    "WEBHOOK_CATEGORIES",
    "App",
    "AppLimits",
    "Features",
    "Settings",
    "WebhookEndpoint",
    "WebhookTiming",
]

# The dashboard's five kinds of webhook and the event names in each (protocol section 4.3).
WEBHOOK_CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "channel-existence": ("channel_occupied", "channel_vacated"),
    "presence": ("member_added", "member_removed"),
    "client-events": ("client_event",),
    "cache-channels": ("cache_miss",),
    "subscription-count": ("subscription_count",),
}
ALL_WEBHOOK_EVENTS: Final = frozenset(
    name for names in WEBHOOK_CATEGORIES.values() for name in names
)


@dataclass(frozen=True, slots=True)
class Features:
    """What the hosted service switches per app. All of it is on, except the one that refuses.

    `authorized_connections` closes a connection that neither signs in nor subscribes to a
    private or presence channel in time (protocol section 3.14). `tls_only` refuses every
    connection with 4000, since this server speaks no TLS.
    """

    client_events: bool = True
    user_authentication: bool = True
    subscription_counting: bool = True
    watchlist: bool = True
    cache_channels: bool = True
    webhook_batching: bool = True
    authorized_connections: bool = False
    tls_only: bool = False


@dataclass(frozen=True, slots=True)
class AppLimits:
    """The documented limits (protocol section 0), each of which a paid plan can change.

    Lengths are characters, `*_bytes` UTF-8 bytes; `connections` is None for no quota.
    """

    event_data_bytes: int = limits.EVENT_DATA_BYTES
    client_event_data_bytes: int = limits.EVENT_DATA_BYTES
    channels_per_trigger: int = limits.CHANNELS_PER_TRIGGER
    events_per_batch: int = limits.EVENTS_PER_BATCH
    client_events_per_second: int = limits.CLIENT_EVENTS_PER_SECOND
    presence_members: int = limits.PRESENCE_MEMBERS
    presence_user_id_length: int = limits.PRESENCE_USER_ID_LENGTH
    presence_channel_data_bytes: int = limits.PRESENCE_CHANNEL_DATA_BYTES
    watchlist_length: int = limits.WATCHLIST_LENGTH
    cache_seconds: float = limits.CACHE_SECONDS
    connections: int | None = None

    @property
    def request_bytes(self) -> int:
        """The cap on an HTTP API body: a full batch with every character JSON-escaped, and room."""
        return 65_536 + 6 * self.event_data_bytes * self.events_per_batch


@dataclass(frozen=True, slots=True)
class WebhookTiming:
    """When webhooks leave (protocol sections 4.4 to 4.6). All durations are seconds."""

    grace_seconds: float = limits.WEBHOOK_GRACE_SECONDS
    batch_seconds: float = limits.WEBHOOK_BATCH_SECONDS
    batch_events: int = limits.WEBHOOK_BATCH_EVENTS
    timeout_seconds: float = limits.WEBHOOK_TIMEOUT_SECONDS
    retry_seconds: float = limits.WEBHOOK_RETRY_SECONDS
    first_retry_seconds: float = 1
    longest_retry_seconds: float = 60


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A URL and the webhook events that it is sent."""

    url: str
    events: frozenset[str] = ALL_WEBHOOK_EVENTS


@dataclass(frozen=True, slots=True)
class App:
    """One Channels app. The first of its credentials is the oldest: it signs the webhooks."""

    id: str
    credentials: tuple[Credentials, ...]
    webhooks: tuple[WebhookEndpoint, ...] = ()
    features: Features = Features()
    limits: AppLimits = AppLimits()
    enabled: bool = True

    @property
    def key(self) -> str:
        """The key that pages are told to connect with."""
        return self.credentials[0].key

    def secret_of(self, key: str) -> str | None:
        """The secret that belongs to one of the app's keys, or None."""
        return next((c.secret for c in self.credentials if c.key == key), None)


DEVELOPMENT_APP: Final = App("4242", (Credentials("local-key", "local-secret"),))


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server behaves towards every app. All durations are seconds.

    `strict` turns what the service documents nowhere, but is accepted here, into an error.
    `terminate_code` is the close code of terminate_connections, which is not documented.
    """

    strict: bool = False
    activity_timeout_seconds: int = limits.ACTIVITY_TIMEOUT_SECONDS
    ping_after_seconds: float = 60
    pong_timeout_seconds: float = 15
    authorization_timeout_seconds: float = 30
    offline_delay_seconds: float = 0
    terminate_code: int = 4009
    capacity: int = 10_000
    write_buffer_bytes: int = 4_194_304
    frame_bytes: int = 262_144
    log_entries: int = 2_000
    webhook_timing: WebhookTiming = field(default_factory=WebhookTiming)

    def __post_init__(self) -> None:
        if self.activity_timeout_seconds < 1:
            raise ConfigurationError("activity_timeout_seconds must be at least 1: clients insist")
        if not 4000 <= self.terminate_code <= 4299:
            # A code from 4300 on makes clients stay away for ever.
            raise ConfigurationError(f"terminate_code {self.terminate_code} is not 4000 to 4299")
