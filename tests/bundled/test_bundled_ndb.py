"""BundledNdbChannel: the twins under google.appengine.ext.ndb."""

from __future__ import annotations

from typing import Any

import pytest
from google.appengine.ext import ndb

from gae_pusher import BundledNdbChannel, Pusher, errors
from gae_pusher.sansio.http import Response
from tests.scripted_server import Answer, Raw, ScriptedServer


class Card(ndb.Model):
    """Something to store."""

    title = ndb.StringProperty()


def pusher(port: int) -> Pusher:
    """An app on this machine."""
    where = {"host": "127.0.0.1", "port": port, "ssl": False, "retry_seconds": 0}
    return Pusher("3", "a-key", "a-secret", channel_type=BundledNdbChannel, **where)


@pytest.mark.usefixtures("stubs")
def test_beside_datastore() -> None:
    """A trigger can be yielded beside the put that it tells of."""

    @ndb.tasklet
    def store_and_tell(app: Pusher) -> Any:
        put = Card(title="Write tests").put_async()
        key, told = yield put, app["a_channel"].trigger_async("card-added", {"title": "x"})
        return key.get().title, told

    with ScriptedServer() as server:
        assert store_and_tell(pusher(server.port)).get_result() == ("Write tests", True)
    assert len(server.requests) == 1


@pytest.mark.usefixtures("stubs")
def test_every_twin() -> None:
    """Every verb has a twin that answers with a future of the same."""
    script = [Answer(body=b'{"occupied":true}'), Answer(body=b'{"users":[]}'), Answer(), Answer()]
    with ScriptedServer(script) as server:
        app = pusher(server.port)
        channel = app["presence-a"]
        assert channel.info_async().get_result() == {"occupied": True}
        assert channel.users_async().get_result() == {"users": []}
        assert app.trigger_async(["a", "b"], "an_event", {}).get_result() == {}
        assert channel.trigger("an_event", {}) is True
    assert [request.method for request in server.requests] == ["GET", "GET", "POST", "POST"]


@pytest.mark.usefixtures("stubs")
def test_the_raw_answer() -> None:
    """send_request_async gives the answer as it came, whatever its status."""
    with ScriptedServer([Answer(404, b"gone")]) as server:
        app = pusher(server.port)
        (operation,) = app._verbs.channel_info("a_channel").operations
        request = operation.request(app._sender()._credentials, 1.0)
        answer = app["a_channel"].send_request_async(request).get_result()
    assert isinstance(answer, Response)
    assert (answer.status, answer.body) == (404, b"gone")


@pytest.mark.usefixtures("stubs")
@pytest.mark.parametrize(
    ("step", "kind"), [(Answer(500), errors.ServerError), (Raw(), errors.ConnectionFailed)]
)
def test_errors_settle_the_future(step: Any, kind: type[errors.PusherError]) -> None:
    """A failure is raised by the future, never lost."""
    with ScriptedServer([step]) as server:
        future = pusher(server.port)["a_channel"].trigger_async("an_event", {})
        with pytest.raises(kind):
            future.get_result()


@pytest.mark.usefixtures("stubs")
def test_partial_failure() -> None:
    """A trigger in parts says which were accepted."""
    channels = [f"channel-{number}" for number in range(101)]
    with ScriptedServer([Answer(), Answer(500)]) as server:
        future = pusher(server.port).trigger_async(channels, "an_event", {})
        with pytest.raises(errors.PartialFailure) as caught:
            future.get_result()
    assert caught.value.remaining == ("channel-100",)


def test_no_api_proxy() -> None:
    """Without the stubs or the platform behind it, the error says what to do."""
    future = pusher(1)["a_channel"].trigger_async("an_event", {})
    with pytest.raises(errors.ConfigurationError, match="app_engine_apis: true"):
        future.get_result()


@pytest.mark.usefixtures("stubs")
def test_an_event_for_later_is_refused_in_a_transaction() -> None:
    """A task cannot be taken back when the transaction rolls back, so none is added there."""
    with pytest.raises(errors.InTransaction):
        ndb.transaction(lambda: pusher(1)["a_channel"].trigger_later("due"))
