"""The HTTP API: every endpoint, its limits, its answers and its refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gae_pusher.emulator.channels import AppLimits, Features, Settings

from .caller import Caller, signed
from .stage import APP, Stage, member_data

EVENT = {"name": "paid", "channel": "shop-7", "data": "{}"}


def calling(settings: Settings | None = None, **app: Any) -> Caller:
    stage = Stage(replace(APP, **app), settings)
    stage.connect("1.1", "2.2")
    return Caller(stage)


@pytest.fixture
def api() -> Caller:
    return calling()


def test_trigger_reaches_every_channel_once(api: Caller) -> None:
    """One event goes to each named channel; a channel named twice gets it once."""
    for channel in ("shop-7", "shop-8"):
        api.stage.subscribe("1.1", channel)
    api.stage.take("1.1")
    fields = {"name": "paid", "channels": ["shop-7", "shop-8", "shop-7", "void"], "data": "é\n"}
    assert api.post("/events", fields) == {}
    assert api.stage.take("1.1") == [
        {"event": "paid", "channel": "shop-7", "data": "é\n"},
        {"event": "paid", "channel": "shop-8", "data": "é\n"},
    ]


def test_trigger_in_the_query(api: Caller) -> None:
    """POST parameters may stand in the query, arrays as repeated `channels[]`."""
    api.stage.subscribe("1.1", "shop-7")
    api.stage.take("1.1")
    assert api.post("/events", b"", **{"name": "paid", "data": "d", "channels[]": "shop-7"}) == {}
    assert api.stage.take("1.1") == [{"event": "paid", "channel": "shop-7", "data": "d"}]


def test_counts_of_a_trigger(api: Caller) -> None:
    """Attributes that do not apply are left out, and every channel has its entry."""
    api.stage.subscribe("1.1", "presence-a", member_data("ada"))
    api.stage.subscribe("2.2", "shop-7")
    fields = {"name": "x", "data": "", "channels": ["shop-7", "presence-a"], "info": "user_count"}
    assert api.post("/events", fields) == {
        "channels": {"shop-7": {}, "presence-a": {"user_count": 1}}
    }


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"name": None}, 400, "Missing required parameter: name"),
        ({"name": 3}, 400, "Invalid parameter name: a string is wanted"),
        ({"name": ""}, 400, "event name is empty"),
        ({"name": "x" * 201}, 400, "limit is 200"),
        ({"name": "pusher:x"}, 400, "reserved"),
        ({"name": "pusher_internal:x"}, 400, "reserved"),
        ({"channel": None}, 400, "Missing required parameter: channel"),
        ({"channel": "a b"}, 400, "character outside"),
        ({"channel": "#other"}, 400, "character outside"),
        ({"channels": []}, 400, "Invalid parameter channels"),
        ({"channels": "shop-7"}, 400, "Invalid parameter channels"),
        ({"channels": [1]}, 400, "Invalid parameter channels"),
        ({"channels": ["a"] * 101}, 400, "Too many channels (101 > 100)"),
        ({"data": None}, 400, "Missing required parameter: data"),
        ({"data": {"an": "object"}}, 400, "Invalid parameter data: a string is wanted"),
        ({"socket_id": "x"}, 400, "is not digits, a dot, digits"),
        ({"info": 3}, 400, "Invalid parameter info"),
        ({"data": "é" * 5121}, 413, "exceeds the allowed maximum (10240 bytes)"),
    ],
)
def test_trigger_is_refused(api: Caller, change: dict[str, Any], status: int, message: str) -> None:
    """A malformed event is refused with what is wrong, and nobody gets anything."""
    api.stage.subscribe("1.1", "shop-7")
    api.stage.take("1.1")
    refused = api.post("/events", {**EVENT, **change})
    assert refused[0] == status
    assert message in refused[1]
    assert api.stage.take("1.1") == []


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"\xff", rb'{"name":"\ud800"}', b"[" * 100_000])
def test_body_is_refused(api: Caller, body: bytes) -> None:
    """What is no JSON object is a 400."""
    assert api.post("/events", body)[0] == 400


def test_largest_and_empty_data(api: Caller) -> None:
    """10240 bytes of UTF-8 pass, and so does nothing at all."""
    assert api.post("/events", {**EVENT, "data": "é" * 5120}) == {}
    assert api.post("/events", {**EVENT, "data": ""}) == {}


def test_batch(api: Caller) -> None:
    """Events arrive in order; counts are aligned with the request as soon as one item asks."""
    api.stage.subscribe("1.1", "presence-a", member_data("ada"))
    api.stage.take("1.1")
    batch = [
        {"name": "one", "channel": "presence-a", "data": "1"},
        {"name": "two", "channel": "presence-a", "data": "2", "info": "user_count"},
        {"name": "three", "channel": "presence-a", "data": "3", "socket_id": "1.1"},
    ]
    assert api.post("/batch_events", {"batch": batch}) == {"batch": [{}, {"user_count": 1}, {}]}
    assert api.stage.names("1.1") == ["one", "two"]
    assert api.post("/batch_events", {"batch": batch[:1]}) == {}


@pytest.mark.parametrize(
    ("batch", "status", "message"),
    [
        ([EVENT] * 11, 400, "Batch too large (11 > 10)"),
        ([EVENT, {"name": "x", "data": ""}], 400, "Missing required parameter: channel"),
        ([EVENT, {**EVENT, "data": "x" * 10_241}], 413, "exceeds the allowed maximum"),
        ([3], 400, "Missing required parameter: batch"),
        (None, 400, "Missing required parameter: batch"),
    ],
)
def test_batch_is_refused_whole(api: Caller, batch: Any, status: int, message: str) -> None:
    """One bad item refuses the batch, and none of it is delivered."""
    api.stage.subscribe("1.1", "shop-7")
    api.stage.take("1.1")
    refused = api.post("/batch_events", {"batch": batch})
    assert refused[0] == status
    assert message in refused[1]
    assert api.stage.take("1.1") == []


def test_channels(api: Caller) -> None:
    """Occupied channels are listed, by prefix if wanted; a user's own channel is not."""
    assert api.get("/channels") == {"channels": {}}
    api.stage.subscribe("1.1", "shop-7")
    api.stage.subscribe("1.1", "presence-a", member_data("ada"))
    api.stage.subscribe("2.2", "presence-a", member_data("ada"))
    api.stage.sign_in("1.1", "ada")
    api.stage.send("1.1", "pusher:subscribe", {"channel": "#server-to-user-ada"})
    assert api.get("/channels") == {"channels": {"shop-7": {}, "presence-a": {}}}
    assert api.get("/channels", filter_by_prefix="presence-", info="user_count") == {
        "channels": {"presence-a": {"user_count": 1}}
    }
    assert api.get("/channels", info="subscription_count", filter_by_prefix="shop") == {
        "channels": {"shop-7": {"subscription_count": 1}}
    }
    assert api.get("/channels", info="user_count") == (
        400,
        "user_count may only be requested for presence channels - please supply "
        "filter_by_prefix begining with presence-",
    )


