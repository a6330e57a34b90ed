"""A modelled Firestore in Datastore mode: commit latency, a hot range of an index, contention."""

from __future__ import annotations

import random

from benchmarks.scale import numbers
from benchmarks.scale.lane import Lane, ramping, steady

__all__ = ["Contention", "ModelledDatastore"]

_NO_LIMIT = 1e9


class Contention(Exception):
    """A range is so busy that the write gives up; nothing was stored."""


class ModelledDatastore:
    """What one shard of the outbox's index sees of Datastore, with its share of everything else.

    A range of a sequential index does not split, so its rate is fixed; random keys spread, so their
    rate ramps up (`cold`) or has ramped up long ago.
    """

    def __init__(
        self, random_source: random.Random, share: float = 1.0, *, cold: bool = False
    ) -> None:
        self._random = random_source
        self._range = Lane(steady(numbers.INDEX_WRITES_PER_SECOND))
        self._keys = Lane(ramping(numbers.RAMP_START * share) if cold else steady(_NO_LIMIT))
        self.writes = self.deletes = self.reads = 0

    def room(self, now: float) -> int:
        """How many writes would not fail for contention."""
        lanes = (self._range, self._keys)
        room = min(lane.room(now, numbers.WRITE_PATIENCE_SECONDS) for lane in lanes)
        return max(0, int(room))

    def write(self, now: float, count: int) -> float:
        """Seconds until `count` entries are stored. Raises Contention and stores none."""
        seconds = self._change(now, count)
        self.writes += count
        return seconds

    def delete(self, now: float, count: int) -> float:
        """Seconds until `count` entries are gone, index rows included. Raises Contention."""
        seconds = self._change(now, count)
        self.deletes += count
        return seconds

    def lookup(self, count: int) -> float:
        """Seconds of lookups by key, all at the same time."""
        self.reads += count
        return self._random.expovariate(1 / numbers.QUERY_SECONDS)

    def query(self, count: int) -> float:
        """Seconds of so many queries, one after the other."""
        self.reads += count
        return sum(self._random.expovariate(1 / numbers.QUERY_SECONDS) for _ in range(count))

    def _change(self, now: float, count: int) -> float:
        lanes = (self._range, self._keys)
        if self.room(now) < 1:
            raise Contention(f"no room for {count} writes")
        waited = max(lane.take(now, count) for lane in lanes)
        return waited + self._random.expovariate(1 / numbers.COMMIT_SECONDS)
