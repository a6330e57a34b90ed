"""Which webhook events leave, when, together with which others, and how they are signed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gae_pusher.emulator.channels import Features, Settings, WebhookEndpoint, WebhookTiming
from gae_pusher.emulator.channels.webhooks import Delivery, Webhooks, retry_after

from .stage import APP, HOOKED, KEY, Stage, member_data

TIMING = WebhookTiming()


def occupied(channel: str) -> dict[str, str]:
    return {"name": "channel_occupied", "channel": channel}


def vacated(channel: str) -> dict[str, str]:
    return {"name": "channel_vacated", "channel": channel}


def added(channel: str, user_id: str) -> dict[str, str]:
    return {"name": "member_added", "channel": channel, "user_id": user_id}


def removed(channel: str, user_id: str) -> dict[str, str]:
    return {"name": "member_removed", "channel": channel, "user_id": user_id}


def counted(channel: str, count: int) -> dict[str, str | int]:
    return {"name": "subscription_count", "channel": channel, "subscription_count": count}


@pytest.fixture
def stage() -> Stage:
    stage = Stage(HOOKED)
    stage.connect("1.1", "2.2")
    return stage


def test_recorded_webhook() -> None:
    """The protocol's worked example: the same events give the same bytes and the same signature."""
    webhooks = Webhooks(HOOKED, TIMING)
    webhooks.arrived(("presence-room", "u-19"), 5)
    webhooks.arrived(("presence-room", None), 5)
    (delivery,) = webhooks.pop_due(5.25, 1767225600123)
    assert delivery == Delivery(
        id="4242-1",
        app_id="4242",
        url="http://localhost/hooks",
        key=KEY,
        signature="0cc8169e3d8f5910a137a2536833640b7a9b82ea394276b968c5678bc191b4e0",
        body=b'{"time_ms":1767225600123,"events":[{"name":"member_added","channel":"presence-room",'
        b'"user_id":"u-19"},{"name":"channel_occupied","channel":"presence-room"}]}',
        created=5.25,
    )
    assert list(delivery.headers) == ["Content-Type", "X-Pusher-Key", "X-Pusher-Signature"]
    assert delivery.headers["Content-Type"] == "application/json"


def test_life_of_a_presence_channel(stage: Stage) -> None:
    """Occupied and added are told at once, removed and vacated three seconds after the leaving."""
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.subscribe("2.2", "presence-a", member_data("ada"))
    stage.pass_time(0.25)
    assert stage.webhook_events() == [occupied("presence-a"), added("presence-a", "ada")]
    stage.unsubscribe("1.1", "presence-a")
    stage.disconnect("2.2")
    stage.pass_time(2.99)
    assert stage.webhook_events() == []
    stage.pass_time(0.02)
    stage.webhook_events()
    stage.pass_time(0.25)
    assert stage.webhook_events() == [removed("presence-a", "ada"), vacated("presence-a")]


def test_coming_back_in_time_is_silence(stage: Stage) -> None:
    """Who is back within the grace period was never away: no vacated, no new occupied."""
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.pass_time(1)
    stage.webhook_events()
    stage.disconnect("1.1")
    stage.pass_time(2)
    stage.subscribe("2.2", "presence-a", member_data("ada"))
    stage.pass_time(10)
    assert stage.webhook_events() == []
    assert stage.service.next_due() is None


def test_queries_do_not_wait_for_the_grace_period(stage: Stage) -> None:
    """During the grace period the channel is already empty for everybody but webhooks."""
    stage.subscribe("1.1", "shop-7")
    stage.disconnect("1.1")
    assert list(stage.service.hub) == []


def test_subscription_counts(stage: Stage) -> None:
    """Every change of a count is told, also the one to nobody."""
    stage.subscribe("1.1", "shop-7")
    stage.subscribe("2.2", "shop-7")
    stage.disconnect("1.1")
    stage.disconnect("2.2")
    stage.pass_time(1)
    events = stage.webhook_events()
    assert events == [
        occupied("shop-7"),
        *[counted("shop-7", count) for count in (1, 2, 1, 0)],
    ]


def test_client_event(stage: Stage) -> None:
    """A client event is told with its data as a string, its sender and, on presence, its user."""
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.subscribe("2.2", "private-a")
    stage.send("1.1", "client-x", {"n": 1}, "presence-a")
    stage.send("2.2", "client-y", "text", "private-a")
    stage.pass_time(1)
    events = [event for event in stage.webhook_events() if event["name"] == "client_event"]
    base = {"name": "client_event"}
    assert events == [
        base
        | {"channel": "presence-a", "event": "client-x", "data": '{"n":1}'}
        | {"socket_id": "1.1", "user_id": "ada"},
        base | {"channel": "private-a", "event": "client-y", "data": "text", "socket_id": "2.2"},
    ]


