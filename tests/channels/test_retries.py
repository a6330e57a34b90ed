"""Every channel type repeats, gives up and rescues in the same way."""

from __future__ import annotations

import json
import logging
import socket
import time
from contextlib import suppress
from email.utils import formatdate
from typing import Any

import pytest

from gae_pusher import Pusher, errors
from tests.channels.roads import ROADS, Road, ndb_client
from tests.scripted_server import Answer, Raw, ScriptedServer, Stall, Step

EVENT = ("a_channel", "an_event", {})
EXPIRED = b"Timestamp expired: Given timestamp (2020-01-01T00:00:00Z) not within 600s of server"


@pytest.fixture(params=ROADS, ids=lambda road: road.name)
def road(request: pytest.FixtureRequest) -> Road:
    """One way to send."""
    found: Road = request.param
    return found


def outcomes(road: Road, port: int, count: int = 1, verb: str = "trigger", **options: Any) -> Any:
    """What so many verbs of one app answer or raise."""
    pusher = road.pusher(port, **options)
    found: list[Any] = []
    with road.calling(pusher) as call:
        for _ in range(count):
            try:
                found.append(call(verb, *(EVENT if verb == "trigger" else ())))
            except errors.PusherError as error:
                found.append(error)
        if road.name == "asyncio":
            call("close")
        else:
            pusher.close()
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize("status", [408, 500, 503])
def test_trouble_of_the_service_is_retried(road: Road, status: int) -> None:
    """With time to retry, an answer of 5xx or 408 is followed by another attempt."""
    with ScriptedServer([Answer(status), Answer(status)]) as server:
        assert outcomes(road, server.port, retry_seconds=5) == [{}]
    assert len(server.requests) == 3


def test_by_default_a_hiccup_is_retried(road: Road) -> None:
    """Without any option a 503 is followed by another attempt, and what is unknown is not."""
    with ScriptedServer([Answer(503), Raw()]) as server:
        pusher = road.patient_pusher(server.port)
        with road.calling(pusher) as call, pytest.raises(errors.ConnectionFailed) as raised:
            call("trigger", *EVENT)
    assert raised.value.sent is not False
    assert len(server.requests) == 2


def test_without_time_there_is_one_attempt(road: Road) -> None:
    """With retry_seconds=0 one verb is one request."""
    with ScriptedServer([Answer(503)]) as server:
        (error,) = outcomes(road, server.port, retry_seconds=0)
    assert type(error) is errors.ServerError
    assert len(server.requests) == 1


def test_each_attempt_is_signed_anew(road: Road) -> None:
    """A later attempt has a later time, and a signature of its own."""
    times = iter([1_700_000_000.0, 1_700_000_009.0])
    with ScriptedServer([Answer(500)]) as server:
        outcomes(road, server.port, retry_seconds=5, clock=lambda: next(times))
    first, second = (request.params for request in server.requests)
    assert (first["auth_timestamp"], second["auth_timestamp"]) == ("1700000000", "1700000009")
    assert first["auth_signature"] != second["auth_signature"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429])
def test_refusals_are_not_retried(road: Road, status: int) -> None:
    """The same request would be refused again."""
    with ScriptedServer([Answer(status)]) as server:
        (error,) = outcomes(road, server.port, retry_seconds=5)
    assert error.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("step", [Raw(), Stall()], ids=["cut off", "no answer"])
def test_the_unknown_is_not_retried(road: Road, step: Step) -> None:
    """What may have arrived is sent again only for who asked for it."""
    with ScriptedServer([step, step]) as server:
        (error,) = outcomes(road, server.port, retry_seconds=5, timeout=1)
        assert isinstance(error, errors.TransportError)
        assert len(server.requests) == 1
        answers = outcomes(road, server.port, retry_seconds=5, timeout=1, retry_unknown=True)
    assert answers == [{}]
    assert len(server.requests) == 3


def test_the_budget_is_kept(road: Road) -> None:
    """Where nobody listens attempts go on, and end with the budget."""
    started = time.monotonic()
    (error,) = outcomes(road, free_port(), retry_seconds=0.8)
    assert 0.2 < time.monotonic() - started < 3
    assert type(error) is errors.ConnectionFailed
    assert error.sent is False


def test_a_slow_second_attempt_ends_with_the_budget(road: Road) -> None:
    """A repeated attempt gets what is left of the budget, not the whole timeout again."""
    with ScriptedServer([Answer(500), Stall()]) as server:
        started = time.monotonic()
        (error,) = outcomes(road, server.port, retry_seconds=1, timeout=30)
    assert time.monotonic() - started < 5
    assert type(error) is errors.TransportTimeout


