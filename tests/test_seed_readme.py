"""The README of the 2012 module: its code as written there, through `import gae_pusher as pusher`.

Python 3's print and the values that a reader fills in are all that is changed. The service of the
tests speaks TLS, as gae_pusher does by default.
"""

from __future__ import annotations

import json
import ssl
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from google.cloud import ndb

import gae_pusher as pusher
from gae_pusher.sansio.http import Request
from gae_pusher.sansio.signing import sign
from tests.recording import Recorder, recording_server

CREATE = """
    p = pusher.Pusher(app_id='your-pusher-app-id', key='your-pusher-key', secret='your-pusher-secret')
"""  # noqa: E501
TRIGGER = """
    p['a_channel'].trigger('an_event', {'some': 'data'})
"""
TRIGGER_WITH_SOCKET_ID = """
    p['a_channel'].trigger('an_event', {'some': 'data'}, socket_id)
"""
WEBHOOK = """
    # Build the webhook
    webhook = p.webhook(request_body, header_key, header_signature)

    # Validate the webhook
    if not webhook.valid():
        # return 401 Unauthorized
        pass

    # Handle the incoming webhook's events
    for event in webhook.events():
        if event['name'] == 'channel_occupied':
            print("Channel %s has been occupied" % event['channel'])
        elif event['name'] == 'channel_vacated':
            print("Channel %s has been vacated" % event['channel'])
"""
DJANGO = """
    def webhook_controller(request):
        \"\"\"Assume this is a normal Django controller in views.py\"\"\"
        webhook = p.django_webhook(request)

        # And then you can use this just like above
        if webhook.valid():
            print("webhook is valid :)")
        else:
            print("webhook ain't valid! :\\\\")
"""
ENCODER = """
    from django.core.serializers.json import DjangoJSONEncoder
    p = pusher.Pusher(app_id='your-pusher-app-id', encoder=DjangoJSONEncoder)
"""
HEROKU = """
    p = pusher.pusher_from_url()
"""
TORNADO = """
    pusher.channel_type = pusher.TornadoChannel
"""
APP_ENGINE = """
    pusher.channel_type = pusher.GoogleAppEngineChannel
"""
NDB = """
    pusher.channel_type = pusher.GaeNdbChannel
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path


@pytest.fixture(autouse=True)
def module_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a snippet sets in the module is undone after the test."""
    for name in ("app_id", "key", "secret", "host", "port", "channel_type"):
        monkeypatch.setattr(pusher, name, None)


@pytest.fixture
def service(
    certificates: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Recorder]:
    """The service, found through the module's variables."""
    context, path = certificates
    for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(path))
    with recording_server(context) as recorder:
        monkeypatch.setattr(pusher, "host", "127.0.0.1")
        monkeypatch.setattr(pusher, "port", recorder.port)
        yield recorder


def run(*snippets: str, **names: Any) -> dict[str, Any]:
    """Run snippets of the README one after the other, in one namespace."""
    namespace = {"pusher": pusher, **names}
    for snippet in snippets:
        exec(textwrap.dedent(snippet), namespace)
    return namespace


def test_create_and_trigger(service: Recorder) -> None:
    """An instance, a channel, an event."""
    run(CREATE, TRIGGER)
    call = service.take()
    assert call.path == "/apps/your-pusher-app-id/events"
    assert call.query["auth_key"] == "your-pusher-key"
    assert (call.json["name"], call.json["channels"]) == ("an_event", ["a_channel"])
    assert json.loads(call.json["data"]) == {"some": "data"}


@pytest.mark.parametrize(
    ("given", "sent"), [("5120.77341", "5120.77341"), ("", None), (None, None)]
)
def test_trigger_with_socket_id(service: Recorder, given: str | None, sent: str | None) -> None:
    """The connection that caused the event is left out; a form without one gives ''."""
    run(CREATE, TRIGGER_WITH_SOCKET_ID, socket_id=given)
    assert service.take().json.get("socket_id") == sent


def test_trigger_gives_true_and_channels_are_kept(service: Recorder) -> None:
    """trigger is True on success, and a channel is the same object each time."""
    p = run(CREATE)["p"]
    assert p["a_channel"] is p["a_channel"]
    assert p["a_channel"].trigger("an_event", {"some": "data"}, timeout=5) is True


def webhook_of(age: float = 0) -> dict[str, Any]:
    events = [
        {"name": "channel_occupied", "channel": "a_channel"},
        {"name": "channel_vacated", "channel": "b_channel"},
    ]
    body = json.dumps({"time_ms": int((time.time() - age) * 1000), "events": events})
    signature = sign("your-pusher-secret", body)
    return {
        "request_body": body,
        "header_key": "your-pusher-key",
        "header_signature": signature,
    }


