"""What is due next: tasks by their time, those of the same time in the order they came."""

from __future__ import annotations

import heapq
from itertools import count

from gae_pusher.emulator.tasks.task import State, Task

__all__ = ["Schedule"]


class Schedule:
    """Tasks that wait. One that was put again, deleted or started is passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Task]] = []
        self._order = count(1)

    def put(self, task: Task) -> None:
        """Have a task wait for its time."""
        task.order = next(self._order)
        heapq.heappush(self._heap, (task.scheduled, task.order, task))

    def first(self) -> Task | None:
        """The task that is due first."""
        while self._heap:
            _, order, task = self._heap[0]
            if task.order == order and task.state is State.SCHEDULED:
                return task
            heapq.heappop(self._heap)
        return None
