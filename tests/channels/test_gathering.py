"""gather: one future of many."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import ndb

from gae_pusher import gather
from gae_pusher.channels.ndb import Future
from tests.channels.roads import ndb_client


@pytest.fixture(autouse=True)
def context() -> Iterator[Any]:
    """An NDB context around each test."""
    with ndb_client().context() as context:
        yield context


def test_results_in_order() -> None:
    """The results stand in the order of the futures, whichever is done first."""
    futures = [ndb.Future(), ndb.Future(), ndb.Future()]
    gathered = gather(iter(futures))
    for index in (2, 0, 1):
        assert not gathered.done()
        futures[index].set_result(index)
    assert gathered.result() == [0, 1, 2]


def test_nothing_to_wait_for() -> None:
    """No futures are done at once, and so are futures that are done."""
    assert gather([]).result() == []
    done = ndb.Future()
    done.set_result(1)
    assert gather([done, done]).result() == [1, 1]


def test_the_first_error(caplog: pytest.LogCaptureFixture) -> None:
    """The first error is the answer; those of the others count as asked for."""
    futures = [Future("one"), Future("two"), Future("three")]
    gathered = gather(futures)
    futures[2].set_exception(ValueError("first"))
    futures[0].set_exception(ValueError("second"))
    with pytest.raises(ValueError, match="first"):
        gathered.result()
    del futures, gathered
    gc.collect()
    assert caplog.records == []


def test_in_a_tasklet() -> None:
    """It is yielded as every future is."""

    @ndb.tasklet
    def one(number: int) -> Any:
        yield ndb.tasklets.sleep(0.001)
        return number

    @ndb.tasklet
    def work() -> Any:
        return (yield gather([one(number) for number in range(20)]))

    assert work().result() == list(range(20))


def test_time_grows_with_the_number_only() -> None:
    """Twenty thousand futures take less than what NDB's own list takes for five thousand."""
    futures = [ndb.Future() for _ in range(20_000)]
    started = time.process_time()
    gathered = gather(futures)
    for future in futures:
        future.set_result(None)
    seconds = time.process_time() - started
    assert len(gathered.result()) == 20_000
    assert seconds < 1
