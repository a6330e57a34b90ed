"""When a silent connection is pinged and when it is given up (protocol section 3.4)."""

from __future__ import annotations

from enum import Enum, auto

from gae_pusher.emulator.channels.settings import Settings

__all__ = ["Keepalive", "Step"]


class Step(Enum):
    """What to do about a connection's silence."""

    WAIT = auto()
    PING = auto()
    DROP = auto()


class Keepalive:
    """Any frame counts as life. Silence leads to one ping, further silence to the end."""

    def __init__(self, settings: Settings, now: float) -> None:
        self._ping_after = settings.ping_after_seconds
        self._pong_timeout = settings.pong_timeout_seconds
        self._heard = now
        self._pinged: float | None = None

    def heard(self, now: float) -> None:
        """A frame arrived, of any kind."""
        self._heard = now
        self._pinged = None

    def due(self) -> float:
        """When to ask `check` again."""
        if self._pinged is not None:
            return self._pinged + self._pong_timeout
        return self._heard + self._ping_after

    def check(self, now: float) -> Step:
        """Decide. PING means that the caller now pings."""
        if now < self.due():
            return Step.WAIT
        if self._pinged is not None:
            return Step.DROP
        self._pinged = now
        return Step.PING
