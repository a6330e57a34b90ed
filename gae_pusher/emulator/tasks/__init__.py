"""A local Cloud Tasks for development and tests; production has the real one."""

from __future__ import annotations

from gae_pusher.emulator.tasks.log import Entry, Log
from gae_pusher.emulator.tasks.retry import RetryPolicy
from gae_pusher.emulator.tasks.settings import QueueSettings, RateLimits, Routing, Settings

__all__ = [
    "Entry",
    "Log",
    "QueueSettings",
    "RateLimits",
    "RetryPolicy",
    "Routing",
    "Settings",
]
