"""When a failed task is tried again, and when it is given up: the documented rules."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RetryPolicy", "delay_seconds", "gives_up"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A queue's or a task's RetryConfig, with Cloud Tasks' own defaults.

    `max_attempts` counts the first one; -1 is no limit. 0 `max_retry_seconds` is no limit.
    """

    max_attempts: int = 100
    max_retry_seconds: float = 0
    min_backoff_seconds: float = 0.1
    max_backoff_seconds: float = 3600
    max_doublings: int = 16


def delay_seconds(policy: RetryPolicy, failures: int) -> float:
    """The wait after the n-th failure, n from 1.

    It doubles `max_doublings` times, then grows by the last step, and ends at the maximum: 10, 20,
    40, 80, 160, 240, 300, 300 for 10 s, 300 s and 3 doublings, the documentation's example.
    """
    doublings = min(failures - 1, policy.max_doublings)
    steps = failures - doublings
    factor = 2.0 ** min(doublings, 64)  # a float overflows soon after, any maximum long before
    return min(policy.max_backoff_seconds, policy.min_backoff_seconds * factor * steps)


def gives_up(policy: RetryPolicy, attempts: int, first_attempt: float, now: float) -> bool:
    """Whether no further attempt is made: every limit that is set is reached, not just one."""
    reached = []
    if policy.max_attempts >= 0:
        reached.append(attempts >= policy.max_attempts)
    if policy.max_retry_seconds > 0:
        reached.append(now - first_attempt >= policy.max_retry_seconds)
    return bool(reached) and all(reached)
