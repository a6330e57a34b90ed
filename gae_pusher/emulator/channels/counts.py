"""When a changed subscription count is told: at once, or every 5 s if busy (section 3.7)."""

from __future__ import annotations

from typing import Final

from gae_pusher.emulator.channels.timers import Timers

__all__ = ["CountThrottle"]

BUSY_SUBSCRIBERS: Final = 100
BUSY_SECONDS: Final = 5.0


class CountThrottle:
    """Decides for each change of each channel whether its count goes out now or later."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._later: Timers[str] = Timers()

    def changed(self, channel: str, count: int, now: float) -> bool:
        """Note a change; True when the count is to be told now."""
        quiet_until = self._told.get(channel, now) + BUSY_SECONDS
        if count > BUSY_SUBSCRIBERS and channel in self._told and now < quiet_until:
            if channel not in self._later:
                self._later.set(channel, quiet_until)
            return False
        self._later.cancel(channel)
        self._note(channel, count, now)
        return True

    def next_due(self) -> float | None:
        """When a count that was held back is to be told."""
        return self._later.next_due()

    def pop_due(self, now: float) -> list[str]:
        """The channels whose count is to be told now."""
        channels = self._later.pop_due(now)
        for channel in channels:
            self._told[channel] = now
        return channels

    def _note(self, channel: str, count: int, now: float) -> None:
        if count > BUSY_SUBSCRIBERS:
            self._told[channel] = now
        else:
            self._told.pop(channel, None)
