"""After the commit: what was not sent at once is leased, sent, put off, parked or forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.cloud import ndb

from gae_pusher import ConfigurationError, ConnectionFailed, NoSuchEntry, Outbox, Pusher
from gae_pusher.outbox.entry import OutboxEntry, entry_key
from gae_pusher.outbox.relay import Relay
from tests.outbox.conftest import World

SWEEP_SECONDS = 10.0


@dataclass
class Queue:
    """Keeps the tasks that it is given; `dead` answers as Cloud Tasks does when it is away."""

    tasks: list[tuple[str, float, str]] = field(default_factory=list)
    dead: bool = False

    def add(self, task: str, payload: Any, *, delay_seconds: float, name: str) -> None:
        self.tasks.append((payload["entry"], delay_seconds, name))
        if self.dead:
            raise ConnectionFailed("Cloud Tasks cannot be reached")


def relay(pusher: Pusher) -> Relay:
    sender: Any = pusher.sender
    return Relay(sender.transactions.outbox, sender)


def sweep(world: World, pusher: Pusher) -> dict[str, int]:
    with world.client.context():
        return dict(relay(pusher).sweep(SWEEP_SECONDS).result())


def deliver(world: World, pusher: Pusher, entry: str) -> str:
    with world.client.context():
        return relay(pusher).deliver(entry).result()  # type: ignore[no-any-return]


def commit(world: World, pusher: Pusher, *events: tuple[str, str, Any]) -> None:
    """A transaction with events that are not sent at once: the service answers 503."""
    world.channels.answers.append((503, b"down"))
    with world.client.context():
        ndb.transaction(lambda: [pusher[ch].trigger(name, data) for ch, name, data in events])
    world.channels.answers.clear()
    world.channels.calls.clear()


def only(world: World) -> OutboxEntry:
    (entry,) = world.entries()
    return entry


def test_the_sweep_sends_what_nobody_sent(world: World) -> None:
    """An entry is left alone for the grace period; then it is sent and forgotten."""
    pusher = world.pusher()
    commit(world, pusher, ("board", "moved", "1"), ("board", "moved", "2"))
    assert sweep(world, pusher) == {}
    assert world.sent() == []
    world.now += 61
    assert sweep(world, pusher) == {"delivered": 1}
    assert world.sent() == [("board", "moved", "1"), ("board", "moved", "2")]
    assert world.entries() == []


def test_a_failed_send_writes_nothing(world: World) -> None:
    """The service is down: the entry stays as the transaction wrote it."""
    pusher = world.pusher()
    world.stub.calls.clear()
    commit(world, pusher, ("board", "moved", "1"))
    assert world.stub.calls == ["begin_transaction", "commit"]


def test_a_task_takes_over_at_once(world: World) -> None:
    """A named task makes the next attempt without waiting for the grace period."""
    queue = Queue()
    pusher = world.pusher(outbox=world.outbox(queue=queue))
    commit(world, pusher, ("board", "moved", "1"))
    ((entry, delay, name),) = queue.tasks
    assert entry == only(world).key.id()
    assert name == f"{entry}-1"
    assert 0 < delay <= 5
    assert deliver(world, pusher, entry) == "delivered"
    assert world.sent() == [("board", "moved", "1")]
    assert world.entries() == []
    assert deliver(world, pusher, entry) == "not ours", "a task that runs twice sends nothing"


def test_neither_retries_nor_rescue_of_the_pusher_concern_the_outbox(world: World) -> None:
    """One attempt is one request, and an error that is rescued elsewhere keeps the entry here."""
    pusher = world.pusher(retry_seconds=5, rescue=True)
    world.channels.answers += [(503, b"")] * 2
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    assert len(world.channels.calls) == 1
    assert len(world.entries()) == 1


def test_an_open_breaker_costs_no_request(world: World) -> None:
    """While the breaker is open events wait in the outbox, without another request."""
    pusher = world.pusher(retry_seconds=0, breaker_failures=1, breaker_seconds=60)
    world.channels.answers.append((503, b""))
    with world.client.context():
        for _ in range(3):
            ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    assert len(world.channels.calls) == 1
    assert len(world.entries()) == 4


def test_a_sweep_at_an_open_breaker_uses_up_no_attempt(world: World) -> None:
    """It would send nothing, so it leaves what is due to a later sweep."""
    pusher = world.pusher(retry_seconds=0, breaker_failures=1, breaker_seconds=60)
    for _ in range(3):
        commit(world, pusher, ("board", "moved", "1"))
    world.now += 61
    world.stub.calls.clear()
    assert sweep(world, pusher) == {}
    assert "begin_transaction" not in world.stub.calls
    assert [entry.attempts for entry in world.entries()] == [1, 1, 1]
    assert world.channels.calls == []
    assert sweep(world, world.pusher()) == {"delivered": 3}


def test_a_dead_queue_leaves_it_to_the_sweep(world: World) -> None:
    """Cloud Tasks away: no error reaches the request, and one question is enough for it."""
    queue = Queue(dead=True)
    pusher = world.pusher(outbox=world.outbox(queue=queue))
    world.channels.answers += [(503, b"")]
    with world.client.context():
        for _ in range(3):
            ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    world.now += 61
    sweep(world, pusher)
    assert world.entries() == []


def test_back_off_until_the_budget_is_used_up(world: World) -> None:
    """Each failure doubles the wait; after the last attempt the entry is parked with its reason."""
    queue = Queue()
    pusher = world.pusher(outbox=world.outbox(queue=queue, attempts=4))
    commit(world, pusher, ("board", "moved", "1"))
    waits = []
    for number in (2, 3):
        world.channels.answers.append((500, b"trouble"))
        assert deliver(world, pusher, only(world).key.id()) == "later"
        entry = only(world)
        assert entry.attempts == number
        waits.append(entry.due - world.now)
        world.now = entry.due + 1
    assert 5 <= waits[0] <= 10 <= waits[1] <= 20
    world.channels.answers.append((500, b"trouble"))
    assert deliver(world, pusher, only(world).key.id()) == "parked"
    entry = only(world)
    assert entry.parked
    assert entry.error.startswith("after 4 attempts: ServerError")
    assert len(world.channels.calls) == 3
    assert [name.rpartition("-")[2] for _, _, name in queue.tasks] == ["1", "2", "3"]
    world.now += 100_000
    assert sweep(world, pusher) == {}, "a parked entry is for a person"


def test_crashes_use_up_attempts_too(world: World) -> None:
    """An entry that kills each process that takes it is parked in the end."""
    pusher = world.pusher(outbox=world.outbox(attempts=3))
    commit(world, pusher, ("board", "moved", "1"))
    entry = only(world).key.id()
    store = pusher.sender.transactions.outbox.store(pusher.sender)
    for number in (2, 3):
        with world.client.context():
            assert store.lease(entry).result().attempt == number
        world.now += 61
    assert sweep(world, pusher) == {"not ours": 1}
    assert only(world).parked
    assert world.sent() == []


def test_a_lease_keeps_others_away(world: World) -> None:
    """While one process has an entry neither a task nor the sweep takes it; later they do."""
    pusher = world.pusher()
    commit(world, pusher, ("board", "moved", "1"))
    entry = only(world).key.id()
    world.now += 61
    with world.client.context():
        assert pusher.sender.transactions.outbox.store(pusher.sender).lease(entry).result()
    assert deliver(world, pusher, entry) == "not ours"
    assert sweep(world, pusher) == {}
    world.now += 61
    assert sweep(world, pusher) == {"delivered": 1}


def test_two_sweeps_at_the_same_time_send_once(world: World) -> None:
    """Of two processes that see the same entry one gets the lease."""
    pusher = world.pusher()
    commit(world, pusher, ("board", "moved", "1"))
    world.now += 61
    entry = only(world).key.id()
    with world.client.context():
        answers = [relay(pusher).deliver(entry), relay(pusher).deliver(entry)]
        assert sorted(answer.result() for answer in answers) == ["delivered", "not ours"]
    assert world.sent() == [("board", "moved", "1")]


@pytest.mark.parametrize("status", [401, 403])
def test_an_app_that_is_refused_is_parked(world: World, status: int) -> None:
    """A 4xx about the app parks all events, after one request and with the service's words."""
    pusher = world.pusher()
    world.channels.answers.append((status, b"no such key"))
    with world.client.context():
        ndb.transaction(lambda: [pusher["board"].trigger("moved", str(n)) for n in range(3)])
    entry = only(world)
    assert entry.parked
    assert str(status) in entry.error
    assert len(world.channels.calls) == 1
    assert len(json.loads(entry.events)["events"]) == 3
    assert entry.expires is not None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_passes_is_tried_again(world: World, status: int) -> None:
    """A timeout, a rate limit and trouble at the service are reasons to wait, not to give up."""
    pusher = world.pusher()
    world.channels.answers.append((status, b""))
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    assert not only(world).parked


