"""Pusher: defaults, channels, verbs against a real socket, webhooks."""

from __future__ import annotations

import gc
import json
import time
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import gae_pusher
from gae_pusher import Limits, Pusher, errors
from gae_pusher.channels.base import Channel
from gae_pusher.channels.requests import RequestsChannel, RequestsSender
from gae_pusher.sansio.signing import sign
from tests.recording import Recorder, recording_server

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with recording_server() as recorder:
        yield recorder


@pytest.fixture
def recorder(server: Recorder) -> Recorder:
    server.calls.clear()
    server.answers.clear()
    return server


@pytest.fixture
def pusher(recorder: Recorder) -> Pusher:
    return Pusher(**recorder.app(retry_seconds=0))


@pytest.fixture(autouse=True)
def no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("app_id", "key", "secret", "host", "port", "channel_type"):
        monkeypatch.setattr(gae_pusher, name, None)


def test_defaults_are_read_when_a_pusher_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's variables count from when they are set, and arguments go before them."""
    monkeypatch.setattr(gae_pusher, "app_id", "1")
    monkeypatch.setattr(gae_pusher, "key", "k")
    monkeypatch.setattr(gae_pusher, "secret", "s")
    first = Pusher()
    monkeypatch.setattr(gae_pusher, "host", "localhost")
    monkeypatch.setattr(gae_pusher, "port", 6001)
    second, third = Pusher(), Pusher("2", "k2", "s2", host="h", port=7)
    facts = [(p.app_id, p.key, p.secret, p.host, p.port) for p in (first, second, third)]
    assert facts == [
        ("1", "k", "s", "api.pusherapp.com", 443),
        ("1", "k", "s", "localhost", 6001),
        ("2", "k2", "s2", "h", 7),
    ]


def test_the_modules_host_does_not_reach_into_a_cluster_or_a_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cluster and a URL say where the service is, port included."""
    monkeypatch.setattr(gae_pusher, "host", "localhost")
    monkeypatch.setattr(gae_pusher, "port", 6001)
    bases = [
        pusher.config.base_url
        for pusher in (
            Pusher("1", "k", "s", cluster="eu"),
            Pusher.from_url("https://k:s@h/apps/1"),
            Pusher.from_url("https://k:s@h/apps/1", ssl=False),
            Pusher.from_url("https://k:s@h:8443/apps/1", cluster="ap1"),
            Pusher("1", "k", "s", ssl=False),
        )
    ]
    assert bases == [
        "https://api-eu.pusher.com",
        "https://h",
        "http://h",
        "https://api-ap1.pusher.com",
        "http://localhost:6001",
    ]


def test_missing_credentials_are_named() -> None:
    """The error says which one is missing and the three ways to give it."""
    with pytest.raises(errors.ConfigurationError, match=r"no key, secret: .*from_env"):
        Pusher("1")


def test_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment gives the app, an argument what the environment lacks."""
    monkeypatch.setenv("PUSHER_URL", "")
    monkeypatch.setenv("PUSHER_APP_ID", "1")
    monkeypatch.setenv("PUSHER_KEY", "k")
    monkeypatch.delenv("PUSHER_SECRET", raising=False)
    pusher = Pusher.from_env(secret="from-the-secret-manager", cluster="eu")
    assert (pusher.app_id, pusher.key, pusher.host) == ("1", "k", "api-eu.pusher.com")
    monkeypatch.setenv("OTHER_URL", "https://k2:s2@h/apps/2")
    assert Pusher.from_env("OTHER_URL").host == "h"


def test_pusher_from_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a URL, or PUSHER_URL as Heroku's add-on sets it."""
    monkeypatch.setenv("PUSHER_URL", "https://k:s@h/apps/1")
    assert gae_pusher.pusher_from_url().app_id == "1"
    assert gae_pusher.pusher_from_url("http://k:s@h:8080/apps/2").config.base_url == "http://h:8080"


def test_the_repr_shows_no_secret() -> None:
    """A Pusher in a log says which app it is, and nothing to sign with."""
    assert repr(Pusher("1", "k", "hush", cluster="eu")) == (
        "<Pusher app '1' at https://api-eu.pusher.com>"
    )


def test_options_that_nobody_takes_are_refused_at_once() -> None:
    """A misspelt option fails when the Pusher is made, not at the first event."""
    with pytest.raises(errors.ConfigurationError, match="does not take clustr"):
        Pusher("1", "k", "s", clustr="eu")


def test_backend_is_called_channel_type() -> None:
    """pusher 3.3's adapter classes cannot work here; the error says what does."""
    with pytest.raises(errors.ConfigurationError, match="channel_type="):
        Pusher("1", "k", "s", backend=object)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["RequestsChannel", object, RequestsSender, 5])