def test_channel(api: Caller) -> None:
    """A channel tells what applies to it; an empty one is just not occupied."""
    assert api.get("/channels/shop-7") == {"occupied": False}
    api.stage.subscribe("1.1", "shop-7")
    api.stage.trigger("cache-board", "score", "2-1")
    api.stage.now += 60
    assert api.get("/channels/shop-7", info="subscription_count") == {
        "occupied": True,
        "subscription_count": 1,
    }
    assert api.get("/channels/cache-board", info="subscription_count,cache") == {
        "occupied": False,
        "subscription_count": 0,
        "cache": {"data": "2-1", "ttl": 1740},
    }
    assert api.get("/channels/cache-empty", info="cache")["cache"] is None
    assert api.get("/channels/presence-a", info="user_count")["user_count"] == 0


@pytest.mark.parametrize(
    ("path", "info", "message"),
    [
        (
            "/channels/shop-7",
            "user_count",
            "Cannot retrieve the user count unless the channel is a presence channel",
        ),
        (
            "/channels/shop-7",
            "cache",
            "Cannot retrieve the cache unless the channel is a cache channel",
        ),
        ("/channels/shop-7/users", "", "Users can only be retrieved for presence channels"),
        (
            "/channels/a b",
            "",
            "channel name 'a b' has a character outside A-Z a-z 0-9 _ - = @ , . ;",
        ),
    ],
)
def test_attribute_does_not_apply(api: Caller, path: str, info: str, message: str) -> None:
    """Asking for what a channel does not have is a 400 in the service's words."""
    assert api.get(path, info=info) == (400, message)


def test_strict_mode_refuses_leniencies() -> None:
    """What the documentation does not promise is refused in strict mode and answered otherwise."""
    lenient, strict = calling(), calling(Settings(strict=True))
    for path, info in (
        ("/channels/presence-a", "subscription_count"),
        ("/channels/shop-7", "nonsense"),
        ("/channels", "nonsense"),
    ):
        assert isinstance(lenient.get(path, info=info), dict)
        assert strict.get(path, info=info)[0] == 400
    nonsense = {**EVENT, "info": "nonsense"}
    assert isinstance(lenient.post("/events", nonsense), dict)
    assert strict.post("/events", nonsense)[0] == 400
    client_event = {**EVENT, "name": "client-x"}
    assert lenient.post("/events", client_event) == {}
    assert strict.post("/events", client_event)[0] == 400


