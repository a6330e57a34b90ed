"""The way over Cloud Tasks, for entries that could not be sent."""

from __future__ import annotations

import logging
from typing import Any, Final, Protocol

from gae_pusher.errors import PusherError

__all__ = ["DELIVER", "Fallback", "Queue"]

logger = logging.getLogger("gae_pusher")

DELIVER: Final = "deliver"  # the name of the task that OutboxApp handles


class Queue(Protocol):
    """What takes over when the immediate send failed; gae_pusher.TaskQueue is one."""

    def add(self, task: str, payload: Any, *, delay_seconds: float, name: str) -> Any:
        """Have `payload` posted to OutboxApp after `delay_seconds`, once for each `name`."""


class Fallback:
    """Adds tasks to a queue; without one it leaves everything to the sweep."""

    def __init__(self, queue: Queue | None) -> None:
        self._queue = queue

    def add(self, entry: str, attempt: int, delay_seconds: float) -> bool:
        """Have the attempt after number `attempt` made; False when the sweep has to do it."""
        if self._queue is None:
            return False
        payload, name = {"entry": entry}, f"{entry}-{attempt}"
        try:
            self._queue.add(DELIVER, payload, delay_seconds=delay_seconds, name=name)
        except PusherError as error:
            logger.warning("no task for entry %s, the sweep will send it: %s", entry, error)
            return False
        return True
