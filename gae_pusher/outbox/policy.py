"""How often, how long and how late: the numbers of an outbox."""

from __future__ import annotations

import random
from dataclasses import dataclass

from gae_pusher.errors import ConfigurationError

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """See Outbox for what the numbers mean."""

    budget_seconds: float
    grace_seconds: float
    lease_seconds: float
    attempts: int
    keep_seconds: float
    shards: int
    first_backoff_seconds: float = 5.0
    longest_backoff_seconds: float = 600.0

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 999:
            raise ConfigurationError(f"shards is {self.shards}, it must be 1 to 999")
        if self.attempts < 1:
            raise ConfigurationError(f"attempts is {self.attempts}, it must be at least 1")
        if self.grace_seconds <= self.budget_seconds:
            raise ConfigurationError(
                f"grace_seconds ({self.grace_seconds}) must be more than budget_seconds "
                f"({self.budget_seconds}), or the sweep sends what is just being sent"
            )

    def backoff(self, attempt: int) -> float:
        """The seconds from attempt number `attempt` to the next: doubled each time, jittered."""
        longest = self.first_backoff_seconds * 2.0 ** min(attempt - 1, 30)
        return min(longest, self.longest_backoff_seconds) * random.uniform(0.5, 1.0)  # noqa: S311
