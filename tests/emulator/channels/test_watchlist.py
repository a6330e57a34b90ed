"""Who learns when somebody signs in or goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gae_pusher.emulator.channels import Settings

from .stage import Stage, member_data


def news(stage: Stage, socket: str) -> list[Any]:
    frames = [f for f in stage.take(socket) if f["event"] == "pusher_internal:watchlist_events"]
    assert all("channel" not in frame for frame in frames)
    events = [event for frame in frames for event in json.loads(frame["data"])["events"]]
    return [(event["name"], event["user_ids"]) for event in events]


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.connect("1.1", "2.2", "3.3")
    return stage


def test_first_and_last_connection_count(stage: Stage) -> None:
    """A user is online from the first signed-in connection to the end of the last one."""
    stage.sign_in("1.1", "ada", watchlist=["bo"])
    assert news(stage, "1.1") == [("offline", ["bo"])]
    stage.sign_in("2.2", "bo")
    stage.sign_in("3.3", "bo")
    stage.disconnect("2.2")
    assert news(stage, "1.1") == [("online", ["bo"])]
    stage.disconnect("3.3")
    assert news(stage, "1.1") == [("offline", ["bo"])]


def test_watching_has_one_direction(stage: Stage) -> None:
    """Only who has somebody on the own list is told."""
    stage.sign_in("1.1", "ada", watchlist=["bo"])
    stage.sign_in("2.2", "bo")
    assert news(stage, "2.2") == []


def test_presence_is_not_online(stage: Stage) -> None:
    """Being on a presence channel does not make a user online."""
    stage.sign_in("1.1", "ada", watchlist=["bo"])
    news(stage, "1.1")
    stage.subscribe("2.2", "presence-a", member_data("bo"))
    assert news(stage, "1.1") == []


def test_second_sign_in_replaces_the_watchlist(stage: Stage) -> None:
    """The list of the last sign-in counts."""
    stage.sign_in("1.1", "ada", watchlist=["bo"])
    stage.sign_in("1.1", "ada", watchlist=["cy"])
    news(stage, "1.1")
    stage.sign_in("2.2", "bo")
    stage.sign_in("3.3", "cy")
    assert news(stage, "1.1") == [("online", ["cy"])]


def test_long_list(stage: Stage) -> None:
    """The first hundred ids count, each once, and 4302 tells of the others."""
    watchlist = ["u0", "u0", *(f"u{number}" for number in range(101))]
    stage.sign_in("1.1", "ada", watchlist=watchlist)
    success, events, error = stage.take("1.1")
    assert success["event"] == "pusher:signin_success"
    listed = json.loads(events["data"])["events"][0]["user_ids"]
    assert listed == [f"u{number}" for number in range(100)]
    assert error["data"]["code"] == 4302


def test_offline_can_wait() -> None:
    """With a delay, who is back in time was never offline."""
    stage = Stage(settings=Settings(offline_delay_seconds=5))
    stage.connect("1.1", "2.2", "3.3")
    stage.sign_in("1.1", "ada", watchlist=["bo"])
    stage.sign_in("2.2", "bo")
    news(stage, "1.1")
    stage.disconnect("2.2")
    stage.pass_time(4)
    stage.sign_in("3.3", "bo")
    stage.pass_time(10)
    assert news(stage, "1.1") == []
    stage.disconnect("3.3")
    stage.pass_time(5)
    assert news(stage, "1.1") == [("offline", ["bo"])]


def test_leaves_nothing_behind(stage: Stage) -> None:
    """When everybody is gone, nobody is known any more."""
    stage.sign_in("1.1", "ada", watchlist=["bo", "ada"])
    stage.sign_in("2.2", "bo", watchlist=["ada"])
    stage.disconnect("1.1")
    stage.disconnect("2.2")
    users = stage.service.users
    assert not any((users._sockets, users._user_of, users._watched, users._watchers))
