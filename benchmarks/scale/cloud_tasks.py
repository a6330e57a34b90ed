"""Modelled Cloud Tasks: queues that dispatch at a limited rate, and what they call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from benchmarks.scale import numbers
from benchmarks.scale.clock import Clock

__all__ = ["ModelledTasks"]

PULSE_SECONDS = 0.5  # tasks leave in bunches: the queue's rate is kept, its rhythm is coarser

Count = Callable[[str], int]
Handle = Callable[[str, int], None]


class ModelledTasks:
    """Queues that share the tasks evenly, as one of their common rate.

    One call of `add` stands for as many tasks as `count` says that the entry stands for; `handle`
    gets the entry and how many of its tasks are dispatched now.
    """

    def __init__(self, clock: Clock, per_second: float, count: Count, handle: Handle) -> None:
        self._clock = clock
        self._bunch = per_second * PULSE_SECONDS
        self._count = count
        self._handle = handle
        self._waiting: deque[tuple[str, int]] = deque()
        self._credit = 0.0
        self.operations = 0
        clock.after(PULSE_SECONDS, self._pulse)

    def add(self, task: str, payload: Any, *, delay_seconds: float, name: str) -> None:
        """The outbox's seam to a queue."""
        self.put(payload["entry"], delay_seconds)

    def put(self, entry: str, delay_seconds: float) -> None:
        """Tasks for all that the entry stands for, due after a delay."""
        count = self._count(entry)
        self.operations += count
        delay = numbers.TASK_SECONDS + delay_seconds
        self._clock.after(delay, lambda: self._waiting.append((entry, count)))

    @property
    def waiting(self) -> int:
        """Tasks that are due and not dispatched."""
        return sum(count for _, count in self._waiting)

    def _pulse(self) -> None:
        self._credit = min(self._credit, self._bunch) + self._bunch
        while self._waiting and self._credit >= 1:
            entry, tasks = self._waiting.popleft()
            now = min(tasks, int(self._credit))
            if now < tasks:
                self._waiting.appendleft((entry, tasks - now))
            self._credit -= now
            self.operations += now
            self._handle(entry, now)
        self._clock.after(PULSE_SECONDS, self._pulse)