def test_webhooks(capsys: pytest.CaptureFixture[str]) -> None:
    """A valid webhook gives its events as dicts."""
    names = run(CREATE, WEBHOOK, **webhook_of())
    assert names["webhook"].valid() is True
    assert capsys.readouterr().out == (
        "Channel a_channel has been occupied\nChannel b_channel has been vacated\n"
    )


def test_a_forged_webhook_has_no_events(capsys: pytest.CaptureFixture[str]) -> None:
    """On purpose: events() raises where the 2012 module handed out what nobody had signed."""
    with pytest.raises(pusher.SignatureMismatch):
        run(CREATE, WEBHOOK, **{**webhook_of(), "header_signature": "0" * 64})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("age", "said"), [(0, "webhook is valid :)\n"), (700, "webhook ain't valid! :\\\n")]
)
def test_django(capsys: pytest.CaptureFixture[str], age: float, said: str) -> None:
    """The shortcut for Django reads body and headers."""
    hook = webhook_of(age)
    request = SimpleNamespace(
        body=hook["request_body"].encode(),
        META={
            "HTTP_X_PUSHER_KEY": hook["header_key"],
            "HTTP_X_PUSHER_SIGNATURE": hook["header_signature"],
        },
    )
    run(CREATE, DJANGO)["webhook_controller"](request)
    assert capsys.readouterr().out == said


def test_an_encoder_of_django(service: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """encoder= writes what plain JSON cannot; key and secret come from the module."""
    import datetime

    monkeypatch.setattr(pusher, "key", "k")
    monkeypatch.setattr(pusher, "secret", "s")
    p = run(ENCODER)["p"]
    p["a_channel"].trigger("an_event", {"on": datetime.date(2012, 3, 4)})
    assert json.loads(service.take().json["data"]) == {"on": "2012-03-04"}


def test_heroku(service: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """PUSHER_URL is all that is needed, port and scheme included."""
    monkeypatch.setenv("PUSHER_URL", f"https://k:s@127.0.0.1:{service.port}/apps/1")
    run(HEROKU, TRIGGER)
    assert service.take().path == "/apps/1/events"


def test_app_engine(service: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The urlfetch type is chosen by the module's variable."""
    p = run(APP_ENGINE, CREATE)["p"]
    assert isinstance(p["a_channel"], pusher.GoogleAppEngineChannel)


def test_tornado() -> None:
    """The Tornado type is chosen by the module's variable."""
    p = run(TORNADO, CREATE)["p"]
    assert isinstance(p["a_channel"], pusher.TornadoChannel)


def test_ndb(
    service: Recorder, certificates: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """trigger_async gives a future of True, send_request_async one of the raw response."""
    create = CREATE.replace("pusher.Pusher(", "pusher.Pusher(ca_certs=certificate, ")
    p = run(NDB, create, certificate=str(certificates[1]))["p"]
    monkeypatch.setenv("DATASTORE_EMULATOR_HOST", "127.0.0.1:1")
    channel = p["a_channel"]
    params = (("auth_key", "k"),)
    request = Request("GET", p.config.base_url, "/apps/1/channels", params)
    with ndb.Client(project="a-project", credentials=None).context():
        triggered = channel.trigger_async("an_event", {"some": "data"})
        sent = channel.send_request_async(request)
        assert isinstance(triggered, ndb.Future)
        assert triggered.get_result() is True
        assert (sent.get_result().status, sent.get_result().body) == (200, b"{}")
    assert sorted(call.method for call in service.calls) == ["GET", "POST"]


def test_presence_authentication() -> None:
    """channel.authenticate(socket_id, custom_data) signs socket, channel and data."""
    channel = run(CREATE)["p"]["presence-a_channel"]
    answer = channel.authenticate("1.2", {"user_id": "u", "user_info": {"name": "Ada"}})
    signed = f"1.2:presence-a_channel:{answer['channel_data']}"
    assert answer["auth"] == "your-pusher-key:" + sign("your-pusher-secret", signed)


def test_exceptions_of_the_2012_module(service: Recorder) -> None:
    """401, 403, 404 and the rest raise the names that its users catch."""
    p = run(CREATE)["p"]
    for status, kind in (
        (401, pusher.AuthenticationError),
        (403, pusher.AppDisabledOrMessageQuotaError),
        (404, pusher.NotFoundError),
        (500, pusher.UnexpectedReturnStatusError),
    ):
        service.answers[:] = [(status, b"no")] * 9  # a 500 is tried again
        with pytest.raises(kind):
            p["a_channel"].trigger("an_event", {"some": "data"})


def test_tls_is_the_default_and_plain_http_a_choice() -> None:
    """On purpose: the modules of that time spoke plain HTTP on port 80."""
    names = {"app_id": "1", "key": "k", "secret": "s"}
    assert pusher.Pusher(**names).config.base_url == "https://api.pusherapp.com"
    assert pusher.Pusher(**names, ssl=False).config.base_url == "http://api.pusherapp.com"
