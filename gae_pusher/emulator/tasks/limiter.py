"""How fast a queue may dispatch: its token bucket, and what a tired worker asks for."""

from __future__ import annotations

from typing import Final

__all__ = ["Throttle", "TokenBucket"]

FIRST_PAUSE_SECONDS: Final = 1
LONGEST_PAUSE_SECONDS: Final = 60


class TokenBucket:
    """Full at first; a dispatch takes a token, `per_second` come back, up to `burst`.

    Kept as the time when it will be full again, so that no rounding adds up.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._full_at = 0.0
        self.change(per_second, burst)

    def change(self, per_second: float, burst: int) -> None:
        """Go on with another rate and size."""
        self._interval = 1 / per_second
        self._slack = (burst - 1) * self._interval

    def ready_at(self) -> float:
        """From when on a token is there, to the microsecond: a float of unix time holds no more."""
        return round(self._full_at - self._slack, 6)

    def take(self, now: float) -> None:
        """Take a token at a time that is not before `ready_at`."""
        self._full_at = max(self._full_at, now) + self._interval


class Throttle:
    """Stops a queue for a while when its workers say that they are overloaded.

    Cloud Tasks does so and does not document for how long: here a second, doubled at each
    further complaint up to a minute, and over with the first other answer.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self._complaints = 0

    def complain(self, now: float, retry_after_seconds: float | None) -> None:
        """A worker is overloaded; it may have said how long to leave it alone."""
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._complaints, 6))
        self._complaints += 1
        self.until = max(self.until, now + max(pause, retry_after_seconds or 0))

    def relax(self) -> None:
        """A worker answered anything else."""
        self._complaints = 0
