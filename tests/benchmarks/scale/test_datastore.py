"""The modelled Datastore."""

from __future__ import annotations

import random

import pytest

from benchmarks.scale import numbers
from benchmarks.scale.datastore import Contention, ModelledDatastore

LIMIT = numbers.INDEX_WRITES_PER_SECOND


def stored_in(datastore: ModelledDatastore, seconds: int, per_second: int) -> int:
    """How many of the offered writes a Datastore stores."""
    stored = 0
    for second in range(seconds):
        count = min(per_second, datastore.room(second))
        if count:
            datastore.write(second, count)
        stored += count
    return stored


def test_a_hot_range_takes_no_more_than_its_rate() -> None:
    """Offered four times the rate for a minute, it stores the rate and what may wait."""
    most = 60 + numbers.WRITE_PATIENCE_SECONDS + numbers.BURST_SECONDS
    stored = stored_in(ModelledDatastore(random.Random(1)), 60, 4 * LIMIT)
    assert 60 * LIMIT <= stored <= most * LIMIT


def test_less_than_the_rate_does_not_wait() -> None:
    """At four fifths of the rate a commit takes no longer than the service's own time."""
    datastore = ModelledDatastore(random.Random(1))
    times = [datastore.write(second, LIMIT * 4 // 5) for second in range(200)]
    assert sum(times) / len(times) == pytest.approx(numbers.COMMIT_SECONDS, rel=0.2)


def test_a_delete_costs_the_index_as_much_as_a_write() -> None:
    """A range that is busy with deletes refuses writes."""
    datastore = ModelledDatastore(random.Random(1))
    datastore.delete(0, 10 * LIMIT)
    with pytest.raises(Contention):
        datastore.write(0, 1)


def test_a_cold_kind_refuses_what_a_warm_one_takes() -> None:
    """One of 64 shards gets a 64th of the 500 operations that a new kind takes."""
    cold, warm = (ModelledDatastore(random.Random(1), 1 / 64, cold=cold) for cold in (True, False))
    assert stored_in(warm, 60, 156) == 60 * 156
    assert stored_in(cold, 60, 156) < 60 * 10


def test_the_same_seed_takes_the_same_time() -> None:
    """Latencies are drawn from the given source alone."""
    one, two = (ModelledDatastore(random.Random(7)) for _ in range(2))
    assert [one.write(n, 1) for n in range(9)] == [two.write(n, 1) for n in range(9)]
