"""The unmodified pusher-js and the official server packages work against the server."""

from __future__ import annotations

import base64
import json

import pusher as pusher_http_python
import pytest

from gae_pusher.emulator.channels import Fault
from gae_pusher.testing.channels import RunningServer

from .peer import Peer, PeerError
from .receiver import Receiver

ADA = {"user_id": "ada", "user_info": {"name": "Ada"}}
BO = {"user_id": "bo", "user_info": {"name": "Bo"}}
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def python_sdk(server: RunningServer) -> pusher_http_python.Pusher:
    return pusher_http_python.Pusher(
        server.app.id,
        server.app.key,
        server.app.credentials[0].secret,
        ssl=False,
        host=server.host,
        port=server.port,
        encryption_master_key_base64=MASTER_KEY,
    )


def connect_signed_in(peers: Peer, client: str, user_id: str, watchlist: list[str]) -> str:
    user = {"id": user_id, "user_info": {"name": user_id}, "watchlist": watchlist}
    socket_id = peers.connect(client, user=user)
    peers.sign_in(client, user_id)
    return socket_id


@pytest.mark.parametrize("channel", ["news", "private-news", "cache-news", "private-cache-news"])
def test_event_reaches_subscriber(peers: Peer, channel: str) -> None:
    """A trigger of the Node SDK arrives in pusher-js with the data that was given."""
    peers.connect("a")
    peers.subscribe("a", channel)
    peers.sdk("trigger", channel, "posted", {"title": "café 🎉"})
    assert peers.wait("a", channel, "posted") == {"title": "café 🎉"}


def test_python_sdk_speaks_the_whole_api(
    peers: Peer, python_sdk: pusher_http_python.Pusher
) -> None:
    """Every call of the official Python package is understood and answered as it expects."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "presence-desk")
    assert python_sdk.trigger("presence-desk", "x", {"n": 1}) == {}
    assert (
        python_sdk.trigger_batch([{"channel": "presence-desk", "name": "y", "data": "two"}]) == {}
    )
    assert peers.wait("a", "presence-desk", "x") == {"n": 1}
    assert peers.wait("a", "presence-desk", "y") == "two"
    assert python_sdk.channels_info("presence-", ["user_count"]) == {
        "channels": {"presence-desk": {"user_count": 1}}
    }
    assert python_sdk.channel_info("presence-desk", ["user_count"]) == {
        "occupied": True,
        "user_count": 1,
    }
    assert python_sdk.users_info("presence-desk") == {"users": [{"id": "ada"}]}


def test_php_sdk_form_is_accepted(peers: Peer) -> None:
    """A single `channel` instead of `channels` works, as the PHP package sends it."""
    peers.connect("a")
    peers.subscribe("a", "news")
    body = {"name": "posted", "data": "{}", "channel": "news"}
    peers.sdk("post", {"path": "/events", "body": body})
    assert peers.wait("a", "news", "posted") == {}


def test_sender_is_excluded(peers: Peer) -> None:
    """The connection whose socket_id a trigger names does not get the event, others do."""
    sender = peers.connect("a")
    peers.connect("b")
    for client in "ab":
        peers.subscribe(client, "news")
    peers.sdk("trigger", "news", "posted", 1, {"socket_id": sender})
    peers.sdk("trigger", "news", "posted", 2)
    assert peers.wait("b", "news", "posted", 1) == 1
    assert peers.wait("a", "news", "posted", 2) == 2
    assert peers.seen("a", "news", "posted") == [2]


def test_counts_come_with_a_trigger(peers: Peer) -> None:
    """`info` on a trigger and on batch items is answered per channel and per item."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "presence-desk")
    peers.subscribe("a", "news")
    info = {"info": "user_count,subscription_count"}
    assert peers.sdk("trigger", ["news", "presence-desk", "void"], "x", "", info) == {
        "channels": {
            "news": {"subscription_count": 1},
            "presence-desk": {"user_count": 1, "subscription_count": 1},
            "void": {"subscription_count": 0},
        }
    }
    batch = [
        {"channel": "news", "name": "x", "data": ""},
        {"channel": "presence-desk", "name": "x", "data": "", "info": "user_count"},
    ]
    assert peers.sdk("triggerBatch", batch) == {"batch": [{}, {"user_count": 1}]}


