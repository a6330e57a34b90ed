"""GoogleAppEngineChannel under the bundled services."""

from __future__ import annotations

import socket
import traceback
from typing import Any

import pytest
from google.appengine.api import apiproxy_stub_map

from gae_pusher import GoogleAppEngineChannel, Pusher, errors
from tests.scripted_server import Answer, Raw, ScriptedServer, Stall


def pusher(port: int, **options: Any) -> Pusher:
    """An app on this machine."""
    where = {"host": "127.0.0.1", "port": port, "ssl": False, "retry_seconds": 0}
    return Pusher(
        "3", "a-key", "a-secret", channel_type=GoogleAppEngineChannel, **(where | options)
    )


@pytest.mark.usefixtures("stubs")
def test_urlfetch_is_taken() -> None:
    """Where the bundled services are on, urlfetch sends, with the signature that we made."""
    with ScriptedServer([Answer(body=b'{"channels":{}}')]) as server:
        app = pusher(server.port)
        assert app.trigger("a_channel", "an_event", {"some": "data"}) == {"channels": {}}
    (request,) = server.requests
    assert "AppEngine-Google" in request.headers["user-agent"]
    assert request.headers["content-type"] == "application/json"
    assert len(request.params["auth_signature"]) == 64
    assert request.body.startswith(b'{"name":"an_event"')


@pytest.mark.usefixtures("stubs")
def test_urlfetch_can_be_left_out() -> None:
    """With urlfetch=False the engine sends, bundled services or not."""
    with ScriptedServer() as server:
        app = pusher(server.port, urlfetch=False)
        app["a_channel"].trigger("an_event", {})
        app.close()
    assert "AppEngine-Google" not in server.requests[0].headers.get("user-agent", "")


def test_the_engine_sends_without_an_api_proxy() -> None:
    """An installed SDK alone does not mean that anybody answers for urlfetch."""
    with ScriptedServer() as server:
        app = pusher(server.port)
        assert app["a_channel"].trigger("an_event", {}) is True
        app.close()
    assert "AppEngine-Google" not in server.requests[0].headers.get("user-agent", "")


def test_no_api_proxy() -> None:
    """Whoever insists on urlfetch without an API proxy is told what to set."""
    with pytest.raises(errors.ConfigurationError, match="app_engine_apis: true") as caught:
        pusher(1, urlfetch=True).trigger("a_channel", "an_event", {})
    assert "wrap_wsgi_app(app)" in str(caught.value)


def test_an_api_proxy_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapped app outside of App Engine is told the same when it sends."""
    from google.appengine.runtime import default_api_stub

    monkeypatch.setattr(apiproxy_stub_map, "apiproxy", apiproxy_stub_map.APIProxyStubMap())
    default_api_stub.Register(default_api_stub.DefaultApiStub())
    with pytest.raises(errors.ConfigurationError, match="app_engine_apis: true"):
        pusher(8080).trigger("a_channel", "an_event", {})


@pytest.mark.usefixtures("stubs")
@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, errors.UnexpectedStatus), (401, errors.AuthenticationError), (500, errors.ServerError)],
)
def test_statuses(status: int, kind: type[errors.ResponseError]) -> None:
    """A status is the error that belongs to it; a redirect is not followed."""
    script = [Answer(status, b"words", ("Location: /elsewhere",))]
    with ScriptedServer(script) as server, pytest.raises(kind) as caught:
        pusher(server.port).trigger("a_channel", "an_event", {})
    assert (caught.value.status, caught.value.body) == (status, "words")
    assert len(server.requests) == 1


@pytest.mark.usefixtures("stubs")
@pytest.mark.parametrize("step", [Raw(), Raw(reset=True), Stall()])
def test_no_answer(step: Raw | Stall) -> None:
    """What broke or took too long may have had its effect; the signed URL is not shown."""
    with ScriptedServer([step]) as server, pytest.raises(errors.TransportError) as caught:
        pusher(server.port, timeout=1).trigger("a_channel", "an_event", {})
    assert caught.value.sent is not False
    assert "auth_signature" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("stubs")
def test_refused() -> None:
    """Where nobody listens, the connection failed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.ConnectionFailed):
        pusher(port).trigger("a_channel", "an_event", {})


def test_urlfetch_has_no_proxy() -> None:
    """Settings that urlfetch cannot honour are refused beside urlfetch=True."""
    with pytest.raises(errors.ConfigurationError, match="http_proxy"):
        pusher(1, urlfetch=True, http_proxy="http://127.0.0.1:1")["a_channel"]
