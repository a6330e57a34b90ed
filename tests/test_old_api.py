"""What `pusher` 3.3.4 offers works here under the same names, with its defects mended.

The official package and ours talk to the same recording server; where ours differs on purpose,
the test says so.
"""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pusher as official
import pytest

import gae_pusher
from gae_pusher import errors
from gae_pusher.sansio.encryption import open_envelope
from gae_pusher.sansio.signing import sign
from tests.recording import Call, Recorder, recording_server

MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VAULT = "private-encrypted-vault"
METHODS = [
    name
    for name, _ in inspect.getmembers(official.Pusher, callable)
    if not name.startswith("_") or name == "__init__"
]


@pytest.fixture(scope="module")
def server() -> Iterator[Recorder]:
    with recording_server() as recorder:
        yield recorder


@pytest.fixture
def both(server: Recorder) -> tuple[Any, Any]:
    """The official Pusher and ours, made with the same arguments; ours repeats nothing here."""
    server.calls.clear()
    server.answers.clear()
    options = server.app(encryption_master_key_base64=MASTER_KEY, timeout=5, cluster=None)
    return official.Pusher(**options), gae_pusher.Pusher(**options, retry_seconds=0)


def called(
    server: Recorder, both: tuple[Any, Any], verb: Callable[[Any], Any]
) -> tuple[Call, Call]:
    """What each of the two sends for the same verb, with the same answer."""
    calls = []
    for pusher in both:
        server.answers.append((200, b'{"channels":{},"users":[],"occupied":false}'))
        verb(pusher)
        calls.append(server.take())
    return calls[0], calls[1]


@pytest.mark.parametrize("name", METHODS)
def test_parameters_have_the_same_names_and_order(name: str) -> None:
    """Every public method exists, with the same leading parameters, so positions work too."""
    theirs = inspect.signature(getattr(official.Pusher, name)).parameters
    ours = inspect.signature(getattr(gae_pusher.Pusher, name)).parameters
    catching_all = inspect.Parameter.VAR_KEYWORD
    named = [key for key, each in theirs.items() if each.kind is not catching_all]
    assert list(ours)[: len(named)] == named
    assert any(each.kind is catching_all for each in ours.values()) or len(named) == len(theirs)


def test_optional_parameters_are_optional_here_too() -> None:
    """What may be left out there may be left out here.

    On purpose: `user_data` of authenticate_user must be given; there None raises ValueError.
    """
    required = {
        (name, key)
        for name in METHODS
        for key, theirs in inspect.signature(getattr(official.Pusher, name)).parameters.items()
        if theirs.default is not inspect.Parameter.empty
        and inspect.signature(getattr(gae_pusher.Pusher, name)).parameters[key].default
        is inspect.Parameter.empty
    }
    assert required == {("authenticate_user", "user_data")}


VERBS: dict[str, Callable[[Any], Any]] = {
    "trigger": lambda p: p.trigger("shop-7", "paid", {"id": 81, "note": "café"}),
    "trigger many": lambda p: p.trigger(["a", "b"], "e", [1, None, True], "5120.77341"),
    "trigger text": lambda p: p.trigger(("a",), "e", "as it is"),
    "trigger with an empty socket id": lambda p: p.trigger("a", "e", {}, ""),
    "send_to_user": lambda p: p.send_to_user("u-19", "hello", {"a": 1}),
    "trigger_batch": lambda p: p.trigger_batch(
        [
            {"channel": "a", "name": "e", "data": {"x": 1}, "socket_id": "1.2"},
            {"channel": "b", "name": "e", "data": "text"},
        ]
    ),
    "trigger_batch encoded": lambda p: p.trigger_batch(
        [{"channel": VAULT, "name": "e", "data": '{"nonce":"","ciphertext":""}'}], True
    ),
    "channels_info": lambda p: p.channels_info(),
    "channels_info of a prefix": lambda p: p.channels_info("presence-", ["user_count"]),
    "channel_info": lambda p: p.channel_info("cache-a", ["subscription_count", "cache"]),
    "users_info": lambda p: p.users_info("presence-room"),
}


def meaning(body: Any) -> Any:
    """A body with its `data` decoded: ours is compact JSON, theirs has spaces."""
    if isinstance(body, dict):
        return {
            key: _decoded(value) if key == "data" else meaning(value) for key, value in body.items()
        }
    return [meaning(each) for each in body] if isinstance(body, list) else body


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_sends_the_same_request(server: Recorder, both: tuple[Any, Any], name: str) -> None:
    """Method, path, query and body mean the same.

    On purpose: no body_md5 of nothing on a GET.
    """
    theirs, ours = called(server, both, VERBS[name])
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert meaning(ours.json) == meaning(theirs.json)
    expected = set(theirs.query) - ({"body_md5"} if ours.method == "GET" else set())
    assert set(ours.query) == expected
    own = {key: value for key, value in ours.query.items() if not key.startswith(("auth_", "body"))}
    assert own.items() <= theirs.query.items()


