"""What a connection may do, what it is answered, and what it is refused with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gae_pusher.emulator.channels import AppLimits, Features, Settings
from gae_pusher.emulator.channels.effects import Send
from gae_pusher.sansio.signing import Credentials

from .stage import APP, KEY, SECRET, SOCKET, Stage, auth, member_data

FAIL = None  # the code of nearly every pusher:error


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.connect("1.1", "2.2")
    return stage


def limited(**changes: Any) -> Stage:
    stage = Stage(replace(APP, limits=AppLimits(**changes)))
    stage.connect("1.1", "2.2")
    return stage


def without(**features: bool) -> Stage:
    stage = Stage(replace(APP, features=Features(**features)))
    stage.connect("1.1", "2.2")
    return stage


def test_greeting() -> None:
    """The first frame announces the socket id and the activity timeout."""
    stage = Stage(settings=Settings(activity_timeout_seconds=7))
    (greeting,) = stage.service.connect(SOCKET, 0)
    assert isinstance(greeting, Send)
    assert json.loads(json.loads(greeting.frame)["data"]) == {
        "socket_id": SOCKET,
        "activity_timeout": 7,
    }


def test_ping_is_answered(stage: Stage) -> None:
    """A ping gets a pong, a pong gets nothing."""
    stage.send("1.1", "pusher:ping", {})
    stage.send("1.1", "pusher:pong", {})
    assert stage.names("1.1") == ["pusher:pong"]


@pytest.mark.parametrize(
    ("channel", "member", "token"),
    [
        ("private-desk", None, "d51ff1adcd2e65c6e6376f91a24189df5b6781f4b8d7f53985f52abbdbc7e129"),
        (
            "private-encrypted-vault",
            None,
            "7a473c82171fd2a8725e992dcbce69ceff07e7352e7e8bd6d3d50e15246909f0",
        ),
        (
            "presence-room",
            '{"user_id":"u-19","user_info":{"name":"Ada"}}',
            "0c78d3aa94333541943bbae7d935be9a179a094a423a2d62bb600b4075040d40",
        ),
    ],
)
def test_recorded_token_is_accepted(channel: str, member: str | None, token: str) -> None:
    """The protocol's worked examples open their channels."""
    stage = Stage()
    stage.connect(SOCKET)
    data = {"channel": channel, "auth": f"{KEY}:{token}"}
    data |= {} if member is None else {"channel_data": member}
    stage.send(SOCKET, "pusher:subscribe", data)
    assert stage.names(SOCKET)[0] == "pusher_internal:subscription_succeeded"


def test_recorded_user_token_is_accepted() -> None:
    """The protocol's worked example of a sign-in succeeds and its user_data comes back verbatim."""
    user_data = '{"id":"u-19","user_info":{"name":"Ada"},"watchlist":["u-20","u-21"]}'
    token = "38888eb0ffe5716add54b3153299bc1a9a484f6f99dac0937d9c2f57505d855e"
    stage = Stage()
    stage.connect(SOCKET)
    stage.send(SOCKET, "pusher:signin", {"auth": f"{KEY}:{token}", "user_data": user_data})
    success, watchlist = stage.take(SOCKET)
    assert json.loads(success["data"]) == {"user_data": user_data}
    assert json.loads(watchlist["data"])["events"] == [
        {"name": "offline", "user_ids": ["u-20", "u-21"]}
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        '"x"',
        "{}",
        '{"event":1}',
        '{"event":"client-x","data":NaN}',
        '{"event":"client-x","data":1e999}',
        r'{"event":"client-x","data":"\ud800"}',
        '{"event":' + "[" * 100_000,
    ],
)
def test_unreadable_frame(stage: Stage, text: str) -> None:
    """What is no frame is answered with an error, and the connection goes on."""
    stage.send_text("1.1", text)
    code, message = stage.error("1.1")
    assert code is None
    assert message in (
        "Received invalid JSON",
        'A frame must be a JSON object with an "event" string',
    )


def test_duplicate_subscription(stage: Stage) -> None:
    """The second subscription to a channel on one connection is refused in the service's words."""
    stage.subscribe("1.1", "shop-7")
    stage.take("1.1")
    stage.subscribe("1.1", "shop-7")
    assert stage.error("1.1") == (FAIL, "Existing subscription to channel shop-7")


