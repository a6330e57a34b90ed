"""Modelled Cloud Tasks: queues that dispatch at a limited rate, and no task twice by name."""

from __future__ import annotations

from benchmarks.scale import numbers
from benchmarks.scale.lane import Lane, steady

__all__ = ["ModelledTasks"]


class ModelledTasks:
    """Queues that share the tasks evenly; a dispatch waits for its queue's rate."""

    def __init__(self, queues: int = 1) -> None:
        self._lane = Lane(steady(queues * numbers.QUEUE_DISPATCHES_PER_SECOND))
        self.operations = 0

    def dispatched_in(self, now: float, count: int) -> float:
        """Seconds from the schedule time of `count` tasks until the last is dispatched."""
        self.operations += count
        return numbers.TASK_SECONDS + self._lane.take(now, count)
