"""Background tasks: JSON that Cloud Tasks posts back to this app, later and until it worked."""

from __future__ import annotations

from gae_pusher.tasks.queue import AddedTask, TaskQueue

__all__ = ["AddedTask", "TaskQueue"]