def test_unsubscribing_nothing(stage: Stage) -> None:
    """Leaving a channel that was not joined is refused, leaving a joined one has no answer."""
    stage.unsubscribe("1.1", "shop-7")
    assert stage.error("1.1") == (
        FAIL,
        "No current subscription to channel shop-7, or subscription in progress",
    )
    stage.subscribe("1.1", "shop-7")
    stage.take("1.1")
    stage.unsubscribe("1.1", "shop-7")
    assert stage.take("1.1") == []


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [],
        "x",
        {"channel": 3},
        {"channel": ""},
        {"channel": "a b"},
        {"channel": "a" * 201},
        {"channel": "#private"},
        {"channel": "#server-to-user-"},
        {"channel": "é"},
    ],
)
def test_impossible_channel(stage: Stage, data: Any) -> None:
    """A subscription without a usable name is an error."""
    stage.send("1.1", "pusher:subscribe", data)
    assert stage.error("1.1")[0] is None


@pytest.mark.filterwarnings("ignore:a channel name has more than 164")
def test_strict_channel_length() -> None:
    """Strict mode keeps to the 164 characters of the documentation."""
    lenient, strict = Stage(), Stage(settings=Settings(strict=True))
    for stage in (lenient, strict):
        stage.connect("1.1")
        stage.subscribe("1.1", "a" * 165)
    assert lenient.names("1.1")[0] == "pusher_internal:subscription_succeeded"
    assert "164" in strict.error("1.1")[1]


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "Invalid key in subscription auth data: ''"),
        ("other:00", "Invalid key in subscription auth data: 'other'"),
        (
            f"{KEY}:00",
            "Invalid signature: Expected HMAC SHA256 hex digest of 1.1:private-a, but got 00",
        ),
        (KEY, "Invalid signature: Expected HMAC SHA256 hex digest of 1.1:private-a, but got "),
        (
            f"{KEY}:é",
            "Invalid signature: Expected HMAC SHA256 hex digest of 1.1:private-a, but got é",
        ),
    ],
)
def test_wrong_token(stage: Stage, token: str, message: str) -> None:
    """A token that does not fit is refused in the service's words, and nothing is joined."""
    stage.send("1.1", "pusher:subscribe", {"channel": "private-a", "auth": token})
    assert stage.error("1.1") == (FAIL, message)
    assert list(stage.service.hub) == []


def test_token_of_another_socket(stage: Stage) -> None:
    """A token is good for one connection only."""
    token = auth("2.2:private-a")
    stage.send("1.1", "pusher:subscribe", {"channel": "private-a", "auth": token})
    assert stage.error("1.1")[1].startswith("Invalid signature")


def test_token_of_a_second_key() -> None:
    """Every key pair of an app can sign."""
    stage = Stage(replace(APP, credentials=(Credentials("new", "other"), *APP.credentials)))
    stage.connect("1.1")
    stage.subscribe("1.1", "private-a")
    assert stage.names("1.1")[0] == "pusher_internal:subscription_succeeded"


@pytest.mark.parametrize(
    "channel_data",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"user_id":""}',
        '{"user_id":null}',
        '{"user_id":true}',
        '{"user_id":{}}',
        member_data("u" * 129),
        member_data("u", user_info="x" * 1024),
    ],
)
def test_unusable_channel_data(stage: Stage, channel_data: str) -> None:
    """A presence subscription needs an object with a user_id, within the limits."""
    stage.subscribe("1.1", "presence-a", channel_data)
    assert stage.error("1.1")[0] is None
    assert list(stage.service.hub) == []


def test_numeric_user_id(stage: Stage) -> None:
    """A number as user_id becomes a string in everything that is sent."""
    stage.subscribe("1.1", "presence-a", member_data(7))
    data = json.loads(stage.take("1.1")[0]["data"])
    assert data == {"presence": {"count": 1, "ids": ["7"], "hash": {"7": None}}}


def test_presence_needs_an_identity(stage: Stage) -> None:
    """Without channel_data and without a signed-in user nobody joins a presence channel."""
    stage.subscribe("1.1", "presence-a")
    assert "needs channel_data" in stage.error("1.1")[1]


def test_presence_is_full() -> None:
    """A new user beyond the limit is refused, a further connection of a member is not."""
    stage = limited(presence_members=1)
    stage.connect("3.3")
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.subscribe("2.2", "presence-a", member_data("bo"))
    stage.subscribe("3.3", "presence-a", member_data("ada"))
    assert stage.error("2.2") == (FAIL, "Channel presence-a is full: it has 1 members, the limit")
    assert stage.names("3.3") == ["pusher_internal:subscription_succeeded"]


def test_members_are_users(stage: Stage) -> None:
    """Others hear of a user's first and last connection; the user's first user_info stays."""
    stage.connect("3.3")
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.take("1.1")
    stage.subscribe("2.2", "presence-a", member_data("bo", user_info=1))
    stage.subscribe("3.3", "presence-a", member_data("bo", user_info=2))
    stage.disconnect("2.2")
    (added,) = stage.take("1.1")
    assert json.loads(added["data"]) == {"user_id": "bo", "user_info": 1}
    hash_seen = json.loads(stage.take("3.3")[0]["data"])["presence"]["hash"]
    assert hash_seen == {"ada": None, "bo": 1}
    stage.disconnect("3.3")
    (removed,) = stage.take("1.1")
    assert (removed["event"], json.loads(removed["data"])) == (
        "pusher_internal:member_removed",
        {"user_id": "bo"},
    )