def test_presence_members_come_and_go(peers: Peer) -> None:
    """Members are told of the first connection of a user and of the end of the last one."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "presence-desk")
    peers.connect("b1", member=BO)
    joined = peers.subscribe("b1", "presence-desk")
    assert joined["members"] == {"ada": {"name": "Ada"}, "bo": {"name": "Bo"}}
    peers.wait("a", "presence-desk", "pusher:member_added", {"id": "bo", "info": {"name": "Bo"}})
    peers.connect("b2", member=BO)
    peers.subscribe("b2", "presence-desk")
    peers.do("disconnect", client="b1")
    peers.do("unsubscribe", client="b2", channel="presence-desk")
    peers.wait("a", "presence-desk", "pusher:member_removed", {"id": "bo", "info": {"name": "Bo"}})
    assert len(peers.seen("a", "presence-desk", "pusher:member_added")) == 1
    assert peers.do("members", client="a", channel="presence-desk") == {
        "count": 1,
        "members": {"ada": {"name": "Ada"}},
        "me": {"id": "ada", "info": {"name": "Ada"}},
    }


def test_presence_of_a_signed_in_user(peers: Peer) -> None:
    """A signed-in connection joins without channel_data, as the user it is signed in as."""
    connect_signed_in(peers, "a", "ada", [])
    data = peers.subscribe("a", "presence-desk")
    assert data["members"] == {"ada": {"name": "ada"}}


@pytest.mark.parametrize("channel", ["private-encrypted-v", "private-encrypted-cache-v"])
def test_encrypted_event_is_opened(
    peers: Peer, python_sdk: pusher_http_python.Pusher, channel: str
) -> None:
    """Encrypted channels pass the envelope through, and pusher-js opens it."""
    peers.connect("a", masterKey=MASTER_KEY)
    peers.subscribe("a", channel)
    python_sdk.trigger(channel, "opened", {"pin": "0042"})
    peers.sdk("trigger", channel, "closed", {"pin": "0043"}, masterKey=MASTER_KEY)
    assert peers.wait("a", channel, "opened") == {"pin": "0042"}
    assert peers.wait("a", channel, "closed") == {"pin": "0043"}


@pytest.mark.parametrize("channel", ["cache-board", "private-cache-board", "presence-cache-board"])
def test_cache_channel_misses_and_keeps(peers: Peer, channel: str) -> None:
    """A cache channel says that it is empty, or repeats its last event, even after it emptied."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", channel)
    peers.wait("a", channel, "pusher:cache_miss")
    peers.sdk("trigger", channel, "score", {"now": "2-1"})
    peers.wait("a", channel, "score")
    peers.do("unsubscribe", client="a", channel=channel)
    peers.connect("b", member=BO)
    peers.subscribe("b", channel)
    assert peers.wait("b", channel, "score") == {"now": "2-1"}
    assert peers.sdk("get", {"path": f"/channels/{channel}", "params": {"info": "cache"}}) == {
        "occupied": True,
        "cache": {"data": '{"now":"2-1"}', "ttl": 1799},
    }


def test_cached_event_is_forgotten(peers: Peer, server: RunningServer) -> None:
    """A cached event lives for 30 minutes."""
    peers.sdk("trigger", "cache-board", "score", 1)
    server.advance(1800)
    peers.connect("a")
    peers.subscribe("a", "cache-board")
    peers.wait("a", "cache-board", "pusher:cache_miss")


def test_client_event_reaches_the_others(peers: Peer) -> None:
    """A client event goes to the other members, with the sender's id on presence channels."""
    peers.connect("a", member=ADA)
    peers.connect("b", member=BO)
    for client in "ab":
        peers.subscribe(client, "presence-desk")
        peers.subscribe(client, "private-desk")
    peers.do("bind_sender", client="b", channel="presence-desk", event="client-typed")
    peers.do("trigger", client="a", channel="presence-desk", event="client-typed", data={"n": 1})
    peers.do("trigger", client="a", channel="private-desk", event="client-typed", data="text")
    assert peers.wait("b", "presence-desk", "client-typed") == {"n": 1}
    assert peers.wait("b", "sender", "client-typed") == "ada"
    assert peers.wait("b", "private-desk", "client-typed") == "text"
    assert peers.seen("a", "presence-desk", "client-typed") == []


def test_client_events_have_a_pace(peers: Peer) -> None:
    """The eleventh client event within a second is dropped with 4301, the connection stays."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "private-desk")
    for number in range(11):
        peers.do("trigger", client="a", channel="private-desk", event="client-n", data=number)
    error = peers.wait("a", "connection", "error")
    assert error["data"]["code"] == 4301
    assert peers.do("state", client="a") == "connected"


def test_client_event_on_a_public_channel_is_refused(peers: Peer) -> None:
    """Public channels relay nothing, and the client is told in the service's words."""
    peers.connect("a")
    peers.subscribe("a", "news")
    peers.do("trigger", client="a", channel="news", event="client-n", data=1)
    error = peers.wait("a", "connection", "error")
    assert error["data"] == {
        "code": None,
        "message": "Client event rejected - only supported on private and presence channels",
    }