def test_one_bad_event_does_not_hold_the_others(world: World) -> None:
    """A batch that is refused is sent event by event; only what is refused alone stays."""
    pusher = world.pusher()
    world.channels.answers += [(400, b"bad batch"), (200, b"{}"), (413, b"too large"), (200, b"{}")]
    with world.client.context():
        ndb.transaction(lambda: [pusher["board"].trigger("moved", str(n)) for n in range(3)])
    entry = only(world)
    assert entry.parked
    assert [event["data"] for event in json.loads(entry.events)["events"]] == ["1"]
    assert "RequestTooLarge" in entry.error


def test_what_was_accepted_is_not_sent_again(world: World) -> None:
    """When the second of two requests fails, only its events wait."""
    pusher = world.pusher()
    world.channels.answers += [(200, b"{}"), (503, b"")]
    with world.client.context():
        ndb.transaction(lambda: [pusher["board"].trigger("moved", str(n)) for n in range(13)])
    stored = json.loads(only(world).events)["events"]
    assert [event["data"] for event in stored] == ["10", "11", "12"]
    world.now += 61
    assert sweep(world, pusher) == {"delivered": 1}
    assert sorted(int(data) for _, _, data in world.sent()) == sorted([*range(13), 10, 11, 12])


def test_each_attempt_is_signed_anew_and_carries_the_same_id(world: World) -> None:
    """A signature is good for 600 s, an entry lives longer; the event's id stays."""
    pusher = world.pusher()
    world.channels.answers.append((503, b""))
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", {"to": "done"}))
    world.now += 1_000
    sweep(world, pusher)
    first, second = world.channels.calls
    assert first.body == second.body
    assert "event_id" in json.loads(json.loads(first.body)["data"])
    assert first.query["auth_signature"]
    assert second.query["auth_signature"]
    assert float(second.query["auth_timestamp"]) >= float(first.query["auth_timestamp"])