def test_sender_is_left_out(stage: Stage) -> None:
    """An event skips the connection that its trigger names."""
    for socket in ("1.1", "2.2"):
        stage.subscribe(socket, "shop-7")
        stage.take(socket)
    stage.take("1.1")
    stage.trigger("shop-7", "paid", "x", socket_id="1.1")
    assert stage.take("1.1") == []
    assert stage.take("2.2") == [{"event": "paid", "channel": "shop-7", "data": "x"}]


@pytest.mark.parametrize(
    ("data", "relayed"),
    [
        ({"on": True}, '{"on":true}'),
        ("text", "text"),
        (None, "null"),
        ([1, 2.5], "[1,2.5]"),
        ("é", "é"),
    ],
)
def test_client_event_data_is_a_string(stage: Stage, data: Any, relayed: str) -> None:
    """Relayed data is a string: what was one already stays as it is."""
    for socket in ("1.1", "2.2"):
        stage.subscribe(socket, "private-a")
        stage.take(socket)
    stage.take("1.1")
    stage.send("1.1", "client-x", data, "private-a")
    assert stage.take("2.2") == [{"event": "client-x", "channel": "private-a", "data": relayed}]
    assert stage.take("1.1") == []


def test_client_event_names_its_member(stage: Stage) -> None:
    """On a presence channel the event carries the verified user id, not a claimed one."""
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.subscribe("2.2", "presence-a", member_data("bo"))
    stage.take("2.2")
    text = {"event": "client-x", "channel": "presence-a", "data": "d", "user_id": "eve"}
    stage.send_text("1.1", json.dumps(text))
    assert stage.take("2.2") == [
        {"event": "client-x", "channel": "presence-a", "data": "d", "user_id": "ada"}
    ]


@pytest.mark.parametrize(
    ("event", "channel", "message"),
    [
        ("client-x", "shop-7", "only supported on private and presence channels"),
        ("client-x", "my-private-x", "only supported on private and presence channels"),
        ("client-x", "#server-to-user-ada", "only supported on private and presence channels"),
        ("client-x", None, "only supported on private and presence channels"),
        ("client-x", "private-b", "not subscribed to channel private-b"),
        ("evil-client-x", "private-a", "does not start with 'client-'"),
        ("pusher:member_added", "private-a", "does not start with 'client-'"),
        ("pusher_internal:member_added", "private-a", "does not start with 'client-'"),
    ],
)
def test_client_event_is_refused(
    stage: Stage, event: str, channel: str | None, message: str
) -> None:
    """Only `client-` events, only on private and presence channels that the sender is on."""
    stage.subscribe("1.1", "private-a")
    stage.take("1.1")
    stage.send("1.1", event, {}, channel)
    code, text = stage.error("1.1")
    assert code is None
    assert message in text


def test_client_event_size() -> None:
    """Client data is limited in bytes of UTF-8."""
    stage = limited(client_event_data_bytes=4)
    stage.subscribe("1.1", "private-a")
    stage.take("1.1")
    stage.send("1.1", "client-x", "éé", "private-a")
    assert stage.take("1.1") == []
    stage.send("1.1", "client-x", "ééé", "private-a")
    assert stage.error("1.1") == (FAIL, "Client event rejected - data has 6 bytes, the limit is 4")


def test_client_event_pace() -> None:
    """Beyond ten within a second an event is dropped with 4301, and the window slides."""
    stage = limited()
    stage.subscribe("1.1", "private-a")
    stage.subscribe("2.2", "private-a")
    stage.take("1.1")
    stage.take("2.2")
    for number in range(10):
        stage.send("1.1", "client-x", number, "private-a")
        stage.pass_time(0.05)
    stage.send("1.1", "client-x", "late", "private-a")
    assert stage.error("1.1") == (4301, "Client event rejected - more than 10 per second")
    stage.pass_time(0.51)
    stage.send("1.1", "client-x", "again", "private-a")
    assert [frame["data"] for frame in stage.take("2.2")] == [*map(str, range(10)), "again"]


def test_client_events_switched_off() -> None:
    """An app without client events refuses them, and says where to switch them on."""
    stage = without(client_events=False)
    stage.subscribe("1.1", "private-a")
    stage.take("1.1")
    stage.send("1.1", "client-x", {}, "private-a")
    assert stage.error("1.1") == (
        FAIL,
        "To send client events, you must enable this feature in the Settings page of "
        "your dashboard.",
    )


