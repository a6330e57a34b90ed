"""What a local Cloud Tasks serves: the settings of a queue, and the server's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gae_pusher.emulator.tasks.retry import RetryPolicy

__all__ = [
    "DEFAULT_QUEUES",
    "QueueSettings",
    "RateLimits",
    "Routing",
    "Settings",
    "default_burst",
]

MAX_PER_SECOND: Final = 500
MAX_CONCURRENT: Final = 5_000
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Dispatches per second, the size of the token bucket, and requests at a time."""

    per_second: float = 500
    burst: int = 500
    concurrent: int = 1000


@dataclass(frozen=True, slots=True)
class Routing:
    """The service, version and instance of an app; empty is App Engine's choice."""

    service: str = ""
    version: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How a queue dispatches. `tombstone_seconds` is how long the name of a task stays taken.

    `routing` overrides that of every App Engine task in the queue, None leaves it to the task.
    """

    rate: RateLimits = field(default_factory=RateLimits)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    routing: Routing | None = None
    paused: bool = False
    tombstone_seconds: float = DAY
    retention_seconds: float = 31 * DAY


# App Engine's queue without a queue.yaml: 5 a second, 5 in the bucket, unlimited attempts.
DEFAULT_QUEUES: Final[Mapping[str, QueueSettings]] = {
    "default": QueueSettings(
        rate=RateLimits(per_second=5, burst=5), retry=RetryPolicy(max_attempts=-1)
    )
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's own settings. All durations are seconds.

    `queues` are there from the start, in every project and location, as App Engine's default
    queue and those of queue.yaml are. `deadline_seconds` is for App Engine tasks and HTTP tasks
    that set none.
    """

    queues: Mapping[str, QueueSettings] = field(default_factory=lambda: dict(DEFAULT_QUEUES))
    deadline_seconds: float = 600
    queue_tombstone_seconds: float = 3 * DAY
    log_entries: int = 2_000


def default_burst(per_second: float) -> int:
    """The bucket of a queue that was not made by queue.yaml: a second's dispatches, at least 1."""
    return max(1, math.ceil(per_second))
