"""GaeNdbChannel: futures for tasklets, and errors that do not get lost."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud import ndb

from gae_pusher import GaeNdbChannel, Pusher, errors
from gae_pusher.sansio.http import Response
from tests.channels.roads import ndb_client
from tests.google_datastore import running_google_datastore
from tests.scripted_server import Answer, Raw, ScriptedServer, Stall


def pusher(port: int, engine: str | None = None) -> Pusher:
    """An app on this machine."""
    where = {"host": "127.0.0.1", "port": port, "ssl": False, "retry_seconds": 0}
    return Pusher("3", "a-key", "a-secret", channel_type=GaeNdbChannel, engine=engine, **where)


@pytest.fixture(params=["urllib3", "pycurl"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine."""
    return str(request.param)


def test_every_twin(engine: str) -> None:
    """Every verb of a channel has a twin that answers with a future of the same."""
    script = [Answer(body=b'{"occupied":true}'), Answer(body=b'{"users":[]}'), Answer()]
    with ScriptedServer(script) as server, ndb_client().context():
        channel = pusher(server.port, engine)["presence-a"]
        assert channel.info_async().result() == {"occupied": True}
        assert channel.users_async().result() == {"users": []}
        assert channel.trigger_async("an_event", {}).result() is True
        assert isinstance(channel.trigger_async("an_event", {}), ndb.Future)


def test_in_a_tasklet(engine: str) -> None:
    """Futures can be yielded, one or many at a time, and their errors are thrown in."""

    @ndb.tasklet
    def work(app: Pusher) -> Any:
        one = yield app["a_channel"].trigger_async("an_event", {})
        many = yield [app["a_channel"].trigger_async("an_event", {}) for _ in range(3)]
        try:
            yield app["a_channel"].trigger_async("an_event", {})
        except errors.ServerError as error:
            return one, many, error.status

    script = [Answer(), Answer(), Answer(503)]
    with ScriptedServer(script) as server, ndb_client().context():
        assert work(pusher(server.port, engine)).result() == (True, (True, True, True), 503)


def test_triggers_run_at_the_same_time(engine: str) -> None:
    """One that gets no answer does not hold up another."""
    with ScriptedServer([Stall()]) as server, ndb_client().context():
        app = pusher(server.port, engine)
        stuck = app["a_channel"].trigger_async("an_event", {}, timeout=2, batch=False)
        assert server.arrived.acquire(timeout=5)
        swift = [app["a_channel"].trigger_async("an_event", {}) for _ in range(5)]
        for future in swift:
            future.wait()
        assert not stuck.done()
        with pytest.raises(errors.TransportTimeout):
            stuck.result()


def test_the_end_of_the_context_waits(engine: str) -> None:
    """Leaving the context sends what nobody waited for."""
    with ScriptedServer() as server:
        with ndb_client().context():
            futures = [
                pusher(server.port, engine)["a_channel"].trigger_async("an_event", {})
                for _ in range(20)
            ]
            app = pusher(server.port, engine)
            for _ in range(20):
                app["a_channel"].trigger_async("an_event", {})
        assert all(future.done() for future in futures)
        assert len(server.requests) == 20 + 2  # one for each app, two for the twenty of one


def test_outside_of_a_context() -> None:
    """Without a context an _async verb says what it needs."""
    with pytest.raises(errors.ConfigurationError, match=r"client\.context\(\)"):
        pusher(1)["a_channel"].trigger_async("an_event", {})


def test_bad_arguments_raise_at_once() -> None:
    """What can never be sent is told where it was said."""
    with ndb_client().context(), pytest.raises(errors.InvalidChannelName):
        pusher(1)["a channel"]


def test_the_raw_answer() -> None:
    """send_request_async gives the answer as it came, whatever its status."""
    with ScriptedServer([Answer(404, b"gone", ("X-Fact: yes",))]) as server:
        app = pusher(server.port)
        (operation,) = app._verbs.channel_info("a_channel").operations
        request = operation.request(app._sender()._credentials, 1.0)
        with ndb_client().context():
            answer = app["a_channel"].send_request_async(request).result()
    assert isinstance(answer, Response)
    assert (answer.status, answer.body, answer.headers["x-fact"]) == (404, b"gone", "yes")


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No collector of cycles: what is found in time is found without it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("step", [Answer(500, b"words"), Raw()])
def test_an_error_that_nobody_asked_for(
    engine: str, step: Answer | Raw, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged by the end of the context, without the event's data."""
    with ScriptedServer([step]) as server, ndb_client().context():
        pusher(server.port, engine)["a_channel"].trigger_async("an_event", "some-payload")
    (record,) = [record for record in caplog.records if record.name == "gae_pusher"]
    assert record.levelno == logging.ERROR
    assert "some-payload" not in caplog.text
    assert "auth_signature" not in caplog.text


@pytest.mark.parametrize("ask", ["result", "get_result", "exception", "check_success", "yield"])
def test_an_error_that_somebody_asked_for(ask: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asked for the error in one of NDB's ways has it, and it is not logged."""

    @ndb.tasklet
    def wait_for(future: ndb.Future) -> Any:
        yield future

    with ScriptedServer([Answer(500)]) as server, ndb_client().context():
        future = pusher(server.port)["a_channel"].trigger_async("an_event", {})
        future.wait()
        if ask == "exception":
            assert isinstance(future.exception(), errors.ServerError)
        else:
            call = wait_for(future).result if ask == "yield" else getattr(future, ask)
            with pytest.raises(errors.ServerError):
                call()
        del future
    gc.collect()
    assert not [record for record in caplog.records if record.name == "gae_pusher"]


def test_a_cancelled_trigger(caplog: pytest.LogCaptureFixture) -> None:
    """Cancelling settles the future at once, is no failure, and the answer is thrown away."""
    with ScriptedServer([Answer(500)]) as server:
        with ndb_client().context():
            future = pusher(server.port)["a_channel"].trigger_async("an_event", {}, batch=False)
            future.cancel()
            assert future.cancelled()
        assert len(server.requests) == 1
        del future
    gc.collect()
    assert not [record for record in caplog.records if record.name == "gae_pusher"]


class Card(ndb.Model):
    """Something to store."""

    title = ndb.StringProperty()


def test_beside_datastore(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trigger can be yielded beside the put that it tells of, and both run at once."""

    @ndb.tasklet
    def store_and_tell(app: Pusher) -> Any:
        put = Card(title="Write tests").put_async()
        key, told = yield put, app["a_channel"].trigger_async("card-added", {"title": "x"})
        card = yield key.get_async()
        return card.title, told

    with running_google_datastore(tmp_path_factory.mktemp("datastore")) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert os.environ["DATASTORE_EMULATOR_HOST"]
        with ScriptedServer() as server, ndb_client().context():
            assert store_and_tell(pusher(server.port)).result() == ("Write tests", True)
    assert len(server.requests) == 1
