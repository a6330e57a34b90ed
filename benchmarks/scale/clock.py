"""Simulated time: nothing sleeps, and the same seed gives the same run."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

__all__ = ["Clock"]


class Clock:
    """Runs actions at their times, those of one time in the order in which they were added."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = count()
        self._planned: list[tuple[float, int, Callable[[], object]]] = []

    def at(self, when: float, action: Callable[[], object]) -> None:
        """Run `action` at `when` seconds; a time that has passed means now."""
        heapq.heappush(self._planned, (max(when, self.now), next(self._order), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Run `action` in so many seconds."""
        self.at(self.now + seconds, action)

    def run(self, until: float) -> None:
        """Run everything that is planned up to `until`, and stand there."""
        while self._planned and self._planned[0][0] <= until:
            self.now, _, action = heapq.heappop(self._planned)
            action()
        self.now = until
