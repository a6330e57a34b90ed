"""The triggers of one turn of the event loop travel together, and each future gets its own."""

from __future__ import annotations

import gc
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from google.cloud import ndb

from gae_pusher import GaeNdbChannel, Pusher, errors, gather
from gae_pusher.channels import batching
from gae_pusher.sansio.encryption import open_envelope
from tests.channels.roads import ndb_client
from tests.scripted_server import Answer, Raw, ScriptedServer, Stall, Step

KEY = b"0123456789abcdef0123456789abcdef"


def app(port: int, **options: Any) -> Pusher:
    """An app on this machine."""
    where = {"host": "127.0.0.1", "port": port, "ssl": False, "encryption_master_key": KEY}
    where |= {"channel_type": GaeNdbChannel, "retry_seconds": 0}
    return Pusher("3", "a-key", "a-secret", **where | options)


@pytest.fixture(params=["urllib3", "pycurl"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    return str(request.param)


@pytest.fixture(autouse=True)
def context() -> Iterator[Any]:
    """An NDB context around each test."""
    with ndb_client().context() as context:
        yield context


def sent(server: ScriptedServer) -> list[tuple[str, list[str]]]:
    """The endpoint and the names of the events of each request."""
    found = []
    for request in server.requests:
        body = json.loads(request.body)
        names = [item["name"] for item in body.get("batch", [body])]
        found.append((request.target.partition("?")[0].rpartition("/")[2], names))
    return found


def triggers(pusher: Pusher, count: int, first: int = 0, **options: Any) -> list[Any]:
    """Futures of that many triggers, named by their number."""
    numbers = range(first, first + count)
    return [pusher["a_channel"].trigger_async(str(number), {}, **options) for number in numbers]


def test_one_turn_travels_ten_to_a_request(engine: str) -> None:
    """The triggers of one turn are batches of ten, in order; a last one alone is a plain trigger.

    Nothing is sent before the loop runs.
    """
    with ScriptedServer() as server:
        futures = triggers(app(server.port, engine=engine, connections=1), 21)
        assert all(type(future).__mro__[1] is ndb.Future for future in futures)
        assert gather(futures).result() == [True] * 21
    names = [str(number) for number in range(21)]
    assert sent(server) == [
        ("batch_events", names[:10]),
        ("batch_events", names[10:20]),
        ("events", names[20:]),
    ]


def test_tasklets_share_a_batch(engine: str) -> None:
    """What many tasklets trigger in the same turn travels together."""

    @ndb.tasklet
    def work(pusher: Pusher, number: int) -> Any:
        yield pusher["a_channel"].trigger_async(f"first-{number}", {})
        yield pusher["a_channel"].trigger_async(f"second-{number}", {})

    with ScriptedServer() as server:
        pusher = app(server.port, engine=engine)
        gather([work(pusher, number) for number in range(10)]).result()
    assert [len(names) for _, names in sent(server)] == [10, 10]


def test_several_batches_are_under_way_under_a_cap(engine: str) -> None:
    """As many requests run at a time as there may be connections, and not one more."""
    with ScriptedServer([Stall()] * 3) as server:
        futures = triggers(app(server.port, engine=engine, connections=3, timeout=1), 40)
        for future in futures:
            future.wait()  # the fourth batch is sent when one of the three was given up
        assert futures[30].result() is True
        assert {type(future.exception()) for future in futures[:30]} == {errors.TransportTimeout}


def test_info_stays_aligned(engine: str) -> None:
    """Each event gets its own counts, also beside events that asked for none."""
    parts = [{"user_count": 1}, {}, {"user_count": 3}]
    with ScriptedServer([Answer(body=json.dumps({"batch": parts}).encode())]) as server:
        pusher = app(server.port, engine=engine)
        futures = [
            pusher["presence-a"].trigger_async("e", {}, info="user_count"),
            pusher["presence-b"].trigger_async("e", {}),
            pusher.trigger_async("presence-c", "e", {}, info="user_count"),
        ]
        assert gather(futures).result() == [
            {"user_count": 1},
            True,
            {"channels": {"presence-c": {"user_count": 3}}},
        ]


def test_an_answer_without_an_array() -> None:
    """A server that says nothing about each event has accepted them all the same."""
    with ScriptedServer([Answer(body=b'{"batch":{}}')]) as server:
        pusher = app(server.port)
        asked = pusher["presence-a"].trigger_async("e", {}, info="user_count")
        plain = pusher["a_channel"].trigger_async("e", {})
        assert (asked.result(), plain.result()) == ({}, True)


def test_many_channels_have_a_request_of_their_own(engine: str) -> None:
    """A trigger on many channels keeps its place between the batches around it."""
    with ScriptedServer() as server:
        pusher = app(server.port, engine=engine, connections=1)
        futures = triggers(pusher, 2)
        futures.append(pusher.trigger_async(["a", "b"], "2", {}))
        futures += triggers(pusher, 2, first=3)
        assert gather(futures).result() == [True, True, {}, True, True]
    assert sent(server) == [
        ("batch_events", ["0", "1"]),
        ("events", ["2"]),
        ("batch_events", ["3", "4"]),
    ]
    assert json.loads(server.requests[1].body)["channels"] == ["a", "b"]


def test_encrypted_channels_travel_with_others() -> None:
    """Each event of a batch is encrypted for its own channel."""
    with ScriptedServer() as server:
        pusher = app(server.port)
        names = ["private-encrypted-a", "private-encrypted-b", "plain"]
        gather([pusher[name].trigger_async("e", {"for": name}) for name in names]).result()
    (request,) = server.requests
    first, second, third = json.loads(request.body)["batch"]
    for item in (first, second):
        opened = open_envelope(item["channel"], item["data"], KEY)
        assert json.loads(opened) == {"for": item["channel"]}
    assert json.loads(third["data"]) == {"for": "plain"}


@pytest.mark.parametrize("step", [Answer(500), Raw()])
def test_an_error_settles_its_own_events(engine: str, step: Step) -> None:
    """The ten events of a batch that failed get its error, all others their answers."""
    with ScriptedServer([Answer(), step]) as server:
        futures = triggers(app(server.port, engine=engine, connections=1), 25)
        for future in futures:
            future.wait()
        outcomes = [future.exception() for future in futures]
        assert outcomes[:10] == [None] * 10
        assert outcomes[20:] == [None] * 5
        assert len({id(error) for error in outcomes[10:20]}) == 1
        assert isinstance(outcomes[10], errors.PusherError)


def test_what_is_too_large_is_told_before_anything_is_sent() -> None:
    """An event over the limit raises where it was triggered and does not spoil its batch."""
    with ScriptedServer() as server:
        pusher = app(server.port)
        futures = triggers(pusher, 2)
        with pytest.raises(errors.PayloadTooLarge):
            pusher["a_channel"].trigger_async("2", "x" * 10_241)
        assert gather(futures).result() == [True, True]
    assert sent(server) == [("batch_events", ["0", "1"])]


def test_errors_nobody_asked_for(caplog: pytest.LogCaptureFixture, context: Any) -> None:
    """Each event of a failed batch that nobody asks about is logged by its name and channel."""
    with ScriptedServer([Answer(500)]) as server:
        triggers(app(server.port), 3)
        context.eventloop.run()
    records = [record for record in caplog.records if record.name == "gae_pusher"]
    assert [record.levelno for record in records] == [logging.ERROR] * 3
    told = sorted(record.getMessage() for record in records)
    assert told[0] == "the trigger of 0 on a_channel failed and nobody asked"


def test_a_server_without_batches(engine: str) -> None:
    """404 for a batch: its events are sent alone, in order, and the next ones at once so."""
    with ScriptedServer([Answer(404)]) as server:
        pusher = app(server.port, engine=engine, connections=1)
        assert gather(triggers(pusher, 3)).result() == [True] * 3
        assert gather(triggers(pusher, 2, first=3)).result() == [True] * 2
    assert sent(server) == [
        ("batch_events", ["0", "1", "2"]),
        *[("events", [str(number)]) for number in range(5)],
    ]


def test_an_app_that_is_not_there(engine: str) -> None:
    """404 for everything is no lack of batches: each future says so, and batches go on."""
    with ScriptedServer([Answer(404)] * 4) as server:
        pusher = app(server.port, engine=engine, connections=1)
        for future in triggers(pusher, 3):
            with pytest.raises(errors.NotFound):
                future.result()
        gather(triggers(pusher, 3)).result()
    assert sent(server)[-1] == ("batch_events", ["0", "1", "2"])


def test_switched_off(engine: str) -> None:
    """`batch=False` for an app or for one call sends each event alone, at once."""
    with ScriptedServer() as server:
        gather(triggers(app(server.port, engine=engine, batch=False), 3)).result()
        gather(triggers(app(server.port, engine=engine), 3, batch=False)).result()
        gather(triggers(app(server.port, engine=engine, batch=False), 3, batch=True)).result()
    assert [endpoint for endpoint, _ in sent(server)] == ["events"] * 6 + ["batch_events"]


def test_time_limits_do_not_mix() -> None:
    """Events with different time limits do not share a request."""
    with ScriptedServer() as server:
        pusher = app(server.port, connections=1)
        futures = [*triggers(pusher, 2), *triggers(pusher, 2, timeout=3)]
        gather(futures).result()
    assert [len(names) for _, names in sent(server)] == [2, 2]


def test_what_is_cancelled_in_time_is_not_sent() -> None:
    """A trigger that is cancelled in its own turn never leaves."""
    with ScriptedServer() as server:
        futures = triggers(app(server.port), 3)
        futures[1].cancel()
        assert futures[2].result() is True
    assert sent(server) == [("batch_events", ["0", "2"])]


def test_the_end_of_the_context_sends() -> None:
    """Leaving the context sends what the turn left behind, and nothing of it is kept."""
    with ScriptedServer() as server:
        pusher = app(server.port)

        def handle() -> None:
            with ndb_client().context():
                triggers(pusher, 1_000)

        thread = threading.Thread(target=handle)
        thread.start()
        thread.join(20)
        assert len(server.requests) == 100
        assert pusher.sender._batches == {}


def test_nothing_is_kept_of_a_request_that_failed() -> None:
    """What a handler that raised has left behind goes with its context, unsent."""
    pusher = app(1)

    def handle() -> None:
        for _ in range(20):
            with suppress(KeyError), ndb_client().context():
                triggers(pusher, 3)
                raise KeyError("a bug of the app")

    thread = threading.Thread(target=handle)
    thread.start()
    thread.join(20)
    gc.collect()
    assert pusher.sender._batches == {}


def test_a_callback_may_wait_for_another_trigger(engine: str) -> None:
    """Whoever runs the loop within the loop finds what he waits for."""
    with ScriptedServer() as server:
        pusher = app(server.port, engine=engine)
        inner: list[Any] = []
        futures = triggers(pusher, 50)
        for future in futures[::7]:
            future.add_done_callback(
                lambda _: inner.append(pusher["a_channel"].trigger_async("inner", {}).result())
            )
        assert gather(futures).result() == [True] * 50
    assert inner == [True] * 8


def test_a_callback_that_raises_takes_no_other_event_with_it(engine: str) -> None:
    """Its error goes to who runs the loop; the rest of its batch, and all others, are settled."""
    with ScriptedServer() as server:
        futures = triggers(app(server.port, engine=engine, connections=1), 40)
        futures[1].add_done_callback(lambda _: {}["a bug of the app"])
        with pytest.raises(KeyError):
            futures[0].wait()
        assert [future.result() for future in futures] == [True] * 40
    assert len(server.requests) == 4


def test_thousands_fail_at_once(engine: str) -> None:
    """While the breaker is open no request leaves, and every future says so."""
    pusher = app(1, engine=engine, breaker_failures=2)
    futures = triggers(pusher, 6_000)
    for future in futures:
        future.wait()
    kinds = [type(future.exception()) for future in futures]
    assert kinds[0] is errors.ConnectionFailed
    assert kinds[-1] is errors.BreakerOpen


def test_an_interruption_leaves_what_waits_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while requests are made costs the one that was being made, not those behind it."""
    with ScriptedServer() as server:
        pusher = app(server.port, connections=1)
        submit = pusher.sender.engine.submit

        def interrupted(*_: Any) -> Any:
            monkeypatch.setattr(pusher.sender.engine, "submit", submit)
            raise KeyboardInterrupt

        monkeypatch.setattr(pusher.sender.engine, "submit", interrupted)
        futures = triggers(pusher, 35)
        with pytest.raises(KeyboardInterrupt):
            futures[30].wait()
        gc.collect()
        assert gather(futures[10:]).result() == [True] * 25
    assert [len(names) for _, names in sent(server)] == [10, 10, 5]


def test_a_trigger_alone_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """As one of a batch is: with its event and channel, without its data."""
    future = app(1)["a_channel"].trigger_async("alone", {"a": "secret"}, batch=False)
    future.wait()
    del future
    gc.collect()
    assert "the trigger of alone on a_channel failed and nobody asked" in caplog.text
    assert "secret" not in caplog.text.replace("a-secret", "")


def test_back_pressure(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once too many wait, trigger_async itself waits for the network, and runs no tasklet."""
    monkeypatch.setattr(batching, "WAITING_EVENTS", 50)
    ran: list[int] = []
    with ScriptedServer() as server:
        pusher = app(server.port, engine=engine, connections=2)
        ndb.get_context().eventloop.call_soon(lambda: ran.append(1))
        futures = triggers(pusher, 500)
        assert len(server.requests) >= 40
        assert sum(future.done() for future in futures) >= 400
        assert ran == []
        assert gather(futures).result() == [True] * 500


def test_back_pressure_does_not_raise_what_a_callback_raises(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event that waits for room is queued all the same; who runs the loop gets the error."""
    monkeypatch.setattr(batching, "WAITING_EVENTS", 50)
    with ScriptedServer() as server:
        pusher = app(server.port, engine=engine, connections=2)
        futures = triggers(pusher, 1)
        futures[0].add_done_callback(lambda _: {}["a bug of the app"])
        futures += triggers(pusher, 499, first=1)
        with pytest.raises(KeyError, match="a bug of the app"):
            gather(futures).result()
        assert gather(futures).result() == [True] * 500


def test_back_pressure_counts_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few large events hold up as many small ones do."""
    monkeypatch.setattr(batching, "WAITING_BYTES", 100_000)
    with ScriptedServer() as server:
        pusher = app(server.port)
        for number in range(100):
            pusher["a_channel"].trigger_async(str(number), "x" * 10_000)
        assert len(server.requests) >= 5


def test_threads_do_not_mix() -> None:
    """Each context has batches of its own, and all are sent."""
    with ScriptedServer() as server:
        pusher = app(server.port)
        answers: list[Any] = []

        def work() -> None:
            with ndb_client().context():
                answers.extend(gather(triggers(pusher, 50)).result())

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert answers == [True] * 200
    assert len(server.requests) == 20


def test_trigger_batch_async_is_one_future() -> None:
    """A batch of any size is one future of the merged answer."""
    items = [{"channel": "a", "name": str(number), "data": {}} for number in range(25)]
    with ScriptedServer() as server:
        assert app(server.port).trigger_batch_async(items).result() == {}
    assert [len(names) for _, names in sent(server)] == [10, 10, 5]
