"""The client's side of the protocol, frame by frame."""

from __future__ import annotations

import base64
import json

import pytest

from gae_pusher.client.reconnect import retry_seconds, unreachable_seconds
from gae_pusher.client.session import (
    Connected,
    Event,
    NeedsToken,
    Problem,
    Session,
    Subscribed,
)
from gae_pusher.errors import DecryptionFailed, InvalidChannelName, RemoteProtocolError
from gae_pusher.sansio.encryption import channel_key, seal

HELLO = json.dumps(
    {
        "event": "pusher:connection_established",
        "data": '{"socket_id":"5120.77341","activity_timeout":120}',
    }
)
MASTER_KEY = bytes(range(32))


def frame(event: str, data: object, channel: str | None = None, **more: object) -> str:
    return json.dumps({"event": event, "data": data, "channel": channel, **more})


def connected(*channels: str) -> Session:
    session = Session(channels)
    session.receive(HELLO)
    return session


def test_handshake_subscribes_and_asks_for_tokens() -> None:
    """Public channels are subscribed to at once, others need a token first."""
    happened, frames = Session(["shop", "private-desk"]).receive(HELLO)
    assert happened == [
        Connected("5120.77341", 120),
        NeedsToken("private-desk", "5120.77341"),
    ]
    assert [json.loads(text) for text in frames] == [
        {"event": "pusher:subscribe", "data": {"auth": "", "channel": "shop"}}
    ]


def test_a_token_subscribes_and_its_secret_stays_here() -> None:
    """`channel_data` goes along, `shared_secret` never does."""
    session = connected("presence-room")
    answer = {"auth": "k:s", "channel_data": "{}", "shared_secret": "AAAA"}
    (text,) = session.authorized("presence-room", answer)
    assert json.loads(text) == {
        "event": "pusher:subscribe",
        "data": {"auth": "k:s", "channel": "presence-room", "channel_data": "{}"},
    }


EVENTS = [
    (frame("tick", '{"n":1}', "shop"), Event("shop", "tick", {"n": 1})),
    (frame("tick", "plain", "shop"), Event("shop", "tick", "plain")),
    (frame("tick", {"n": 1}, "shop"), Event("shop", "tick", {"n": 1})),
    (
        frame("client-typing", "{}", "presence-room", user_id="u-1"),
        Event("presence-room", "client-typing", {}, "u-1"),
    ),
    (
        frame("pusher_internal:member_added", '{"user_id":"u-1"}', "presence-room"),
        Event("presence-room", "pusher:member_added", {"user_id": "u-1"}),
    ),
    (frame("pusher_internal:subscription_succeeded", "{}", "shop"), Subscribed("shop")),
    (
        frame(
            "pusher_internal:subscription_succeeded",
            '{"presence":{"count":1,"ids":["u-1"],"hash":{"u-1":null}}}',
            "presence-room",
        ),
        Subscribed("presence-room", ("u-1",)),
    ),
    (
        frame(
            "pusher_internal:subscription_succeeded",
            '{"presence":{"ids":["u-1"],"hash":{},"count":1}}',
            "presence-room",
        ),
        Subscribed("presence-room", ("u-1",)),
    ),
    (
        frame(
            "pusher:subscription_error",
            {"type": "AuthError", "error": "not authorized", "status": 401},
            "private-desk",
        ),
        Problem("private-desk: not authorized", 401),
    ),
    (frame("pusher:error", {"code": 4301, "message": "too fast"}), Problem("too fast", 4301)),
    (frame("pusher:error", {"code": None, "message": "no"}), Problem("no")),
]


@pytest.mark.parametrize(("text", "happening"), EVENTS)
def test_frames_become_happenings(text: str, happening: object) -> None:
    """Data inside a string is decoded once; internal events get the names that pages know."""
    assert connected("shop").receive(text) == ([happening], [])


def test_a_ping_is_answered() -> None:
    """The server sees that somebody is there."""
    happened, frames = connected().receive(frame("pusher:ping", {}))
    assert happened == []
    assert json.loads(frames[0])["event"] == "pusher:pong"


def test_encrypted_events_are_opened() -> None:
    """The channel's key comes with the token; another key's event is a problem, not a crash."""
    channel = "private-encrypted-vault"
    session = connected(channel)
    secret = base64.b64encode(channel_key(channel, MASTER_KEY)).decode()
    session.authorized(channel, {"auth": "k:s", "shared_secret": secret})
    good = seal(channel, '{"pin":"0042"}', MASTER_KEY, bytes(24))
    bad = seal(channel, "{}", bytes(32), bytes(24))
    assert session.receive(frame("opened", good, channel))[0] == [
        Event(channel, "opened", {"pin": "0042"})
    ]
    (problem,) = session.receive(frame("opened", bad, channel))[0]
    assert isinstance(problem, Problem)


@pytest.mark.parametrize("text", ["{", "[]", '{"data":1}', '{"event":"tick","data":"{}"}'])
def test_a_server_that_begins_wrongly_is_refused(text: str) -> None:
    """Before the handshake nothing but the handshake or an error is accepted."""
    with pytest.raises(RemoteProtocolError):
        Session(["shop"]).receive(text)


def test_channel_names_are_checked_before_anything_is_sent() -> None:
    """A typing mistake is told at once."""
    with pytest.raises(InvalidChannelName):
        Session(["no spaces"])


@pytest.mark.parametrize(
    ("code", "seconds"),
    [(1000, 1), (1006, 1), (None, 1), (4001, None), (4009, None), (4100, 1), (4200, 0),
     (4201, 0), (4301, None)],
)  # fmt: skip
def test_close_codes_say_when_to_come_back(code: int | None, seconds: float | None) -> None:
    """The ranges of protocol section 3.11."""
    assert retry_seconds(code) == seconds


def test_an_unreachable_server_is_asked_less_and_less_often() -> None:
    """One second, doubling, a minute at most."""
    assert [unreachable_seconds(n) for n in (1, 2, 3, 10)] == [1, 2, 4, 60]


def test_an_encrypted_channel_without_a_key_is_told() -> None:
    """An endpoint that gives no key for an encrypted channel is named as the cause."""
    session = Session(["private-encrypted-vault"])
    session.receive(HELLO)
    for answer in ({"auth": "k:s"}, {"auth": "k:s", "shared_secret": "no base64!"}):
        with pytest.raises(DecryptionFailed, match="master key"):
            session.authorized("private-encrypted-vault", answer)


@pytest.mark.parametrize("data", ["text", None, [], {"socket_id": 5}])
def test_a_handshake_without_facts_is_refused(data: object) -> None:
    """A server that begins oddly is refused in one line, whatever it sends."""
    with pytest.raises(RemoteProtocolError, match="socket_id"):
        Session(["shop"]).receive(frame("pusher:connection_established", data))


@pytest.mark.parametrize("presence", [{}, {"hash": None}, {"hash": {}}])
def test_a_presence_channel_without_members(presence: object) -> None:
    """An empty or missing list of members is an empty one."""
    session = Session(["presence-room"])
    session.receive(HELLO)
    data = {"presence": presence}
    happened, _ = session.receive(
        frame("pusher_internal:subscription_succeeded", data, "presence-room")
    )
    assert happened == [Subscribed("presence-room", ())]
