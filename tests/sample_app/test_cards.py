"""Changes to a board: what is stored, what the other windows hear, what is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from gae_pusher.emulator.channels import Fault
from gae_pusher.testing.channels import RunningServer

HERE = {"X-Socket-Id": "123.456"}


@pytest.fixture
def board(window: Any) -> str:
    return window.create_board()


def add(window: Any, board: str, text: str = "Write", **place: Any) -> dict[str, Any]:
    fields = {"text": text, "column": "todo", "rank": 1} | place
    return window.post_json(f"{board}/cards", fields, headers=HERE).json


def channel_of(board: str) -> str:
    return "presence-board-" + board.rpartition("/")[2]


def heard(channels: RunningServer, board: str, event: str) -> tuple[dict[str, Any], str | None]:
    """The data of an event on the board's channel, and the socket id that was left out."""
    for entry in channels.log("request", method="POST", status=200):
        body = json.loads(entry.facts["body"])
        if (body["name"], body["channels"]) == (event, [channel_of(board)]):
            data = json.loads(body["data"])
            assert data.pop("event_id"), "it went through the outbox"
            return data, body.get("socket_id")
    raise AssertionError(f"{event} was not triggered")


def test_a_new_card_is_stored_and_told(window: Any, board: str, channels: RunningServer) -> None:
    """A new card is stored with its author, and told to all connections but the acting one."""
    answer = add(window, board)
    card = answer["card"]
    assert window.get(f"{board}/cards").json == [card]
    assert {name: card[name] for name in ("text", "column", "rank", "author", "colour")} == {
        "text": "Write",
        "column": "todo",
        "rank": 1.0,
        "author": "Ada",
        "colour": "teal",
    }
    assert heard(channels, board, "card-added") == (card, "123.456")


@pytest.mark.parametrize(
    ("part", "fields", "event"),
    [
        ("text", {"text": "Rewrite"}, "card-edited"),
        ("place", {"column": "done", "rank": 2.5}, "card-moved"),
    ],
)
def test_a_change_is_stored_and_told(
    window: Any,
    board: str,
    channels: RunningServer,
    part: str,
    fields: dict[str, Any],
    event: str,
) -> None:
    """A changed text or place is stored, the rest of the card kept, and the whole card told."""
    card = add(window, board)["card"]
    path = f"{board}/cards/{card['id']}/{part}"
    changed = window.put_json(path, fields, headers=HERE).json["card"]
    assert changed == card | fields
    assert window.get(f"{board}/cards").json == [changed]
    assert heard(channels, board, event) == (changed, "123.456")


def test_a_deleted_card_is_gone(window: Any, board: str, channels: RunningServer) -> None:
    """A deleted card is no longer stored, its id is told, and it cannot be changed any more."""
    path = f"{board}/cards/{add(window, board)['card']['id']}"
    window.delete(path, headers=HERE)
    assert window.get(f"{board}/cards").json == []
    assert heard(channels, board, "card-deleted") == ({"id": path.rpartition("/")[2]}, "123.456")
    answer = window.put_json(f"{path}/text", {"text": "Back"}, status=404)
    assert "gone" in answer.json["error"]


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=403)])
def test_a_card_is_saved_although_nobody_can_be_told(
    window: Any,
    board: str,
    channels: RunningServer,
    fault: Fault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """When Pusher refuses the event the card is stored, and the event waits in the outbox."""
    channels.fail_requests(100, fault)
    answer = add(window, board)
    assert window.get(f"{board}/cards").json == [answer["card"]]
    assert "of the outbox waits, 1 events" in caplog.text


def test_the_others_are_told_later(
    window: Any, board: str, channels: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that Pusher could not take is brought by cron, once Pusher is back."""
    from sample_app import live

    channels.fail_requests(1, Fault(status=503))
    card = add(window, board)["card"]
    monkeypatch.setattr(live.outbox, "clock", lambda: time.time() + 61)
    window.get("/outbox", status=403)
    assert "delivered" in window.get("/outbox", headers={"X-Appengine-Cron": "true"}).text
    assert heard(channels, board, "card-added") == (card, "123.456")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": " \n "},
        {"text": "x" * 281},
        {"text": 7},
        {"text": "half \ud800"},
        {"column": "later"},
        {"column": ["todo"]},
        {"rank": "1"},
        {"rank": True},
        {"rank": None},
        {"rank": float("nan")},
        {"rank": float("inf")},
        {"rank": 10**400},
    ],
)
def test_malformed_cards_are_refused(window: Any, board: str, fields: dict[str, Any]) -> None:
    """A text that is empty or too long, an unknown column, an odd rank: 400 that says what."""
    card = {"text": "Write", "column": "todo", "rank": 1} | fields
    answer = window.post_json(f"{board}/cards", card, status=400)
    assert answer.json["error"]
    assert window.get(f"{board}/cards").json == []


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b"\xff"])
def test_other_bodies_are_refused(window: Any, board: str, body: bytes) -> None:
    """A body that is no JSON object is a 400."""
    window.post(f"{board}/cards", body, content_type="application/json", status=400)


def test_a_large_body_is_refused(window: Any, board: str) -> None:
    """A body of over 64 KiB is a 413."""
    window.post_json(f"{board}/cards", {"text": "x" * 70_000}, status=413)


def test_a_board_has_room_for_so_many_cards(
    window: Any, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One card more than a board may have is a 409 and is not stored."""
    from sample_app import changes

    monkeypatch.setattr(changes, "CARDS_PER_BOARD", 2)
    add(window, board)
    add(window, board)
    fields = {"text": "Third", "column": "todo", "rank": 1}
    assert "at most" in window.post_json(f"{board}/cards", fields, status=409).json["error"]
    assert "at most" in window.post_json(f"{board}/import", {}, status=409).json["error"]
    assert len(window.get(f"{board}/cards").json) == 2


def test_only_visitors_change_a_board(new_window: Any, board: str) -> None:
    """Who has not chosen a name changes nothing: 403. A board that is not there: 404."""
    card = {"text": "Write", "column": "todo", "rank": 1}
    assert "name" in new_window().post_json(f"{board}/cards", card, status=403).json["error"]
    nowhere = "/boards/0123456789abcdef/cards"
    assert new_window().enter().post_json(nowhere, card, status=404).json["error"]


def test_other_origins_cannot_post(window: Any, board: str) -> None:
    """A form of another origin cannot add a card: it cannot send JSON without being asked first."""
    text = json.dumps({"text": "Write", "column": "todo", "rank": 1})
    window.post(f"{board}/cards", text, content_type="text/plain", status=415)
