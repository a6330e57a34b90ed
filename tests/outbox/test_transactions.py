"""Every way that a transaction can go: what is sent, and under which id."""

from __future__ import annotations

import base64
import json
import logging
from contextlib import suppress
from typing import Any

import grpc
import pytest
from google.cloud import ndb

from gae_pusher import (
    ConfigurationError,
    Deferred,
    InTransaction,
    PayloadTooLarge,
    Pusher,
    TransactionTooLarge,
)
from gae_pusher.sansio.encryption import open_envelope
from tests.outbox.conftest import World

ABORTED, UNAVAILABLE = grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE
CANCELLED = grpc.StatusCode.CANCELLED
MASTER_KEY = bytes(range(32))


class Counter(ndb.Model):
    n = ndb.IntegerProperty(default=0)


class Rollback(Exception):
    """Raised by a transaction's function."""


def count_up(name: str = "c") -> int:
    counter = Counter.get_by_id(name) or Counter(id=name)
    counter.n += 1
    counter.put()
    return counter.n


def count(world: World) -> int:
    with world.client.context():
        counter = Counter.get_by_id("c")
        return counter.n if counter else 0


def told(pusher: Pusher) -> Any:
    """A transaction's function that counts and tells."""

    def work() -> int:
        n = count_up()
        pusher["board"].trigger("moved", {"n": n})
        return n

    return work


def numbers(world: World) -> list[int]:
    return [json.loads(data)["n"] for _, _, data in world.sent()]


def entry_ids(world: World) -> list[str]:
    """The entry that each commit of a transaction wrote."""
    ids = []
    for commit in world.stub.commits:
        paths = [mutation.upsert.key.path for mutation in commit.mutations if commit.transaction]
        ids += [path[-1].name for path in paths if path[-1].kind == "GaePusherOutboxEntry"]
    return ids


def test_nothing_is_sent_for_a_rollback(world: World) -> None:
    """A transaction that raises leaves no event, no entry and no data."""
    pusher = world.pusher()

    def work() -> None:
        told(pusher)()
        raise Rollback

    with world.client.context(), pytest.raises(Rollback):
        ndb.transaction(work)
    assert (world.sent(), world.entries(), count(world)) == ([], [], 0)


def test_contention_sends_once(world: World) -> None:
    """A function that runs again after ABORTED sends what the last run triggered, and no more."""
    pusher = world.pusher()
    world.stub.faults += [(ABORTED, False), (ABORTED, False)]
    with world.client.context():
        ndb.transaction(told(pusher))
    assert numbers(world) == [1]
    assert len(entry_ids(world)) == 3
    assert len(set(entry_ids(world))) == 1, "each attempt writes the same entity"
    assert world.entries() == []


def test_a_put_hook_belongs_to_its_attempt(world: World) -> None:
    """NDB calls _post_put_hook in each attempt; an event from there is sent once, and only then."""
    pusher = world.pusher()

    class Note(ndb.Model):
        def _post_put_hook(self, future: ndb.Future) -> None:
            hooks.append(self.key.id())
            pusher["board"].trigger("noted", {"n": 1})

    def rolled_back() -> None:
        Note(id="b").put()
        raise LookupError

    hooks: list[str] = []
    world.stub.faults += [(ABORTED, False), (ABORTED, False)]
    with world.client.context():
        ndb.transaction(lambda: Note(id="a").put())
    with world.client.context(), pytest.raises(LookupError):
        ndb.transaction(rolled_back)
    assert hooks == ["a", "a", "a", "b"]
    assert numbers(world) == [1]
    assert world.entries() == []


def test_real_contention_sends_once(world: World) -> None:
    """Two transactions that really collide in Datastore are told once each, in the end."""
    pusher = world.pusher()
    with world.client.context():
        Counter(id="c").put()
        runs = []

        def work() -> None:
            counter = Counter.get_by_id("c", use_cache=False)
            runs.append(counter.n)
            if len(runs) == 1:
                context = ndb.get_context().new(transaction=None, retry=None, cache=None)
                with context.use():
                    ndb.transaction(lambda: count_up("other"))  # begun and committed in between
            counter.n += 1
            counter.put()
            pusher["board"].trigger("moved", {"n": counter.n})

        ndb.transaction(work)
    assert numbers(world) == [1]


