"""What a cache channel keeps, for whom, and for how long."""

from __future__ import annotations

from dataclasses import replace

from gae_pusher.emulator.channels import Features
from gae_pusher.emulator.channels.cache import MOST_CHANNELS, CachedEvent, EventCache

from .stage import APP, Stage

EVENT = {"event": "score", "channel": "cache-a", "data": "2-1"}


def test_keeps_the_last_event_for_its_time() -> None:
    """A new event replaces the old one and starts the clock anew."""
    cache = EventCache(1800)
    cache.store("cache-a", "score", "1-1", 0)
    cache.store("cache-a", "score", "2-1", 100)
    assert cache.get("cache-a", 1899) == CachedEvent("score", "2-1", 1900)
    assert CachedEvent("score", "2-1", 1900).ttl(1899.5) == 0
    assert cache.get("cache-a", 1900) is None


def test_memory_is_bounded() -> None:
    """Beyond a number of channels the oldest gives way."""
    cache = EventCache(1800)
    for number in range(MOST_CHANNELS + 1):
        cache.store(f"cache-{number}", "x", "", 0)
    assert cache.get("cache-0", 0) is None
    assert cache.get("cache-1", 0) is not None


def test_new_subscriber_gets_the_event_even_if_it_sent_it() -> None:
    """The kept event follows the success, whoever's socket the trigger had excluded."""
    stage = Stage()
    stage.connect("1.1")
    stage.trigger("cache-a", "score", "2-1", socket_id="1.1")
    stage.subscribe("1.1", "cache-a")
    succeeded, event, _ = stage.take("1.1")
    assert succeeded["event"] == "pusher_internal:subscription_succeeded"
    assert event == EVENT


def test_outlives_the_subscribers() -> None:
    """An emptied channel keeps its event."""
    stage = Stage()
    stage.connect("1.1", "2.2")
    stage.subscribe("1.1", "cache-a")
    stage.trigger("cache-a", "score", "2-1")
    stage.disconnect("1.1")
    stage.subscribe("2.2", "cache-a")
    assert stage.take("2.2")[1] == EVENT


def test_client_events_are_not_kept() -> None:
    """Only events of the HTTP API are kept."""
    stage = Stage()
    stage.connect("1.1", "2.2")
    stage.subscribe("1.1", "private-cache-a")
    stage.send("1.1", "client-x", "d", "private-cache-a")
    stage.subscribe("2.2", "private-cache-a")
    assert stage.names("2.2")[1] == "pusher:cache_miss"


def test_prefix_is_anchored() -> None:
    """`nocache-` and `cache` without its dash are ordinary channels."""
    stage = Stage()
    stage.connect("1.1")
    for channel in ("nocache-a", "cachea"):
        stage.trigger(channel, "score")
        stage.subscribe("1.1", channel)
        stage.unsubscribe("1.1", channel)
    assert "score" not in stage.names("1.1")


def test_switched_off() -> None:
    """Without the feature a cache channel is an ordinary one."""
    stage = Stage(replace(APP, features=Features(cache_channels=False)))
    stage.connect("1.1")
    stage.trigger("cache-a", "score")
    stage.subscribe("1.1", "cache-a")
    assert stage.names("1.1") == [
        "pusher_internal:subscription_succeeded",
        "pusher_internal:subscription_count",
    ]
