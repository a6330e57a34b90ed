"""How often a subscription count is told."""

from __future__ import annotations

from dataclasses import replace

from gae_pusher.emulator.channels import Features
from gae_pusher.emulator.channels.counts import CountThrottle

from .stage import APP, Stage, member_data


def test_small_channels_tell_every_change() -> None:
    """Up to a hundred subscribers nothing is held back."""
    throttle = CountThrottle()
    assert all(throttle.changed("a", count, 0) for count in (1, 2, 100, 99))
    assert throttle.next_due() is None


def test_busy_channels_tell_every_five_seconds() -> None:
    """Above a hundred the changes of five seconds become one, told at their end."""
    throttle = CountThrottle()
    assert throttle.changed("a", 101, 0)
    assert not throttle.changed("a", 102, 1)
    assert not throttle.changed("a", 103, 2)
    assert throttle.pop_due(4.9) == []
    assert throttle.pop_due(5) == ["a"]
    assert throttle.pop_due(10) == []
    assert not throttle.changed("a", 104, 9)
    assert throttle.next_due() == 10


def test_shrinking_channel_is_told_at_once() -> None:
    """Back at a hundred, what was held back is dropped in favour of the new count."""
    throttle = CountThrottle()
    throttle.changed("a", 101, 0)
    throttle.changed("a", 102, 1)
    assert throttle.changed("a", 100, 2)
    assert throttle.next_due() is None


def test_counts_of_a_crowd() -> None:
    """All subscribers of a busy channel get the latest count when the five seconds are over."""
    stage = Stage()
    sockets = [f"1.{number}" for number in range(110)]
    stage.connect(*sockets)
    for socket in sockets:
        stage.subscribe(socket, "shop-7")
    stage.take("1.0")
    stage.pass_time(5)
    (frame,) = stage.take("1.0")
    assert frame["data"] == '{"subscription_count":110}'


def test_presence_channels_and_switched_off_apps_count_nothing() -> None:
    """Presence channels have no count, nor has an app without the feature."""
    stage = Stage()
    stage.connect("1.1")
    stage.subscribe("1.1", "presence-a", member_data("ada"))
    assert "pusher_internal:subscription_count" not in stage.names("1.1")
    silent = Stage(replace(APP, features=Features(subscription_counting=False)))
    silent.connect("1.1")
    silent.subscribe("1.1", "shop-7")
    assert silent.names("1.1") == ["pusher_internal:subscription_succeeded"]
