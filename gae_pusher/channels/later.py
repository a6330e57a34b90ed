"""Events for later: a background task triggers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gae_pusher.sansio.tasks import TRIGGER, trigger_name, trigger_payload

__all__ = ["Later", "QueueLike", "default_queue"]


class QueueLike(Protocol):
    """Where tasks are added; gae_pusher.TaskQueue is one."""

    def add(self, task: str, payload: Any, *, delay_seconds: float, name: str | None) -> Any:
        """Have `payload` posted to TaskApp after `delay_seconds`, once for each `name`."""


# Set by gae_pusher/__init__.py: the task queue stands above this module.
default_queue: Callable[[], QueueLike] | None = None


class Later:
    """One app's way into a queue; without one it takes a queue with the default settings."""

    def __init__(self, app_id: str, queue: QueueLike | None = None) -> None:
        self._app_id = app_id
        self._queue = queue

    def add(self, event: Mapping[str, str], delay_seconds: float, name: str | None) -> Any:
        """Add the task for an event of Verbs.event; gives what the queue answers."""
        if self._queue is None:
            assert default_queue is not None
            self._queue = default_queue()
        payload = trigger_payload(self._app_id, event)
        if name is not None:
            name = trigger_name(payload, name)
        return self._queue.add(TRIGGER, payload, delay_seconds=delay_seconds, name=name)
