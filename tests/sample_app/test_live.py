"""Who may join a board, and what the webhooks leave in Datastore."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from gae_pusher.testing.channels import RunningServer

SOCKET_ID = "123.456"


def join(window: Any, channel: str, status: int = 200) -> Any:
    form = {"socket_id": SOCKET_ID, "channel_name": channel}
    return window.post("/pusher/auth", form, status=status)


def channel_of(board: str) -> str:
    return "presence-board-" + board.rpartition("/")[2]


def test_a_visitor_may_join_a_board(window: Any, channels: RunningServer) -> None:
    """A visitor joins a board's channel as a member with an id, a name and a colour."""
    channel = channel_of(window.create_board())
    answer = join(window, channel).json
    member = json.loads(answer["channel_data"])
    assert member["user_info"] == {"name": "Ada", "colour": "teal"}
    key, secret = channels.app.key, channels.app.secret_of(channels.app.key)
    signed = f"{SOCKET_ID}:{channel}:{answer['channel_data']}".encode()
    assert answer["auth"] == f"{key}:{hmac.new(secret.encode(), signed, 'sha256').hexdigest()}"


def test_a_visitor_is_one_member_in_all_windows(window: Any) -> None:
    """Two windows, and a changed name, are still the same member."""
    channel = channel_of(window.create_board())
    first, second = (
        json.loads(join(asking, channel).json["channel_data"])
        for asking in (window, window.enter("Ada L."))
    )
    assert first["user_id"] == second["user_id"]
    assert second["user_info"]["name"] == "Ada L."


def test_others_may_not_join(window: Any, new_window: Any) -> None:
    """Without a name, for a board that is not there, or for another channel: 403."""
    join(new_window(), channel_of(window.create_board()), status=403)
    join(window, "presence-board-0123456789abcdef", status=403)
    join(window, "private-other", status=403)


@pytest.fixture
def board(window: Any) -> str:
    return window.create_board("Occupied?")


@pytest.fixture
def tell(window: Any, channels: RunningServer) -> Any:
    """Send the app a signed webhook with these events."""

    def tell(*events: dict[str, str], secret: str | None = None, status: int = 200) -> None:
        key = channels.app.key
        envelope = {"time_ms": int(time.time() * 1000), "events": events}
        body = json.dumps(envelope).encode()
        signing = (secret or channels.app.secret_of(key)).encode()
        signature = hmac.new(signing, body, hashlib.sha256).hexdigest()
        headers = {"X-Pusher-Key": key, "X-Pusher-Signature": signature}
        kind = "application/json"
        window.post("/pusher/webhook", body, headers, content_type=kind, status=status)

    return tell


def here(window: Any, board: str) -> str:
    """What the home page says of a board."""
    return window.get("/").html.find("a", href=board).find(class_="pill").string


def event(name: str, board: str, user_id: str | None = None) -> dict[str, str]:
    user = {"user_id": user_id} if user_id else {}
    return {"name": name, "channel": channel_of(board), **user}


def test_webhooks_say_who_is_here(window: Any, board: str, tell: Any) -> None:
    """Members that come and go change what Datastore knows, also several in one webhook."""
    assert here(window, board) == "empty"
    tell(event("member_added", board, "a"), event("member_added", board, "b"))
    assert here(window, board) == "2 here"
    tell(event("member_removed", board, "a"))
    assert here(window, board) == "1 here"


def test_a_webhook_that_comes_twice_counts_once(window: Any, board: str, tell: Any) -> None:
    """Pusher may send a webhook again; the same member is not counted twice."""
    for _ in range(2):
        tell(event("member_added", board, "a"))
    assert here(window, board) == "1 here"


def test_a_vacated_board_is_empty(window: Any, board: str, tell: Any) -> None:
    """When the channel is vacated nobody is here, even if a member_removed was lost."""
    tell(event("member_added", board, "a"), event("channel_vacated", board))
    assert here(window, board) == "empty"


def test_a_forged_webhook_changes_nothing(window: Any, board: str, tell: Any) -> None:
    """A webhook that another secret signed is a 401."""
    tell(event("member_added", board, "a"), secret="guessed", status=401)
    assert here(window, board) == "empty"


def test_webhooks_of_other_channels_are_taken_and_ignored(window: Any, tell: Any) -> None:
    """An app's webhooks are about all its channels: others than boards are answered with 200."""
    tell({"name": "member_added", "channel": "presence-chat", "user_id": "a"})
    tell({"name": "channel_occupied", "channel": "news"})