@pytest.mark.parametrize("name", ["trigger", "channels_info"])
def test_a_verb_gives_the_same_answer(server: Recorder, both: tuple[Any, Any], name: str) -> None:
    """What the service answered, as a dict."""
    answers = []
    for pusher in both:
        server.answers.append((200, b'{"channels":{"a":{"user_count":1}}}'))
        answers.append(VERBS[name](pusher))
    assert answers[0] == answers[1] == {"channels": {"a": {"user_count": 1}}}


def test_an_encrypted_event_is_the_same(server: Recorder, both: tuple[Any, Any]) -> None:
    """Both envelopes open to the same text."""
    theirs, ours = called(server, both, lambda p: p.trigger(VAULT, "e", {"pin": "0042"}))
    texts = [
        open_envelope(VAULT, call.json["data"], both[1].config.encryption_master_key)
        for call in (theirs, ours)
    ]
    assert [json.loads(text) for text in texts] == [{"pin": "0042"}] * 2


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "PusherBadRequest"),
        (401, "PusherBadAuth"),
        (403, "PusherForbidden"),
        (404, "PusherBadStatus"),
        (413, "PusherBadStatus"),
        (500, "PusherBadStatus"),
    ],
)
def test_a_status_raises_the_same_name(
    server: Recorder, both: tuple[Any, Any], status: int, name: str
) -> None:
    """The error that official code names in its except clause is raised here too."""
    for pusher, module in zip(both, (official.errors, gae_pusher), strict=True):
        server.answers.append((status, b"no\n"))
        with pytest.raises(getattr(module, name)):
            pusher.trigger("c", "e", {})


@pytest.mark.parametrize("channel", ["private-desk", "presence-room"])
@pytest.mark.parametrize("data", [None, {"user_id": "u-19", "user_info": {"name": "Zoë"}}])
def test_tokens_are_the_same(both: tuple[Any, Any], channel: str, data: Any) -> None:
    """Each library's token is right for the text in its own answer."""
    for pusher in both:
        answer = pusher.authenticate(channel, "1.2", data)
        signed = ":".join(["1.2", channel, *([answer["channel_data"]] if data else [])])
        assert answer["auth"] == f"{both[1].key}:{sign(both[1].secret, signed)}"
        assert json.loads(answer.get("channel_data", "null")) == data


def test_a_users_token_is_the_same(both: tuple[Any, Any]) -> None:
    """The sign-in of each is right for the text in its own answer."""
    for pusher in both:
        answer = pusher.authenticate_user("1.2", {"id": "u-19", "watchlist": ["u-20"]})
        signed = f"1.2::user::{answer['user_data']}"
        assert answer["auth"] == f"{both[1].key}:{sign(both[1].secret, signed)}"


def test_each_believes_the_others_webhook_check(both: tuple[Any, Any]) -> None:
    """An authentic webhook gives the same envelope, a forged one None."""
    body = json.dumps({"time_ms": int(time.time() * 1000), "events": []})
    signature = sign(both[1].secret, body)
    for pusher in both:
        assert pusher.validate_webhook(both[1].key, signature, body) == json.loads(body)
        assert pusher.validate_webhook(both[1].key, signature, body + " ") is None
        assert pusher.validate_webhook("other", signature, body) is None


