"""The server's two times: one for durations, which tests may move forward, and unix time."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """`now` never goes back and can be advanced; `wall` is the computer's unix time."""

    def __init__(self) -> None:
        self.advanced_seconds = 0.0

    def now(self) -> float:
        """Seconds for measuring: grace periods, caches, retries, silence."""
        return time.monotonic() + self.advanced_seconds

    def wall(self) -> float:
        """Unix seconds, for timestamps that others compare with theirs."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} seconds")
        self.advanced_seconds += seconds