def test_no_client_events_at_all() -> None:
    """A limit of zero refuses the first one already."""
    stage = limited(client_events_per_second=0)
    stage.subscribe("1.1", "private-a")
    stage.take("1.1")
    stage.send("1.1", "client-x", {}, "private-a")
    assert stage.error("1.1")[0] == 4301


@pytest.mark.parametrize(
    "user_data",
    [
        "x",
        "[]",
        "{}",
        '{"id":""}',
        '{"id":7}',
        '{"id":"a b"}',
        '{"id":"ada","watchlist":"bo"}',
        '{"id":"ada","watchlist":[1]}',
    ],
)
def test_unusable_user_data(stage: Stage, user_data: str) -> None:
    """A sign-in needs an object with an id, and a watchlist of ids."""
    data = {"auth": auth(f"1.1::user::{user_data}"), "user_data": user_data}
    stage.send("1.1", "pusher:signin", data)
    code, message = stage.error("1.1")
    assert code is None
    assert message.startswith("user_data")


def test_forged_sign_in(stage: Stage) -> None:
    """A sign-in with a wrong signature is refused with the string that should have been signed."""
    data = {"auth": f"{KEY}:00", "user_data": '{"id":"ada"}'}
    stage.send("1.1", "pusher:signin", data)
    expected = (
        'Invalid signature: Expected HMAC SHA256 hex digest of 1.1::user::{"id":"ada"}, but got 00'
    )
    assert stage.error("1.1") == (FAIL, expected)


def test_channel_token_is_no_sign_in(stage: Stage) -> None:
    """A token for a channel does not sign a user in."""
    data = {"auth": auth('1.1:private-{"id":"ada"}'), "user_data": '{"id":"ada"}'}
    stage.send("1.1", "pusher:signin", data)
    assert stage.error("1.1")[1].startswith("Invalid signature")


def test_one_user_per_connection(stage: Stage) -> None:
    """A connection signs in again as the same user, but never as another one."""
    stage.sign_in("1.1", "ada")
    stage.sign_in("1.1", "ada")
    assert stage.names("1.1") == ["pusher:signin_success"] * 2
    stage.sign_in("1.1", "bo")
    assert stage.error("1.1") == (FAIL, "Connection is already signed in as user ada")
    assert stage.service.users.sockets_of("bo") == ()


def test_user_authentication_switched_off() -> None:
    """An app without user authentication refuses to sign anybody in."""
    stage = without(user_authentication=False)
    stage.sign_in("1.1", "ada")
    assert "enable user authentication" in stage.error("1.1")[1]


def test_server_to_user_channel(stage: Stage) -> None:
    """Only the user's own connections subscribe to and hear the user's channel."""
    stage.sign_in("1.1", "ada")
    stage.take("1.1")
    for socket in ("1.1", "2.2"):
        stage.send(socket, "pusher:subscribe", {"channel": "#server-to-user-ada", "auth": ""})
    assert stage.names("1.1") == ["pusher_internal:subscription_succeeded"]
    assert (
        stage.error("2.2")[1]
        == "Not signed in as user ada: cannot subscribe to #server-to-user-ada"
    )
    stage.trigger("#server-to-user-ada", "paid", "x")
    assert stage.take("1.1") == [{"event": "paid", "channel": "#server-to-user-ada", "data": "x"}]
    assert stage.take("2.2") == []


def test_terminate_closes_signed_in_connections(stage: Stage) -> None:
    """Terminating a user closes what is signed in as that user, with the configured code."""
    stage.sign_in("1.1", "ada")
    stage.subscribe("2.2", "presence-a", member_data("ada"))
    stage._do(stage.service.terminate("ada"))
    stage._do(stage.service.terminate("nobody"))
    assert stage.closed == {"1.1": (4009, "Connections of this user were terminated")}


def test_authorized_connections() -> None:
    """Who proves nothing is closed in time; a sign-in or a private channel is proof."""
    stage = without(authorized_connections=True)
    stage.connect("3.3")
    stage.sign_in("1.1", "ada")
    stage.subscribe("2.2", "private-a")
    stage.subscribe("3.3", "shop-7")
    stage.pass_time(29.9)
    assert stage.closed == {}
    stage.pass_time(0.2)
    assert stage.closed == {"3.3": (4009, "Connection not authorized within timeout")}


def test_leaving_twice(stage: Stage) -> None:
    """A connection that is gone stays gone."""
    stage.subscribe("1.1", "shop-7")
    stage.disconnect("1.1")
    assert stage.service.disconnect("1.1", stage.now) == []


def test_secret_stays_out_of_reprs() -> None:
    """An app can be printed without telling its secret."""
    assert SECRET not in repr(APP)