def test_from_url_and_from_env(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL without a port means the same app in both."""
    url = "https://k:s@api-eu.pusher.com/apps/4242"
    monkeypatch.setenv("PUSHER_URL", url)
    theirs = official.Pusher.from_url(url)._pusher_client
    for ours in (gae_pusher.Pusher.from_url(url), gae_pusher.Pusher.from_env()):
        assert [ours.app_id, ours.key, ours.secret, ours.host, ours.port] == [
            theirs.app_id,
            theirs.key,
            theirs.secret,
            theirs.host,
            theirs.port,
        ]


class TestDefectsThatAreMended:
    """What pusher 3.3.4 gets wrong, shown there, and how it is here."""

    def test_terminate_names_the_app(self, server: Recorder, both: tuple[Any, Any]) -> None:
        """There the path lacks the app, so the service answers 404."""
        theirs, ours = called(server, both, lambda p: p.terminate_user_connections("u-19"))
        assert theirs.path == "/users/u-19/terminate_connections"
        assert ours.path == "/apps/4242/users/u-19/terminate_connections"
        assert ours.json == theirs.json == {}

    def test_an_encrypted_authorization_is_json(self, both: tuple[Any, Any]) -> None:
        """There shared_secret is bytes, which json.dumps refuses."""
        theirs, ours = (pusher.authenticate(VAULT, "1.2") for pusher in both)
        with pytest.raises(TypeError):
            json.dumps(theirs)
        assert json.loads(json.dumps(ours))["shared_secret"] == theirs["shared_secret"].decode()

    def test_size_is_utf8_bytes(self, server: Recorder, both: tuple[Any, Any]) -> None:
        """There 10,300 bytes pass, because Python's object is measured, and 30 KB is the limit."""
        assert both[0].trigger("c", "e", "x" * 10_300) == {}
        with pytest.raises(errors.PayloadTooLarge, match="10300 bytes, the limit is 10240"):
            both[1].trigger("c", "e", "x" * 10_300)

    def test_a_batch_of_eleven_is_split(self, server: Recorder, both: tuple[Any, Any]) -> None:
        """There it is sent whole, and the service refuses it."""
        for pusher, sizes in zip(both, ([11], [10, 1]), strict=True):
            server.calls.clear()
            pusher.trigger_batch([{"channel": "c", "name": "e", "data": "x"} for _ in range(11)])
            assert [len(call.json["batch"]) for call in server.calls] == sizes

    def test_an_empty_channel_list_is_named(self, both: tuple[Any, Any]) -> None:
        """There it raises IndexError."""
        with pytest.raises(IndexError):
            both[0].trigger([], "e", {})
        with pytest.raises(errors.InvalidRequest, match="channels is empty"):
            both[1].trigger([], "e", {})

    def test_the_callers_batch_is_not_changed(self, both: tuple[Any, Any]) -> None:
        """There `data` of the caller's dicts becomes text."""
        for pusher, changed in zip(both, (True, False), strict=True):
            batch = [{"channel": "c", "name": "e", "data": {"a": 1}}]
            pusher.trigger_batch(batch)
            assert (batch[0]["data"] != {"a": 1}) == changed

    def test_a_missing_webhook_header_is_no_crash(self, both: tuple[Any, Any]) -> None:
        """There it raises TypeError."""
        with pytest.raises(TypeError):
            both[0].validate_webhook("k", None, "{}")
        assert both[1].validate_webhook("k", None, "{}") is None

    def test_a_webhook_of_301_seconds_is_accepted(self, both: tuple[Any, Any]) -> None:
        """There it is refused, though the service retries for five minutes with the old time."""
        body = json.dumps({"time_ms": int((time.time() - 301) * 1000), "events": []})
        signature = sign(both[1].secret, body)
        assert both[0].validate_webhook(both[1].key, signature, body) is None
        assert both[1].validate_webhook(both[1].key, signature, body) is not None

    @pytest.mark.parametrize("app_id", ["my-app", "app-id", "soketi"])
    def test_app_ids_with_letters(self, app_id: str) -> None:
        """There only digits are accepted."""
        with pytest.raises(ValueError, match="Invalid app id"):
            official.Pusher(app_id, "k", "s")
        assert gae_pusher.Pusher(app_id, "k", "s").app_id == app_id

    def test_a_port_in_the_url(self) -> None:
        """There the port becomes part of the host."""
        url = "http://k:s@localhost:8080/apps/1"
        theirs, ours = official.Pusher.from_url(url)._pusher_client, gae_pusher.Pusher.from_url(url)
        assert (theirs.host, theirs.port) == ("localhost:8080", 80)
        assert (ours.host, ours.port) == ("localhost", 8080)

    def test_a_query_with_an_ampersand(self, server: Recorder, both: tuple[Any, Any]) -> None:
        """There it breaks the query in two; here it is encoded on the wire and signed raw."""
        theirs, ours = called(server, both, lambda p: p.channels_info("a&b=c"))
        assert theirs.query["filter_by_prefix"] == "a"
        assert ours.query["filter_by_prefix"] == "a&b=c"

    def test_falsy_custom_data_is_signed(self, both: tuple[Any, Any]) -> None:
        """There an empty dict is dropped in silence."""
        theirs, ours = (pusher.authenticate("private-desk", "1.2", {}) for pusher in both)
        assert "channel_data" not in theirs
        assert ours["channel_data"] == "{}"

    def test_a_public_channel_gets_no_token(self, both: tuple[Any, Any]) -> None:
        """There any name of the alphabet is signed."""
        assert both[0].authenticate("public", "1.2")
        with pytest.raises(errors.InvalidChannelName):
            both[1].authenticate("public", "1.2")

    def test_over_a_hundred_channels_are_split(
        self, server: Recorder, both: tuple[Any, Any]
    ) -> None:
        """There it raises ValueError."""
        channels = [f"c{index}" for index in range(101)]
        with pytest.raises(ValueError, match="Too many channels"):
            both[0].trigger(channels, "e", {})
        both[1].trigger(channels, "e", {})
        assert [len(call.json["channels"]) for call in server.calls] == [100, 1]