def test_a_channel_type_is_a_class_of_channels(kind: Any) -> None:
    """A name, an instance or another class is refused with its value."""
    with pytest.raises(errors.ConfigurationError, match="channel_type is"):
        Pusher("1", "k", "s", channel_type=kind)["c"]


def test_the_channel_type_is_read_when_a_channel_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's variable may be set after the Pusher was made; an argument goes before it."""

    class Mine(RequestsChannel):
        pass

    pusher, fixed = Pusher("1", "k", "s"), Pusher("1", "k", "s", channel_type=RequestsChannel)
    assert type(pusher["before"]) is RequestsChannel
    monkeypatch.setattr(gae_pusher, "channel_type", Mine)
    assert type(pusher["after"]) is Mine
    assert type(fixed["after"]) is RequestsChannel


def test_a_channel_is_the_same_object_each_time(pusher: Pusher) -> None:
    """As long as somebody holds it; one that nobody holds is forgotten, however many there are."""
    channel = pusher["a_channel"]
    assert pusher["a_channel"] is channel
    assert pusher["a_channel"] is pusher["a_channel"]
    assert pusher["another"] is not channel
    forgotten = weakref.ref(pusher["another"])
    gc.collect()
    assert forgotten() is None


def test_a_channel_with_a_wrong_name_is_refused(pusher: Pusher) -> None:
    """The mistake is found when the channel is named, before anything is triggered."""
    with pytest.raises(errors.InvalidChannelName, match="'not a channel'"):
        pusher["not a channel"]


def test_a_channel_triggers(pusher: Pusher, recorder: Recorder) -> None:
    """True once the service has accepted the event; without data it is an empty object."""
    assert pusher["a_channel"].trigger("an_event", {"some": "data"}, "1.2") is True
    call = recorder.take()
    assert (call.method, call.path) == ("POST", "/apps/4242/events")
    assert call.json == {
        "name": "an_event",
        "channels": ["a_channel"],
        "data": '{"some":"data"}',
        "socket_id": "1.2",
    }
    assert pusher["a_channel"].trigger("an_event") is True
    assert recorder.take().json["data"] == "{}"


def test_a_channel_tells_its_info(pusher: Pusher, recorder: Recorder) -> None:
    """With `info` the answer is what the service said about this channel."""
    recorder.answers.append((200, b'{"channels":{"presence-a":{"user_count":3}}}'))
    channel = pusher["presence-a"]
    assert channel.trigger("e", {}, info="user_count") == {"user_count": 3}
    recorder.answers += [(200, b'{"occupied":true}'), (200, b'{"users":[{"id":"u"}]}')]
    assert channel.info("user_count") == {"occupied": True}
    assert channel.users() == {"users": [{"id": "u"}]}


def test_send_to_user(pusher: Pusher, recorder: Recorder) -> None:
    """The event goes to the user's own channel; the id is checked."""
    pusher.send_to_user("u-19", "hello", {"a": 1})
    assert recorder.take().json["channels"] == ["#server-to-user-u-19"]
    with pytest.raises(errors.InvalidUserId):
        pusher.send_to_user("no user", "hello", {})


def test_a_batch_that_fails_half_way(pusher: Pusher, recorder: Recorder) -> None:
    """Over a real socket too, the error says which indexes were accepted."""
    recorder.answers += [(200, b"{}"), (500, b"trouble")]
    items = [{"channel": "c", "name": "e", "data": index} for index in range(12)]
    with pytest.raises(errors.PartialFailure, match="10 of 12 were accepted") as caught:
        pusher.trigger_batch(items)
    assert caught.value.remaining == (10, 11)
    assert [len(call.json["batch"]) for call in recorder.calls] == [10, 2]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, gae_pusher.BadRequest),
        (401, gae_pusher.AuthenticationError),
        (403, gae_pusher.AppDisabledOrMessageQuotaError),
        (404, gae_pusher.NotFoundError),
        (503, gae_pusher.UnexpectedReturnStatusError),
    ],
)
def test_statuses_raise(pusher: Pusher, recorder: Recorder, status: int, kind: type) -> None:
    """Each refusal of the service is the error that its status stands for."""
    recorder.answers.append((status, b"because\n"))
    with pytest.raises(kind, match="because"):
        pusher["c"].trigger("e", {})


def test_a_decoder_reads_the_answers(recorder: Recorder) -> None:
    """json_decoder= is used for what the service answers."""

    class Upper(json.JSONDecoder):
        def __init__(self, **options: Any) -> None:
            super().__init__(object_hook=lambda d: {**d, "seen": True}, **options)

    pusher = Pusher(**recorder.app(json_decoder=Upper))
    recorder.answers.append((200, b'{"occupied":true}'))
    assert pusher.channel_info("c") == {"occupied": True, "seen": True}


