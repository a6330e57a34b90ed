"""A trigger inside a transaction: nothing before the commit, everything after it."""

from __future__ import annotations

import json

from google.cloud import ndb

from gae_pusher import Deferred
from tests.outbox.conftest import World


class Counter(ndb.Model):
    n = ndb.IntegerProperty(default=0)


def count_up() -> int:
    counter = Counter.get_by_id("c") or Counter(id="c")
    counter.n += 1
    counter.put()
    return counter.n


def test_an_event_leaves_after_the_commit(world: World) -> None:
    """One write with the transaction's own commit, one delete, no read; the event arrives once."""
    pusher = world.pusher()

    def work() -> None:
        count_up()
        answer = pusher["board"].trigger("moved", {"id": 7})
        assert isinstance(answer, Deferred)
        assert world.sent() == []

    with world.client.context():
        count_up()
        world.stub.calls.clear()
        world.stub.commits.clear()
        ndb.transaction(work)
    ((channel, event, data),) = world.sent()
    assert (channel, event) == ("board", "moved")
    assert json.loads(data)["id"] == 7
    print(world.stub.calls)
    assert world.stub.calls == ["begin_transaction", "lookup", "commit", "commit"]
    own, delete = world.stub.commits
    assert len(own.mutations) == 2
    assert [bool(mutation.delete.path) for mutation in delete.mutations] == [True]
    assert world.entries() == []
