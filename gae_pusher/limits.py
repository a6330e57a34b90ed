"""Every documented number of the Channels service, once. Section numbers are docs/protocol.md's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMITS", "Limits"]

CHANNEL_NAME_LENGTH: Final = 200  # characters with prefix; what the official SDKs accept
CHANNEL_NAME_DOCUMENTED_LENGTH: Final = 164  # what the service's documentation promises
EVENT_NAME_LENGTH: Final = 200  # characters; the official SDKs' check
USER_ID_LENGTH: Final = 200  # characters; signed-in users, the official SDKs' check
PRESENCE_USER_ID_LENGTH: Final = 128  # characters
PRESENCE_CHANNEL_DATA_BYTES: Final = 1024  # UTF-8 bytes of channel_data
PRESENCE_MEMBERS: Final = 100  # distinct user ids in one channel
WATCHLIST_LENGTH: Final = 100  # user ids

EVENT_DATA_BYTES: Final = 10_240  # UTF-8 bytes of `data`, after encryption; more is a 413
CHANNELS_PER_TRIGGER: Final = 100
EVENTS_PER_BATCH: Final = 10
TIMESTAMP_TOLERANCE_SECONDS: Final = 600  # auth_timestamp against the service's clock

CLIENT_EVENTS_PER_SECOND: Final = 10  # per connection
CACHE_SECONDS: Final = 1800  # how long a cache channel keeps its last event
ACTIVITY_TIMEOUT_SECONDS: Final = 120  # what connection_established announces

WEBHOOK_MAX_AGE_SECONDS: Final = 600  # ours; the service retries for 300 s with the old time_ms
WEBHOOK_BODY_BYTES: Final = 1_048_576  # our cap: 20 events of 10 KB, JSON-escaped, fit well
WEBHOOK_TIMEOUT_SECONDS: Final = 4
WEBHOOK_RETRY_SECONDS: Final = 300
WEBHOOK_BATCH_EVENTS: Final = 20
WEBHOOK_BATCH_SECONDS: Final = 0.25
WEBHOOK_GRACE_SECONDS: Final = 3  # channel_vacated and member_removed wait this long

AUTH_FORM_BYTES: Final = 65_536  # our cap on the body of an authorization request
WAITING_EVENTS: Final = 10_000  # ours: more triggers of one NDB context wait for the network
WAITING_BYTES: Final = 16_777_216  # ours: so do more bytes of their data
RESPONSE_BYTES: Final = 16_777_216  # our cap on an answer of the HTTP API
TASK_BYTES: Final = 102_400  # one Cloud Task with its URL, headers and body
TASK_DELAY_SECONDS: Final = 2_592_000  # 30 days: how far ahead a Cloud Task may be scheduled
# Datastore takes entities of 1,048,572 bytes; the rest is for the entry's other properties.
OUTBOX_EVENTS_BYTES: Final = 1_000_000

DEFAULT_TIMEOUT_SECONDS: Final = 5  # what the official SDK waits


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that a dedicated cluster or another server may raise for your app.

    `event_data_bytes` counts UTF-8 bytes after encryption, `channel_data_bytes` those of a presence
    member; `channels_per_trigger` and `events_per_batch` say where a call is split into requests.
    """

    event_data_bytes: int = EVENT_DATA_BYTES
    channels_per_trigger: int = CHANNELS_PER_TRIGGER
    events_per_batch: int = EVENTS_PER_BATCH
    channel_data_bytes: int = PRESENCE_CHANNEL_DATA_BYTES


DEFAULT_LIMITS: Final = Limits()
