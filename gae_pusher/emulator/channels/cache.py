"""The last event of each cache channel, and when its absence is worth a webhook (section 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["CachedEvent", "EventCache"]

# How long one cache_miss webhook stands for further misses of the same channel. The service
# merges them; its window is not documented.
MISS_WINDOW_SECONDS: Final = 1.0
# Channels without subscribers keep their event, so something else must bound the memory.
MOST_CHANNELS: Final = 10_000


@dataclass(frozen=True, slots=True)
class CachedEvent:
    """An event as it was triggered over HTTP, and when it is forgotten."""

    name: str
    data: str
    expires: float

    def ttl(self, now: float) -> int:
        """Whole seconds left."""
        return int(self.expires - now)


class EventCache:
    """Belongs to the app and the channel's name: it outlives the channel's occupancy."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._events: dict[str, CachedEvent] = {}
        self._missed: dict[str, float] = {}

    def store(self, channel: str, name: str, data: str, now: float) -> None:
        """Replace what is kept and start its time anew; the oldest channel gives way."""
        self._events.pop(channel, None)
        self._missed.pop(channel, None)
        self._events[channel] = CachedEvent(name, data, now + self._seconds)
        if len(self._events) > MOST_CHANNELS:
            del self._events[next(iter(self._events))]

    def get(self, channel: str, now: float) -> CachedEvent | None:
        """The kept event, unless its time is over."""
        event = self._events.get(channel)
        if event is not None and event.expires <= now:
            del self._events[channel]
            return None
        return event

    def miss(self, channel: str, now: float) -> bool:
        """Note a subscription that found nothing; True when it is the first in a while."""
        last = self._missed.get(channel)
        if last is not None and now - last < MISS_WINDOW_SECONDS:
            return False
        self._missed.pop(channel, None)
        self._missed[channel] = now
        if len(self._missed) > MOST_CHANNELS:
            del self._missed[next(iter(self._missed))]
        return True
