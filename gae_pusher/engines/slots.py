"""How many exchanges may be under way, and what they use one after the other."""

from __future__ import annotations

import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from gae_pusher.engines import failures

__all__ = ["Slots"]

T = TypeVar("T")


class Slots(Generic[T]):
    """`limit` places; each may hold an idle thing, and the one used last is used next."""

    def __init__(self, limit: int) -> None:
        self.idle: deque[T] = deque()
        self._limit = limit
        # A queue counts faster than the semaphore of the standard library, which is not in C.
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(limit):
            self._free.put(None)

    def take(self, timeout: float) -> tuple[T | None, float]:
        """An idle thing or None for none, and the seconds left; each `take` needs a `give`.

        Raises TransportTimeout when every place stays in use for `timeout` seconds.
        """
        try:
            self._free.get_nowait()
        except Empty:
            timeout = self._wait(timeout)
        try:
            return self.idle.pop(), timeout
        except IndexError:
            return None, timeout

    def give(self, thing: T | None) -> None:
        """Free the place, and keep the thing there unless it is None."""
        if thing is not None:
            self.idle.append(thing)
        self._free.put(None)

    def _wait(self, timeout: float) -> float:
        started = time.monotonic()
        try:
            self._free.get(timeout=timeout)
        except Empty:
            raise failures.busy(self._limit, timeout) from None
        return timeout - (time.monotonic() - started)