def test_a_retry_by_hand_starts_anew(world: World) -> None:
    """A parked entry that is retried is due at once and has all its attempts again."""
    pusher = world.pusher()
    world.channels.answers.append((401, b""))
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    entry = only(world).key.id()
    with world.client.context():
        pusher.sender.transactions.outbox.store(pusher.sender).retry(entry).result()
    world.now += 1
    assert sweep(world, pusher) == {"delivered": 1}
    with world.client.context(), pytest.raises(NoSuchEntry, match=entry):
        pusher.sender.transactions.outbox.store(pusher.sender).retry(entry).result()


def test_parked_entries_do_not_stay_for_ever(world: World) -> None:
    """A sweep forgets parked entries that are older than they may be."""
    pusher = world.pusher(outbox=world.outbox(keep_seconds=1_000))
    world.channels.answers.append((401, b""))
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", "1"))
    world.now += 999
    assert sweep(world, pusher) == {}
    world.now += 2
    assert sweep(world, pusher) == {"forgotten": 1}
    assert world.entries() == []


def test_an_entry_of_another_release_waits(world: World) -> None:
    """After a roll-back the older code leaves newer entries as they are, and sends the others."""
    pusher = world.pusher()
    commit(world, pusher, ("board", "moved", "1"))
    commit(world, pusher, ("board", "moved", "2"))
    with world.client.context():
        entry = OutboxEntry.query(namespace="").get()
        entry.events = entry.events.replace('"version":1', '"version":9')
        entry.put()
    world.now += 61
    assert sweep(world, pusher) == {"delivered": 1, "not ours": 1}
    left = only(world)
    assert not left.parked
    assert left.attempts == 1
    assert "version 9" in left.error