@pytest.mark.parametrize("code", [ABORTED, UNAVAILABLE])
def test_an_applied_commit_that_reports_an_error_loses_nothing(
    world: World, code: grpc.StatusCode
) -> None:
    """The second run takes up the entry of the first, so there is one entry with all events."""
    pusher = world.pusher()
    world.stub.faults.append((code, True))
    with world.client.context():
        ndb.transaction(told(pusher))
    assert count(world) == 2, "Datastore has applied both runs; that is NDB's to answer for"
    assert numbers(world) == [1, 2]
    first, second = entry_ids(world)
    assert first == second
    assert world.entries() == []


def test_the_same_event_of_two_runs_has_one_id_and_arrives_once(world: World) -> None:
    """Runs that trigger the same thing are one event, also on an encrypted channel."""
    pusher = world.pusher(encryption_master_key=MASTER_KEY)
    world.stub.faults.append((UNAVAILABLE, True))

    def work() -> None:
        pusher["board"].trigger("moved", {"to": "done"})
        pusher["private-encrypted-board"].trigger("moved", {"to": "done"})

    with world.client.context():
        ndb.transaction(work)
    assert [channel for channel, _, _ in world.sent()] == ["board", "private-encrypted-board"]


def test_a_failure_that_is_not_retried_keeps_its_entry_if_it_was_applied(world: World) -> None:
    """CANCELLED goes to the caller; the next transaction does not overwrite the entry."""
    pusher = world.pusher()
    world.stub.faults.append((CANCELLED, True))
    with world.client.context():
        with suppress(Exception):  # Google's emulator fails the rollback then, and NDB retries
            ndb.transaction(told(pusher))
        ndb.transaction(told(pusher))
    arrived = numbers(world)
    waiting = [json.loads(entry.events)["events"] for entry in world.entries()]
    stored = [json.loads(event["data"])["n"] for events in waiting for event in events]
    assert sorted(arrived + stored) == list(range(1, count(world) + 1))


def test_two_transactions_have_two_entries(world: World) -> None:
    """The same function, run twice in one context, writes two entries."""
    pusher = world.pusher()
    with world.client.context():
        for _ in range(3):
            ndb.transaction(told(pusher))
    assert len(set(entry_ids(world))) == 3
    assert numbers(world) == [1, 2, 3]


def test_a_joined_transaction_is_one_transaction(world: World) -> None:
    """What a joined function triggers is in the entry of the outer one, and goes with it."""
    pusher = world.pusher()

    @ndb.transactional()
    def inner() -> None:
        pusher["board"].trigger("inner", {})

    def outer() -> None:
        pusher["board"].trigger("outer", {})
        inner()
        ndb.transaction(inner, propagation=ndb.TransactionOptions.MANDATORY)
        ndb.transaction(inner, propagation=ndb.TransactionOptions.ALLOWED)

    with world.client.context():
        ndb.transaction(outer)
    assert [event for _, event, _ in world.sent()] == ["outer", "inner", "inner", "inner"]
    assert len(entry_ids(world)) == 1


def test_an_outer_rollback_takes_the_joined_events_with_it(world: World) -> None:
    """A joined function has not committed anything of its own."""
    pusher = world.pusher()

    def outer() -> None:
        ndb.transaction(told(pusher), join=True)
        raise Rollback

    with world.client.context(), pytest.raises(Rollback):
        ndb.transaction(outer)
    assert (world.sent(), world.entries()) == ([], [])


def test_an_independent_transaction_is_its_own(world: World) -> None:
    """Its events leave although the outer transaction rolls back, under an id of their own."""
    pusher = world.pusher()

    def outer() -> None:
        pusher["board"].trigger("outer", {})
        for _ in range(2):
            ndb.transaction(told(pusher), propagation=ndb.TransactionOptions.INDEPENDENT)
        raise Rollback

    with world.client.context():  # noqa: SIM117 NDB leaves work undone when its context fails
        with pytest.raises(Rollback):
            ndb.transaction(outer)
    assert numbers(world) == [1, 2]
    assert len(set(entry_ids(world))) == 2
    assert world.entries() == []


