"""Deadlines on a given clock: set, cancelled, and taken out when they are due."""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from itertools import count
from typing import Generic, TypeVar

__all__ = ["Timers"]

K = TypeVar("K", bound=Hashable)


class Timers(Generic[K]):
    """At most one deadline per key. Cancelled ones stay in the heap until they come up."""

    def __init__(self) -> None:
        self._deadlines: dict[K, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = count()

    def __contains__(self, key: K) -> bool:
        return key in self._deadlines

    def set(self, key: K, when: float) -> None:
        """Give a key a deadline, in place of any it had."""
        order = next(self._order)
        self._deadlines[key] = (when, order)
        heapq.heappush(self._heap, (when, order, key))

    def cancel(self, key: K) -> bool:
        """Forget a key's deadline; whether there was one."""
        return self._deadlines.pop(key, None) is not None

    def next_due(self) -> float | None:
        """The earliest deadline."""
        while self._heap:
            when, order, key = self._heap[0]
            if self._deadlines.get(key) == (when, order):
                return when
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: float) -> list[K]:
        """Take out the keys whose deadline has come, earliest first."""
        due = []
        while (when := self.next_due()) is not None and when <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._deadlines[key]
            due.append(key)
        return due