@pytest.mark.parametrize("option", ["encoder", "json_encoder"])
def test_an_encoder_writes_the_data(recorder: Recorder, option: str) -> None:
    """The 2012 module's name and pusher 3.3's name mean the same."""

    class Sets(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return sorted(o)

    Pusher(**recorder.app(**{option: Sets}))["c"].trigger("e", {3, 1})
    assert recorder.take().json["data"] == "[1,3]"


def test_limits_of_the_app(recorder: Recorder) -> None:
    """A dedicated cluster's limits are an argument of Pusher."""
    pusher = Pusher(**recorder.app(limits=Limits(event_data_bytes=20_000)))
    pusher.trigger("c", "e", "x" * 20_000)
    with pytest.raises(errors.PayloadTooLarge, match="limit is 20000"):
        pusher.trigger("c", "e", "x" * 20_001)


def test_futures_need_a_type_that_has_them(pusher: Pusher, recorder: Recorder) -> None:
    """With a blocking type the *_async verbs say which type to choose, and send nothing."""
    with pytest.raises(errors.ConfigurationError, match="set channel_type to GaeNdbChannel"):
        pusher.trigger_async("c", "e", {})
    assert recorder.calls == []


def signed(pusher: Pusher, *events: dict[str, Any], age: float = 0) -> tuple[bytes, str]:
    body = json.dumps({"time_ms": int((time.time() - age) * 1000), "events": events}).encode()
    return body, sign(pusher.secret, body)


def test_a_webhook(pusher: Pusher) -> None:
    """Body as bytes or text, headers as text or bytes."""
    event = {"name": "channel_occupied", "channel": "c"}
    body, signature = signed(pusher, event)
    for hook in (
        pusher.webhook(body, pusher.key, signature),
        pusher.webhook(body.decode(), pusher.key.encode(), signature.encode()),
    ):
        assert hook.valid()
        assert hook.events() == [event]
    assert not pusher.webhook(body + b" ", pusher.key, signature).valid()
    assert not pusher.webhook("\ud800", pusher.key, signature).valid()
    assert not pusher.webhook(body, None, None).valid()


def test_a_django_webhook(pusher: Pusher) -> None:
    """A Django request carries body and headers."""
    body, signature = signed(pusher)
    meta = {"HTTP_X_PUSHER_KEY": pusher.key, "HTTP_X_PUSHER_SIGNATURE": signature}
    assert pusher.django_webhook(SimpleNamespace(body=body, META=meta)).valid()
    assert not pusher.django_webhook(SimpleNamespace(body=body, META={})).valid()


def test_webhooks_of_a_former_key_and_another_window(recorder: Recorder) -> None:
    """Both are arguments of Pusher."""
    old = Pusher(**recorder.app(key="old", secret="old-secret"))
    new = Pusher(**recorder.app(former_keys={"old": "old-secret"}, webhook_max_age_seconds=3600))
    body, signature = signed(old, age=1200)
    assert new.webhook(body, "old", signature).valid()
    assert not old.webhook(body, "old", signature).valid()


def test_the_apps_own_pair_goes_before_a_former_one(recorder: Recorder) -> None:
    """A key that stands among the former ones by mistake keeps the secret of the app."""
    pusher = Pusher(**recorder.app())
    mistaken = Pusher(**recorder.app(former_keys={pusher.key: "old-secret"}))
    body, signature = signed(pusher)
    assert mistaken.webhook(body, pusher.key, signature).valid()


def test_validate_webhook(pusher: Pusher) -> None:
    """The envelope, or None for whatever is wrong."""
    body, signature = signed(pusher)
    assert pusher.validate_webhook(pusher.key, signature, body) == json.loads(body)
    assert pusher.validate_webhook(pusher.key, None, body) is None
    assert pusher.validate_webhook("other", signature, body) is None


def test_authenticate_is_the_same_on_pusher_and_channel(recorder: Recorder) -> None:
    """Both give the same answer, and json.dumps takes it."""
    pusher = Pusher(**recorder.app(encryption_master_key_base64=MASTER_KEY))
    for name in ("private-a", "private-encrypted-a"):
        answer = pusher.authenticate(name, "1.2")
        assert json.loads(json.dumps(answer)) == pusher[name].authenticate("1.2")


def test_a_channel_type_of_ones_own_is_a_class_of_two_lines(recorder: Recorder) -> None:
    """Whoever subclasses Channel names a sender, and is done."""

    class Loud(RequestsSender):
        pass

    class LoudChannel(gae_pusher.Channel):
        sender_type = Loud

    assert issubclass(LoudChannel, Channel)
    assert Pusher(**recorder.app(channel_type=LoudChannel))["c"].trigger("e", 1) is True