def test_a_nested_transaction_is_refused_by_ndb(world: World) -> None:
    """NESTED is not supported by Cloud NDB; the outer transaction is as good as before."""
    pusher = world.pusher()

    def outer() -> None:
        with pytest.raises(ndb.exceptions.BadRequestError):
            ndb.transaction(told(pusher), propagation=ndb.TransactionOptions.NESTED)
        told(pusher)()

    with world.client.context():
        ndb.transaction(outer)
    assert numbers(world) == [1]


def test_non_transactional_code_sends_at_once(world: World) -> None:
    """Who pauses the transaction is outside of it."""
    pusher = world.pusher()

    def outer() -> None:
        assert ndb.non_transactional()(pusher["board"].trigger)("now", {}) is True
        raise Rollback

    with world.client.context(), pytest.raises(Rollback):
        ndb.transaction(outer)
    assert [event for _, event, _ in world.sent()] == ["now"]


def test_a_future_may_be_yielded_inside(world: World) -> None:
    """trigger_async inside a transaction is settled at once with a true value: no deadlock."""
    pusher = world.pusher()

    @ndb.tasklet
    def work() -> Any:
        counter = yield Counter.get_by_id_async("c")
        answers = yield [
            pusher["board"].trigger_async("one", {}),
            pusher.trigger_async(["a", "b"], "two", {}),
            pusher.trigger_batch_async([{"channel": "c", "name": "three", "data": {}}]),
        ]
        yield (counter or Counter(id="c")).put_async()
        yield pusher["board"].trigger_async("four", {})
        return answers

    with world.client.context():
        answers = ndb.transaction(work)
    assert all(answers)
    assert {type(answer) for answer in answers} == {Deferred}
    assert [(channel, event) for channel, event, _ in world.sent()] == [
        ("board", "one"),
        ("a", "two"),
        ("b", "two"),
        ("c", "three"),
        ("board", "four"),
    ]
    assert len(entry_ids(world)) == 1


def test_reads_between_triggers_do_not_write_the_entry_twice(world: World) -> None:
    """The entry is written when the function is through, however often it waited for Datastore."""
    pusher = world.pusher()

    def work() -> None:
        for number in range(5):
            pusher["board"].trigger("moved", {"n": number})
            Counter.get_by_id(f"c{number}")

    with world.client.context():
        ndb.transaction(work)
    assert len(entry_ids(world)) == 1
    assert numbers(world) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("applied", [False, True])
def test_concurrent_transactions_of_one_context(world: World, applied: bool) -> None:
    """Transactions that run at the same time have their own entries, also when one is retried."""
    pusher = world.pusher()
    world.stub.faults.append((ABORTED, applied))

    def work(name: str) -> Any:
        @ndb.tasklet
        def steps() -> Any:
            counter = yield Counter.get_by_id_async(name)
            yield (counter or Counter(id=name)).put_async()
            yield pusher["board"].trigger_async(name, {})

        return steps

    with world.client.context():
        for future in [ndb.transaction_async(work(f"t{n}")) for n in range(5)]:
            future.result()
    sent = [event for _, event, _ in world.sent()]
    assert set(sent) == {f"t{n}" for n in range(5)}
    assert applied or len(sent) == 5
    # While the first of them runs, NDB calls all by its name. So the id of a failed commit goes to
    # whoever asks next, or to nobody when the others have one and the failed one comes back
    # under a name of its own.
    assert len(set(entry_ids(world))) in (5, 6)
    # An entry that is there in spite of its error, and that nobody took up, is for the sweep.
    assert applied or world.entries() == []


def test_the_hook_cannot_make_ndb_commit_twice(world: World) -> None:
    """With nobody at the other end the transaction commits once, and its caller sees no error."""
    pusher = world.pusher(port=1)
    with world.client.context():
        assert ndb.transaction(told(pusher), retries=2) == 1
    assert count(world) == 1
    (entry,) = world.entries()
    assert json.loads(entry.events)["events"][0]["name"] == "moved"


