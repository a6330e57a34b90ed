"""Which webhooks leave, when, and with what in them (protocol section 4). Decisions only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from gae_pusher.emulator.channels.effects import WebhookEvent
from gae_pusher.emulator.channels.grace import Occupancy, Subject
from gae_pusher.emulator.channels.json_text import dumps
from gae_pusher.emulator.channels.settings import App, WebhookEndpoint, WebhookTiming
from gae_pusher.sansio.signing import sign

__all__ = ["Delivery", "Webhooks", "retry_after"]

_ARRIVALS = ("channel_occupied", "member_added")
_DEPARTURES = ("channel_vacated", "member_removed")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook, signed once: every attempt repeats these bytes. `created` is the core's time."""

    id: str
    app_id: str
    url: str
    key: str
    signature: str
    body: bytes
    created: float

    @property
    def headers(self) -> dict[str, str]:
        """Spelled as some receivers insist: PHP's helper looks them up case-sensitively."""
        return {
            "Content-Type": "application/json",
            "X-Pusher-Key": self.key,
            "X-Pusher-Signature": self.signature,
        }


class _Batch:
    """The events that wait for one endpoint."""

    def __init__(self, endpoint: WebhookEndpoint) -> None:
        self.endpoint = endpoint
        self.events: list[WebhookEvent] = []
        self.since = 0.0

    def add(self, event: WebhookEvent, now: float) -> None:
        if not self.events:
            self.since = now
        self.events.append(event)

    def take(self, most: int) -> list[WebhookEvent]:
        taken, self.events = self.events[:most], self.events[most:]
        return taken


class Webhooks:
    """Turns what happens to one app into deliveries: grace period, then batching per URL."""

    def __init__(self, app: App, timing: WebhookTiming) -> None:
        self._app = app
        self._occupancy = Occupancy(timing.grace_seconds)
        batching = app.features.webhook_batching
        self._wait = timing.batch_seconds if batching else 0.0
        self._most = timing.batch_events if batching else 1
        self._batches = [_Batch(endpoint) for endpoint in app.webhooks]
        self._ids = count(1)

    def arrived(self, subject: Subject, now: float) -> None:
        """A channel became occupied or a member was added."""
        if self._occupancy.arrived(subject):
            self.notify(_event(subject, _ARRIVALS), now)

    def left(self, subject: Subject, now: float) -> None:
        """A channel emptied or a member is gone: told after the grace period, if still true."""
        self._occupancy.left(subject, now)

    def notify(self, event: WebhookEvent, now: float) -> None:
        """Hand an event to every endpoint that is sent its kind."""
        for batch in self._batches:
            if event["name"] in batch.endpoint.events:
                batch.add(event, now)

    def next_due(self) -> float | None:
        """When `pop_due` has something to do."""
        due = [self._due(batch) for batch in self._batches if batch.events]
        grace = self._occupancy.next_due()
        return min([*due, *([] if grace is None else [grace])], default=None)

    def pop_due(self, now: float, time_ms: int) -> list[Delivery]:
        """The deliveries to send now; `time_ms` is the unix time in milliseconds they will bear."""
        for subject in self._occupancy.pop_due(now):
            self.notify(_event(subject, _DEPARTURES), now)
        deliveries = []
        for batch in self._batches:
            while batch.events and self._due(batch) <= now:
                events = batch.take(self._most)
                deliveries.append(self._delivery(batch.endpoint.url, events, now, time_ms))
        return deliveries

    def _due(self, batch: _Batch) -> float:
        full = len(batch.events) >= self._most
        return batch.since if full else batch.since + self._wait

    def _delivery(self, url: str, events: list[WebhookEvent], now: float, time_ms: int) -> Delivery:
        body = dumps({"time_ms": time_ms, "events": events}).encode()
        oldest = self._app.credentials[0]
        signature = sign(oldest.secret, body)
        number = f"{self._app.id}-{next(self._ids)}"
        return Delivery(number, self._app.id, url, oldest.key, signature, body, now)


def retry_after(attempts: int, age_seconds: float, timing: WebhookTiming) -> float | None:
    """Seconds to wait after that many failed attempts, or None to give up.

    Doubling, capped, as long as the next attempt falls into the retry window (section 4.6).
    """
    wait = min(
        timing.first_retry_seconds * 2.0 ** min(attempts - 1, 30), timing.longest_retry_seconds
    )
    return wait if age_seconds + wait <= timing.retry_seconds else None


def _event(subject: Subject, names: tuple[str, str]) -> WebhookEvent:
    channel, user_id = subject
    if user_id is None:
        return {"name": names[0], "channel": channel}
    return {"name": names[1], "channel": channel, "user_id": user_id}
