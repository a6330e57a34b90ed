"""The modelled Datastore."""

from __future__ import annotations

import random

import pytest

from benchmarks.scale import numbers
from benchmarks.scale.datastore import Contention, ModelledDatastore

LIMIT = numbers.INDEX_WRITES_PER_SECOND


def stored_in(datastore: ModelledDatastore, shards: int, seconds: int, per_second: int) -> int:
    """How many of the offered writes a Datastore stores."""
    stored = 0
    for second in range(seconds):
        for shard in range(shards):
            try:
                datastore.write(second, shard, per_second // shards)
            except Contention:
                continue
            stored += per_second // shards
    return stored


def test_one_hot_range_takes_no_more_than_its_rate() -> None:
    """Offered four times the rate for a minute, one shard stores the rate and what may wait."""
    datastore = ModelledDatastore(random.Random(1), shards=1)
    stored = stored_in(datastore, 1, 60, 4 * LIMIT)
    waiting = numbers.WRITE_PATIENCE_SECONDS + numbers.BURST_SECONDS + 4
    assert 60 * LIMIT <= stored <= (60 + waiting) * LIMIT
    assert datastore.refused == 60 * 4 * LIMIT - stored


def test_shards_multiply_the_rate() -> None:
    """Four shards store what one refuses."""
    datastore = ModelledDatastore(random.Random(1), shards=4)
    assert stored_in(datastore, 4, 60, 4 * LIMIT) == 60 * 4 * LIMIT
    assert datastore.refused == 0


def test_a_delete_costs_the_index_as_much_as_a_write() -> None:
    """A shard that is busy with deletes refuses writes."""
    datastore = ModelledDatastore(random.Random(1), shards=1)
    datastore.delete(0, 0, 10 * LIMIT)
    with pytest.raises(Contention):
        datastore.write(0, 0, 1)


def test_a_cold_kind_refuses_what_a_warm_one_takes() -> None:
    """Shards do not help before the keys' range has ramped up."""
    cold = ModelledDatastore(random.Random(1), shards=64, cold=True)
    warm = ModelledDatastore(random.Random(1), shards=64)
    assert stored_in(warm, 64, 60, 6400) == 60 * 6400
    assert stored_in(cold, 64, 60, 6400) < 60 * 1000


def test_the_same_seed_takes_the_same_time() -> None:
    """Latencies are drawn from the given source alone."""
    one, two = (ModelledDatastore(random.Random(7), shards=1) for _ in range(2))
    assert [one.write(n, 0, 1) for n in range(9)] == [two.write(n, 0, 1) for n in range(9)]