def test_the_breaker(road: Road) -> None:
    """After failures in a row verbs fail at once, and nothing is sent."""
    with ScriptedServer([Answer(500)] * 9) as server:
        options = {"breaker_failures": 2, "breaker_seconds": 60}
        kinds = [type(error) for error in outcomes(road, server.port, 4, **options)]
    assert kinds == [errors.ServerError] * 2 + [errors.BreakerOpen] * 2
    assert len(server.requests) == 2


def test_a_skewed_clock(road: Road) -> None:
    """A 401 about the timestamp is repeated once with the service's time, which is kept."""
    refusal = Answer(401, EXPIRED, (f"Date: {formatdate(1_700_000_000, usegmt=True)}",))
    with ScriptedServer([refusal]) as server:
        answers = outcomes(road, server.port, 2, clock=lambda: 1_600_000_000.0)
    assert answers == [{}, {}]
    stamps = [request.params["auth_timestamp"] for request in server.requests]
    assert stamps == ["1600000000", "1700000000", "1700000000"]


@pytest.mark.parametrize(
    ("body", "date", "count"),
    [
        (EXPIRED, ("Date: Thu, 01 Jan 1970 00:00:00 GMT",), 2),  # and refused again
        (EXPIRED, ("Date: yesterday",), 1),
        (EXPIRED, (), 1),
        (b"Invalid signature", (f"Date: {formatdate(1_700_000_000)}",), 1),
    ],
    ids=["again", "no date", "none", "signature"],
)
def test_a_clock_that_cannot_be_corrected(
    road: Road, body: bytes, date: tuple[str, ...], count: int
) -> None:
    """A 401 is repeated once at most, and only with another time."""
    with ScriptedServer([Answer(401, body, date)] * 3) as server:
        (error,) = outcomes(road, server.port)
    assert type(error) is errors.AuthenticationError
    assert len(server.requests) == count


def test_rescue(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """A trigger that failed is a line in the log and None; what only asks still raises."""
    with ScriptedServer([Answer(500, b"words"), Answer(500)]) as server:
        assert outcomes(road, server.port, rescue=True) == [None]
        (error,) = outcomes(road, server.port, verb="channels_info", rescue=True)
    assert type(error) is errors.ServerError
    records = [each for each in caplog.records if each.name == "gae_pusher"]
    assert [each.levelno for each in records] == [logging.ERROR]
    assert "words" in caplog.text
    assert "auth_signature" not in caplog.text


def test_rescue_hides_no_mistake(road: Road) -> None:
    """A wrong argument raises all the same."""
    pusher = road.pusher(1, rescue=True)
    with road.calling(pusher) as call, pytest.raises(errors.InvalidChannelName):
        call("trigger", "not a channel", "e", {})


@pytest.mark.parametrize(
    "options", [{"retry_seconds": -1}, {"breaker_failures": -1}, {"breaker_seconds": 0}]
)
def test_impossible_options(road: Road, options: dict[str, float]) -> None:
    """A number that cannot be meant is told when the app is made."""
    with pytest.raises(errors.ConfigurationError, match=next(iter(options))):
        road.pusher(1, **options)


def batch_of_three(script: list[Step], **options: Any) -> tuple[list[Any], list[int]]:
    """The outcomes of three triggers of one turn, and the number of events in each request."""
    road = next(road for road in ROADS if road.name == "ndb-urllib3")
    with ScriptedServer(script) as server, ndb_client().context():
        pusher: Pusher = road.pusher(server.port, connections=1, **options)
        futures = [pusher["a_channel"].trigger_async("e", {}) for _ in range(3)]
        found = []
        for future in futures:
            with suppress(errors.PusherError):
                future.wait()
            found.append(future.exception() or future.result())
    sizes = [len(json.loads(request.body).get("batch", [1])) for request in server.requests]
    return found, sizes


def test_a_batch_is_retried_as_a_whole() -> None:
    """The same events travel together again."""
    assert batch_of_three([Answer(503)], retry_seconds=5) == ([True] * 3, [3, 3])


def test_a_batch_is_rescued(caplog: pytest.LogCaptureFixture) -> None:
    """Each event of a rescued batch answers None, and a server without batches gets them alone."""
    assert batch_of_three([Answer(500)], rescue=True) == ([None] * 3, [3])
    assert caplog.text.count("rescued") == 3
    assert batch_of_three([Answer(404)], rescue=True) == ([True] * 3, [3, 1, 1, 1])


def test_back_pressure_lives_through_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for room in trigger_async also waits out the pause before another attempt."""
    monkeypatch.setattr("gae_pusher.channels.batching.WAITING_EVENTS", 20)
    road = next(road for road in ROADS if road.name == "ndb-pycurl")
    with ScriptedServer([Answer(503)] * 2) as server, ndb_client().context():
        pusher = road.pusher(server.port, connections=1, retry_seconds=5)
        futures = [pusher["a_channel"].trigger_async("e", {}) for _ in range(100)]
        assert all(future.result() for future in futures)
    assert len(server.requests) == 12