def test_counting_switched_off() -> None:
    """Without the feature there is no subscription count to tell."""
    api = calling(features=Features(subscription_counting=False))
    assert api.get("/channels/shop-7", info="subscription_count") == {"occupied": False}


def test_users(api: Caller) -> None:
    """Every user once, whatever the number of connections; nobody is an empty array."""
    assert api.get("/channels/presence-a/users") == {"users": []}
    api.stage.subscribe("1.1", "presence-a", member_data("ada"))
    api.stage.subscribe("2.2", "presence-a", member_data("ada"))
    assert api.get("/channels/presence-a/users") == {"users": [{"id": "ada"}]}


def test_terminate(api: Caller) -> None:
    """Terminating a user's connections succeeds whether or not there are any."""
    api.stage.sign_in("1.1", "ada")
    assert api.post("/users/ada/terminate_connections", {}) == {}
    assert api.post("/users/nobody/terminate_connections", {}) == {}
    assert list(api.stage.closed) == ["1.1"]


def test_send_to_user_skips_a_socket(api: Caller) -> None:
    """A message to a user respects socket_id, and is not kept for later."""
    api.stage.sign_in("1.1", "ada")
    api.stage.sign_in("2.2", "ada")
    api.stage.take("1.1")
    api.stage.take("2.2")
    fields = {"name": "paid", "data": "1", "channels": ["#server-to-user-ada"], "socket_id": "1.1"}
    assert api.post("/events", fields) == {}
    assert api.stage.names("2.2") == ["paid"]
    assert api.stage.names("1.1") == []


def test_deprecated_trigger(api: Caller) -> None:
    """The form of 2012 takes the raw body as data and answers 202."""
    api.stage.subscribe("1.1", "shop-7")
    api.stage.take("1.1")
    assert api.post("/channels/shop-7/events", b"raw \xc3\xa9", name="paid") == (202, "{}")
    assert api.stage.take("1.1") == [{"event": "paid", "channel": "shop-7", "data": "raw é"}]
    assert api.post("/channels/shop-7/events", b"\xff", name="paid")[0] == 400
    assert api.post("/channels/shop-7/events", b"x")[0] == 400


def test_deprecated_stats(api: Caller) -> None:
    """The older shape of a channel's state."""
    api.stage.subscribe("1.1", "presence-a", member_data("ada"))
    assert api.get("/channels/presence-a/stats") == {
        "occupied": True,
        "connection_count": 1,
        "user_count": 1,
    }
    assert api.get("/channels/shop-7/stats") == {"occupied": False, "connection_count": 0}


@pytest.mark.parametrize(
    "path",
    [
        "/apps/4242",
        "/apps",
        "/",
        "/apps/4242/nothing",
        "/apps/4242/channels/a/b/c",
        "/apps/4242/channels//users",
        "/apps/4242/events/x",
        "/other/4242/events",
    ],
)
def test_unknown_path(api: Caller, path: str) -> None:
    """What is no endpoint is a 404 with a text."""
    for method in ("GET", "POST", "DELETE"):
        response = api.send(signed(method, path))
        assert (response.status, response.body) == (404, "404 NOT FOUND\n")


def test_unknown_app(api: Caller) -> None:
    """An app id of no app is a 404, before the key is looked at."""
    response = api.send(signed("GET", "/apps/77/channels"))
    assert (response.status, response.body) == (404, "App 77 is not on this server\n")


def test_limits_are_settings() -> None:
    """A dedicated cluster's limits can be set."""
    api = calling(limits=AppLimits(event_data_bytes=3, events_per_batch=1, channels_per_trigger=1))
    assert api.post("/events", {**EVENT, "data": "1234"})[0] == 413
    assert api.post("/batch_events", {"batch": [EVENT, EVENT]})[1] == "Batch too large (2 > 1)"
    assert api.post("/events", {"name": "x", "data": "", "channels": ["a", "b"]})[0] == 400


def test_answers_are_json_objects(api: Caller) -> None:
    """Every success is a JSON object, as the strictest client library demands."""
    for request in (
        signed("POST", "/apps/4242/events", body=json.dumps(EVENT).encode()),
        signed("GET", "/apps/4242/channels"),
        signed("GET", "/apps/4242/channels/shop-7"),
        signed("POST", "/apps/4242/users/ada/terminate_connections", body=b"{}"),
    ):
        response = api.send(request)
        assert (response.status, response.content_type) == (200, "application/json")
        assert isinstance(json.loads(response.body), dict)