def test_cache_miss_is_told_once_per_emptiness(stage: Stage) -> None:
    """Misses of one moment are merged; after a trigger or a second the next one counts again."""

    def misses() -> int:
        stage.pass_time(0.3)
        return sum(event["name"] == "cache_miss" for event in stage.webhook_events())

    stage.subscribe("1.1", "cache-a")
    stage.subscribe("2.2", "cache-a")
    assert misses() == 1
    stage.unsubscribe("1.1", "cache-a")
    stage.subscribe("1.1", "cache-a")
    assert misses() == 0
    stage.pass_time(1)
    stage.unsubscribe("1.1", "cache-a")
    stage.subscribe("1.1", "cache-a")
    assert misses() == 1


def test_server_to_user_channels_are_no_news(stage: Stage) -> None:
    """A user's own channel is in no webhook."""
    stage.sign_in("1.1", "ada")
    stage.send("1.1", "pusher:subscribe", {"channel": "#server-to-user-ada", "auth": ""})
    stage.disconnect("1.1")
    stage.pass_time(10)
    assert stage.webhook_events() == []


def test_batch_fills_up() -> None:
    """Twenty events leave at once, the rest after a quarter of a second."""
    webhooks = Webhooks(HOOKED, TIMING)
    for number in range(25):
        webhooks.notify({"name": "cache_miss", "channel": f"cache-{number}"}, 1)
    first = webhooks.pop_due(1, 0)
    assert [len(json.loads(delivery.body)["events"]) for delivery in first] == [20]
    assert webhooks.pop_due(1.2, 0) == []
    second = webhooks.pop_due(1.25, 0)
    assert [len(json.loads(delivery.body)["events"]) for delivery in second] == [5]


def test_without_batching() -> None:
    """Every event leaves by itself and at once."""
    webhooks = Webhooks(replace(HOOKED, features=Features(webhook_batching=False)), TIMING)
    for number in range(3):
        webhooks.notify({"name": "cache_miss", "channel": f"cache-{number}"}, 1)
    assert [len(json.loads(d.body)["events"]) for d in webhooks.pop_due(1, 0)] == [1, 1, 1]


def test_endpoints_get_what_they_asked_for() -> None:
    """Each URL has its own batch and its own kinds of event."""
    endpoints = (
        WebhookEndpoint("http://localhost/a", frozenset({"cache_miss"})),
        WebhookEndpoint("http://localhost/b", frozenset({"channel_occupied"})),
        WebhookEndpoint("http://localhost/c"),
    )
    webhooks = Webhooks(replace(APP, webhooks=endpoints), TIMING)
    webhooks.notify({"name": "cache_miss", "channel": "cache-a"}, 1)
    webhooks.arrived(("cache-a", None), 1)
    got = {
        d.url[-1]: [e["name"] for e in json.loads(d.body)["events"]] for d in webhooks.pop_due(2, 0)
    }
    assert got == {
        "a": ["cache_miss"],
        "b": ["channel_occupied"],
        "c": ["cache_miss", "channel_occupied"],
    }


def test_oldest_key_signs() -> None:
    """With several key pairs the first one, the oldest, signs."""
    app = replace(HOOKED, credentials=(*HOOKED.credentials, *HOOKED.credentials))
    webhooks = Webhooks(app, TIMING)
    webhooks.arrived(("a", None), 1)
    assert webhooks.pop_due(2, 0)[0].key == app.credentials[0].key


def test_retries_double_until_five_minutes() -> None:
    """1, 2, 4 s and so on, at most 60 s apart, until the next one would be too late."""
    waits, age, attempts = [], 0.0, 1
    while (wait := retry_after(attempts, age, TIMING)) is not None:
        waits.append(wait)
        age += wait
        attempts += 1
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert age <= 300


def test_grace_can_be_switched_off() -> None:
    """Without a grace period a departure is told with the next batch."""
    stage = Stage(HOOKED, Settings(webhook_timing=WebhookTiming(grace_seconds=0, batch_seconds=0)))
    stage.connect("1.1")
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    stage.webhook_events()
    stage.disconnect("1.1")
    assert stage.webhook_events() == [removed("presence-a", "ada"), vacated("presence-a")]
