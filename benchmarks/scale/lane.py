"""The narrow places of a service: so many a second, the rest waits its turn."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.scale import numbers

__all__ = ["Lane", "ramping", "steady"]

Rate = Callable[[float], float]


class Lane:
    """A token bucket that holds a burst, behind it a queue in the order of arrival."""

    def __init__(self, rate: Rate, burst_seconds: float = numbers.BURST_SECONDS) -> None:
        self._rate = rate
        self._burst_seconds = burst_seconds
        self._full_at = 0.0

    def wait(self, now: float) -> float:
        """Seconds that one more would wait now."""
        return max(0.0, self._full_at - now - self._burst_seconds)

    def room(self, now: float, patience_seconds: float) -> float:
        """How many more there may be for the last of them to wait no longer than this."""
        busy_seconds = max(0.0, self._full_at - now)
        return (self._burst_seconds + patience_seconds - busy_seconds) * self._rate(now)

    def take(self, now: float, count: float) -> float:
        """Let `count` through; the seconds until the last of them is through."""
        self._full_at = max(self._full_at, now) + count / self._rate(now)
        return self.wait(now)


def steady(per_second: float) -> Rate:
    """The same at all times."""
    return lambda now: per_second


def ramping(
    per_second: float = numbers.RAMP_START,
    growth: float = numbers.RAMP_GROWTH,
    step_seconds: float = numbers.RAMP_STEP_SECONDS,
) -> Rate:
    """The 500/50/5 rule: what a cold range of keys takes from time 0 on."""
    return lambda now: per_second * growth ** (now // step_seconds)