def test_forged_token_is_refused(peers: Peer) -> None:
    """A wrong signature is answered with the string that should have been signed."""
    socket_id = peers.connect("a", forge=True)
    peers.do("subscribe", client="a", channel="private-desk")
    error = peers.wait("a", "connection", "error")
    assert error["data"] == {
        "code": None,
        "message": "Invalid signature: Expected HMAC SHA256 hex digest of "
        f"{socket_id}:private-desk, but got {'0' * 64}",
    }
    assert peers.do("state", client="a") == "connected"


def test_server_to_user(peers: Peer, python_sdk: pusher_http_python.Pusher) -> None:
    """A message to a user reaches every connection signed in as that user and no other."""
    connect_signed_in(peers, "a1", "ada", [])
    connect_signed_in(peers, "a2", "ada", [])
    connect_signed_in(peers, "b", "bo", [])
    peers.sdk("sendToUser", "ada", "paid", {"id": 1})
    python_sdk.send_to_user("bo", "paid", {"id": 2})
    assert peers.wait("a1", "user", "paid") == {"id": 1}
    assert peers.wait("a2", "user", "paid") == {"id": 1}
    assert peers.wait("b", "user", "paid") == {"id": 2}
    assert peers.seen("b", "user", "paid") == [{"id": 2}]


def test_server_to_user_channel_is_guarded(peers: Peer) -> None:
    """Subscribing to another user's channel by hand is refused."""
    connect_signed_in(peers, "a", "ada", [])
    data = {"channel": "#server-to-user-bo", "auth": ""}
    peers.do("send", client="a", event="pusher:subscribe", data=data)
    message = peers.wait("a", "connection", "error")["data"]["message"]
    assert message == "Not signed in as user bo: cannot subscribe to #server-to-user-bo"


def test_watchlist(peers: Peer) -> None:
    """Signing in tells who of the watchlist is online, and later changes are told."""
    connect_signed_in(peers, "a", "ada", ["bo", "cy"])
    peers.wait("a", "watchlist", "offline", {"name": "offline", "user_ids": ["bo", "cy"]})
    connect_signed_in(peers, "b", "bo", ["ada"])
    peers.wait("b", "watchlist", "online", {"name": "online", "user_ids": ["ada"]})
    peers.wait("a", "watchlist", "online", {"name": "online", "user_ids": ["bo"]})
    peers.do("disconnect", client="b")
    peers.wait("a", "watchlist", "offline", {"name": "offline", "user_ids": ["bo"]})


def test_long_watchlist_counts_in_part(peers: Peer) -> None:
    """Beyond 100 ids the sign-in succeeds, the first 100 count, and 4302 says so."""
    connect_signed_in(peers, "a", "ada", [f"u{n}" for n in range(101)])
    assert len(peers.wait("a", "watchlist", "offline")["user_ids"]) == 100
    assert peers.wait("a", "connection", "error")["data"]["code"] == 4302


def test_subscription_count(peers: Peer) -> None:
    """All subscribers learn the number of connections whenever it changes."""
    peers.connect("a")
    peers.connect("b")
    peers.subscribe("a", "news")
    peers.subscribe("b", "news")
    peers.wait("a", "news", "pusher:subscription_count", {"subscription_count": 2})
    seen = len(peers.news)
    peers.do("disconnect", client="b")
    peers.wait("a", "news", "pusher:subscription_count", {"subscription_count": 1}, after=seen)
    assert peers.do("subscription_count", client="a", channel="news") == 1


def test_terminate_connections(peers: Peer, server: RunningServer) -> None:
    """Terminating a user closes the signed-in connections, not those merely present."""
    signed_in = connect_signed_in(peers, "a", "ada", [])
    present = peers.connect("p", member=ADA)
    peers.subscribe("p", "presence-desk")
    assert peers.sdk("terminateUserConnections", "ada") == {}
    server.wait_for("connection", what="closed", socket_id=signed_in, code=4009)
    peers.wait("a", "connection", "disconnected")
    assert peers.do("socket_id", client="p") == present


def test_reconnect_restores_everything(peers: Peer, server: RunningServer) -> None:
    """After 4200 the client is back at once, with a new socket id, its channels and its user."""
    before = connect_signed_in(peers, "a", "ada", [])
    peers.subscribe("a", "news")
    seen = len(peers.news)
    server.close_connection(before, 4200, "again")
    peers.wait("a", "news", "pusher:subscription_succeeded", after=seen)
    after = peers.do("socket_id", client="a")
    assert after != before
    server.wait_for("frame", direction="in", socket_id=after, count=3)
    peers.sdk("sendToUser", "ada", "hello", 1)
    assert peers.wait("a", "user", "hello", after=seen) == 1