def test_a_hook_that_fails_for_any_reason_stays_silent(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a bug of ours after the commit is a line in the log and not a second commit."""
    pusher = world.pusher()

    def broken(*_: object) -> None:
        raise ConnectionError("a bug")

    monkeypatch.setattr(type(pusher.sender.transactions.outbox), "_lane", broken)
    with world.client.context():
        ndb.transaction(told(pusher), retries=2)
    assert count(world) == 1
    assert len(world.entries()) == 1
    assert "could not be sent after the commit" in caplog.text


def test_hooks_of_the_caller_run_and_may_trigger(world: World) -> None:
    """In a hook NDB believes to be in the transaction; a trigger there is sent all the same."""
    pusher = world.pusher()

    def work() -> None:
        context = ndb.get_context()
        context.call_on_commit(lambda: pusher["board"].trigger("before ours", {}))
        told(pusher)()
        context.call_on_commit(lambda: pusher["board"].trigger("after ours", {}))

    def only_hook() -> None:
        count_up()
        ndb.get_context().call_on_commit(lambda: pusher["board"].trigger("alone", {}))

    with world.client.context():
        ndb.transaction(work)
        ndb.transaction(only_hook)
    names = [event for _, event, _ in world.sent()]
    assert sorted(names) == ["after ours", "alone", "before ours", "moved"]
    assert world.entries() == []


def test_order_is_kept_inside_a_request(world: World) -> None:
    """What committed first arrives first, in batches of ten."""
    pusher = world.pusher()

    def work(number: int) -> None:
        for step in range(4):
            pusher["board"].trigger("moved", {"n": 10 * number + step})

    with world.client.context():
        for number in range(6):
            ndb.transaction(lambda number=number: work(number))
    assert numbers(world) == [10 * number + step for number in range(6) for step in range(4)]
    assert len(world.channels.calls) <= 6


def test_on_commit_send_needs_no_entry(world: World) -> None:
    """The event leaves after the commit and never before; Datastore sees nothing of it."""
    pusher = world.pusher(on_commit="send")

    def work() -> None:
        count_up()
        assert pusher["board"].trigger("moved", {"n": 1}) == Deferred(None)
        assert world.sent() == []

    with world.client.context():
        ndb.transaction(work)
    assert numbers(world) == [1]
    assert entry_ids(world) == []


def test_on_commit_send_loses_an_event_with_a_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Without an entry there is no second attempt, and somebody should know."""
    pusher = world.pusher(on_commit="send", port=1)
    with world.client.context():
        ndb.transaction(told(pusher), retries=2)
    assert count(world) == 1
    assert "1 events after a commit are lost" in caplog.text


def test_on_commit_raise_refuses(world: World) -> None:
    """The transaction's function gets the error; outside everything is as ever."""
    pusher = world.pusher(on_commit="raise")
    with world.client.context():
        with pytest.raises(InTransaction, match="when transaction\\(\\) has returned"):
            ndb.transaction(told(pusher))
        assert pusher["board"].trigger("moved", {"n": 2}) is True
    assert numbers(world) == [2]
    assert count(world) == 0


def test_an_unknown_on_commit_is_refused(world: World) -> None:
    """A misspelt option is told when the Pusher is made."""
    with pytest.raises(ConfigurationError, match="one of"):
        world.pusher(on_commit="later")


def test_info_cannot_be_asked_for_inside(world: World) -> None:
    """An answer that only exists after the event was sent is refused clearly."""
    pusher = world.pusher()
    with world.client.context(), pytest.raises(InTransaction, match="channel_info"):
        ndb.transaction(lambda: pusher["board"].trigger("moved", {}, info="subscription_count"))


def test_other_verbs_work_inside(world: World) -> None:
    """Questions are asked at once: they change nothing."""
    pusher = world.pusher()
    world.channels.answers.append((200, b'{"occupied": true}'))
    with world.client.context():
        assert ndb.transaction(lambda: pusher["board"].info()) == {"occupied": True}


def test_every_kind_of_trigger_waits(world: World) -> None:
    """One channel, many, a batch with a socket id, a user, an encrypted channel: one entry."""
    pusher = world.pusher(encryption_master_key=MASTER_KEY)

    def work() -> None:
        pusher["board"].trigger("one", {"a": 1}, "12.34")
        pusher.trigger(["b", "c"], "two", "text")
        pusher.trigger_batch([{"channel": "d", "name": "three", "data": [1]}])
        pusher.send_to_user("u7", "four", {})
        pusher["private-encrypted-board"].trigger("five", {"secret": 1})

    with world.client.context():
        ndb.transaction(work)
    found = {(channel, event): data for channel, event, data in world.sent()}
    assert found["b", "two"] == found["c", "two"] == "text"
    assert found["d", "three"] == "[1]"
    assert ("#server-to-user-u7", "four") in found
    plain = open_envelope(
        "private-encrypted-board", found["private-encrypted-board", "five"], MASTER_KEY
    )
    assert json.loads(plain)["secret"] == 1
    assert len(json.loads(plain)["event_id"]) == 32
    assert any(b'"12.34"' in call.body for call in world.channels.calls)
    assert len(entry_ids(world)) == 1


def test_an_encrypted_event_is_stored_encrypted(world: World) -> None:
    """Datastore never sees the plain text."""
    pusher = world.pusher(encryption_master_key=MASTER_KEY, port=1)
    with world.client.context():
        ndb.transaction(lambda: pusher["private-encrypted-board"].trigger("e", "whisper"))
    (entry,) = world.entries()
    assert "whisper" not in entry.events
    assert base64.b64encode(b"whisper").decode() not in entry.events


def test_the_events_of_one_transaction_have_a_limit(world: World) -> None:
    """More than an entity can hold is refused in the trigger, and the transaction rolls back."""
    pusher = world.pusher()

    def work() -> None:
        count_up()
        for _ in range(120):
            pusher["board"].trigger("moved", "x" * 10_000)

    with world.client.context(), pytest.raises(TransactionTooLarge) as caught:
        ndb.transaction(work)
    assert caught.value.size > caught.value.limit
    assert (world.sent(), count(world)) == ([], 0)


def test_an_event_needs_room_for_its_id(world: World) -> None:
    """Data that is just small enough by itself is refused with the id, in words that say so."""
    pusher = world.pusher()
    data = {"text": "x" * 10_220}
    with world.client.context():
        with pytest.raises(PayloadTooLarge, match="with its event_id"):
            ndb.transaction(lambda: pusher["board"].trigger("moved", data))
        without = world.pusher(outbox=world.outbox(id_field=None))
        ndb.transaction(lambda: without["board"].trigger("moved", data))
    assert [json.loads(text) for _, _, text in world.sent()] == [data]


def test_the_outbox_is_in_the_default_namespace(world: World) -> None:
    """An app with namespaces has one outbox, which one sweep can find."""
    pusher = world.pusher(port=1)
    with world.client.context(namespace="tenant-1"):
        ndb.transaction(told(pusher))
    assert len(world.entries()) == 1


def test_a_pusher_without_an_outbox_of_its_own_has_the_default_one(world: World) -> None:
    """Nothing has to be configured for events to commit with their data."""
    pusher = Pusher(**world.channels.app(channel_type=_ndb_channel()))
    with world.client.context():
        ndb.transaction(told(pusher))
    assert len(entry_ids(world)) == 1
    assert numbers(world) == [1]


def _ndb_channel() -> Any:
    from gae_pusher import GaeNdbChannel

    return GaeNdbChannel


def test_a_dead_service_does_not_hold_the_request(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The end of the context waits for the time budget at most, and the entry stays."""
    caplog.set_level(logging.WARNING, "gae_pusher")
    pusher = world.pusher(port=1)
    with world.client.context():
        for _ in range(3):
            ndb.transaction(told(pusher))
    assert len(world.entries()) == 3
    assert "waits, 1 events" in caplog.text
