"""A modelled Pusher: latency, a rate, and outages in which nothing is accepted."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.scale import numbers
from benchmarks.scale.lane import Lane, steady

__all__ = ["Answer", "ModelledPusher"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a call was accepted, and how many seconds it took to say so."""

    accepted: bool
    seconds: float


class ModelledPusher:
    """Accepts events at its rate, except from `down_from` for `down_seconds`."""

    def __init__(
        self,
        random_source: random.Random,
        *,
        events_per_second: float = numbers.PUSHER_EVENTS_PER_SECOND,
        down_from: float = 0.0,
        down_seconds: float = 0.0,
    ) -> None:
        self._random = random_source
        self._lane = Lane(steady(events_per_second))
        self._down = (down_from, down_from + down_seconds)
        self.calls = 0

    def is_down(self, now: float) -> bool:
        return self._down[0] <= now < self._down[1]

    def send(self, now: float, events: int, calls: int, timeout_seconds: float) -> Answer:
        """`events` in `calls` requests that start together; silence lasts the whole timeout.

        Down means silent, not refusing: the dearer of the two for who waits.
        """
        self.calls += calls
        if self.is_down(now) or self._lane.wait(now) > timeout_seconds:
            return Answer(False, timeout_seconds)
        latency = self._random.expovariate(2 / numbers.PUSHER_SECONDS) + numbers.PUSHER_SECONDS / 2
        return Answer(True, latency + self._lane.take(now, events))
