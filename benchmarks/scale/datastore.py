"""A modelled Firestore in Datastore mode: commit latency, hot ranges of an index, contention."""

from __future__ import annotations

import random

from benchmarks.scale import numbers
from benchmarks.scale.lane import Lane, Rate, ramping, steady

__all__ = ["Contention", "ModelledDatastore"]


class Contention(Exception):
    """A range is so busy that the write gives up; nothing was stored."""


class ModelledDatastore:
    """Every write goes through the hot end of its shard's index range, and through the keys' range.

    A range of a sequential index never splits, so its rate is fixed; random keys spread, so their
    rate ramps up (`cold`) or has ramped up long ago.
    """

    def __init__(self, random_source: random.Random, shards: int, *, cold: bool = False) -> None:
        self._random = random_source
        keys: Rate = ramping() if cold else steady(float("inf"))
        self._keys = Lane(keys)
        self._ranges = [Lane(steady(numbers.INDEX_WRITES_PER_SECOND)) for _ in range(shards)]
        self.writes = self.deletes = self.reads = self.refused = 0

    def write(self, now: float, shard: int, count: int) -> float:
        """Seconds until `count` entries are stored. Raises Contention and stores none."""
        self.writes += count
        return self._change(now, shard, count)

    def delete(self, now: float, shard: int, count: int) -> float:
        """Seconds until `count` entries are gone, index rows included. Raises Contention."""
        self.deletes += count
        return self._change(now, shard, count)

    def query(self, found: int) -> float:
        """Seconds of one query that finds so many entries; an empty one is billed as one read."""
        self.reads += max(1, found)
        return self._random.expovariate(1 / numbers.QUERY_SECONDS)

    def _change(self, now: float, shard: int, count: int) -> float:
        lanes = (self._ranges[shard], self._keys)
        if max(lane.wait(now) for lane in lanes) > numbers.WRITE_PATIENCE_SECONDS:
            self.refused += count
            raise Contention(f"shard {shard} takes no more writes")
        waited = max(lane.take(now, count) for lane in lanes)
        return waited + self._random.expovariate(1 / numbers.COMMIT_SECONDS)