def test_an_app_sends_its_own_entries_only(world: World) -> None:
    """Two Channels apps in one Datastore have an outbox each."""
    one, other = world.pusher(), world.pusher(app_id="99")
    commit(world, one, ("board", "moved", "1"))
    world.now += 61
    assert sweep(world, other) == {}
    assert deliver(world, other, only(world).key.id()) == "not ours"
    assert sweep(world, one) == {"delivered": 1}


def test_a_transaction_may_tell_two_apps(world: World) -> None:
    """Each app's events are an entry of their own in the same commit."""
    one, other = world.pusher(), world.pusher(app_id="99")
    with world.client.context():
        ndb.transaction(lambda: (one["a"].trigger("e", "1"), other["b"].trigger("e", "2")))
    assert {call.path for call in world.channels.calls} == {"/apps/4242/events", "/apps/99/events"}
    assert world.entries() == []


def test_the_sweep_finds_every_shard(world: World) -> None:
    """Entries of another number of shards are found as well; an empty outbox costs one query."""
    pusher = world.pusher(outbox=world.outbox(shards=50))
    for number in range(12):
        commit(world, pusher, ("board", "moved", str(number)))
    assert len({entry.slot.split("|")[1] for entry in world.entries()}) > 4
    world.now += 61
    fewer = world.pusher(outbox=world.outbox(shards=2))
    assert sweep(world, fewer) == {"delivered": 12}
    world.stub.calls.clear()
    assert sweep(world, fewer) == {}
    assert world.stub.calls == ["run_query", "run_query"], "one for what is due, one for old ones"


def test_a_large_backlog_is_worked_off(world: World) -> None:
    """Many entries go in one sweep, each once."""
    pusher = world.pusher()
    for number in range(60):
        commit(world, pusher, ("board", "moved", str(number)))
    world.now += 61
    assert sweep(world, pusher) == {"delivered": 60}
    assert sorted(int(data) for _, _, data in world.sent()) == list(range(60))


def test_a_lost_delete_is_a_double_and_no_loss(world: World) -> None:
    """An event that was sent and not deleted is sent again, with the same id."""
    pusher = world.pusher()
    with world.client.context():
        ndb.transaction(lambda: pusher["board"].trigger("moved", {}))
        stored = world.stub.commits[0].mutations[-1].upsert
        events = stored.properties["events"].string_value
        slot = stored.properties["slot"].string_value
        ident = stored.key.path[-1].name
    with world.client.context():
        OutboxEntry(key=entry_key(ident), slot=slot, events=events).put()
    world.now += 61
    sweep(world, pusher)
    first, second = world.sent()
    assert first == second


def test_nonsense_is_refused() -> None:
    """A sweep that would race the immediate send, no shards, no attempts."""
    with pytest.raises(ConfigurationError, match="grace_seconds"):
        Outbox(grace_seconds=0.1)
    with pytest.raises(ConfigurationError, match="shards"):
        Outbox(shards=0)
    with pytest.raises(ConfigurationError, match="attempts"):
        Outbox(attempts=0)