@pytest.mark.parametrize("code", [4000, 4001, 4003, 4004, 4005, 4006, 4007, 4008, 4009])
def test_codes_that_end_it(peers: Peer, server: RunningServer, code: int) -> None:
    """pusher-js gives up after the codes that mean so; 4000 sends it to TLS, which is not here."""
    socket_id = peers.connect("a")
    seen = len(peers.news)
    server.close_connection(socket_id, code, "because")
    if code == 4000:
        peers.wait("a", "connection", "connecting", after=seen)
    else:
        peers.wait("a", "connection", "disconnected")
        assert peers.do("state", client="a") == "disconnected"


@pytest.mark.parametrize("code", [1000, 1001, 4100, 4200, 4201, 4202])
def test_codes_that_bring_it_back(peers: Peer, server: RunningServer, code: int) -> None:
    """pusher-js connects again after the codes that mean so."""
    socket_id = peers.connect("a")
    seen = len(peers.news)
    server.close_connection(socket_id, code, "because")
    peers.wait("a", "connection", "connected", after=seen)
    assert peers.do("socket_id", client="a") != socket_id


def test_unknown_key_is_told(peers: Peer) -> None:
    """A key of no app ends the attempt with 4001."""
    peers.start("a", key="nobody")
    error = peers.wait("a", "connection", "error")["error"]["data"]
    assert error["code"] == 4001
    assert "nobody not in this cluster" in error["message"]
    assert peers.do("state", client="a") == "disconnected"


def test_ping_and_pong(peers: Peer, server: RunningServer) -> None:
    """A client that hears nothing pings, is answered, and stays."""
    socket_id = peers.connect("a", pusher={"activityTimeout": 200})
    server.wait_for(
        "frame",
        direction="in",
        socket_id=socket_id,
        text='{"event":"pusher:ping","data":{}}',
        count=2,
    )
    server.wait_for("frame", text='{"event":"pusher:pong","data":{}}', count=2)
    assert peers.do("state", client="a") == "connected"


def test_silence_is_answered_by_the_client(peers: Peer, server: RunningServer) -> None:
    """The server's protocol ping after 60 s of silence is answered by the WebSocket itself."""
    socket_id = peers.connect("a")
    for _ in range(3):
        server.advance(61)
        peers.do("send", client="a", event="pusher:ping", data={})
        server.wait_for("frame", text='{"event":"pusher:pong","data":{}}')
        server.clear_log()
    assert peers.do("socket_id", client="a") == socket_id


def test_webhooks_verify(peers: Peer, receiver: Receiver) -> None:
    """All seven types of webhook event arrive, signed as the official packages want it."""
    peers.connect("a", member=ADA)
    peers.subscribe("a", "presence-desk")
    peers.subscribe("a", "cache-board")
    peers.do("trigger", client="a", channel="presence-desk", event="client-n", data={"n": 1})
    peers.wait("a", "cache-board", "pusher:cache_miss")
    # pusher-js sends a little later than asked, and not at all once it is disconnecting.
    peers.server.wait_for_event("presence-desk", "client-n")
    peers.do("disconnect", client="a")
    events = receiver.wait_for_events(
        "channel_occupied",
        "channel_vacated",
        "member_added",
        "member_removed",
        "client_event",
        "cache_miss",
        "subscription_count",
    )
    client_event = next(event for event in events if event["name"] == "client_event")
    assert client_event["data"] == '{"n":1}'
    assert client_event["user_id"] == "ada"
    sdk = pusher_http_python.Pusher("4242", "local-key", "local-secret")
    for hook in receiver.hooks:
        in_node = peers.verify_webhook(hook.headers, hook.body.decode())
        assert in_node == {"valid": True, "events": hook.events}
        headers = dict(hook.headers)
        assert sdk.validate_webhook(
            headers["X-Pusher-Key"], headers["X-Pusher-Signature"], hook.body
        ) == json.loads(hook.body)


def test_refusals_reach_the_sdk(peers: Peer, server: RunningServer) -> None:
    """The Node SDK shows the status and the service's text of what was refused."""
    with pytest.raises(PeerError) as wrong_key:
        peers.sdk("trigger", "news", "x", "", key="nobody")
    assert (wrong_key.value.status, wrong_key.value.body) == (400, "Unknown auth_key\n")
    with pytest.raises(PeerError) as wrong_secret:
        peers.sdk("trigger", "news", "x", "", secret="guess")
    assert wrong_secret.value.status == 401
    with pytest.raises(PeerError) as too_large:
        peers.sdk("trigger", "news", "x", "é" * 5121)
    assert too_large.value.status == 413
    server.fail_requests(1, Fault(503, "ordered\n"))
    with pytest.raises(PeerError) as ordered:
        peers.sdk("trigger", "news", "x", "")
    assert (ordered.value.status, ordered.value.body) == (503, "ordered\n")
    assert peers.sdk("trigger", "news", "x", "") == {}
